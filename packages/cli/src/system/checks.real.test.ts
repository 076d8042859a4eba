// Real processes: a worker whose device check starts to fail is stopped, its work finishes elsewhere, it is repaired step by
// step, certified again, and works again. The device is a declared one, `rig`, and its check reads a file that the test changes:
// what is shown is what Assay does about a failing check, not that a real accelerator failed.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeedItem, WorkerView } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetUnderTest, runAssay, until } from './fleet-under-test.ts';

const files = 12;
const cases = 4;
let fleet: FleetUnderTest;
let token: string;
beforeEach(async () => {
  fleet = new FleetUnderTest();
  await fleet.up();
  token = await fleet.workerToken();
}, 60_000);
afterEach(() => fleet.close(), 60_000);

const broken = (): string => join(fleet.directory, 'rig-is-broken');

/** A worker with a rig. `hooks` as in the settings file. */
async function withRig(name: string, hooks: object = {}, check: object = {}): Promise<void> {
  const command = name === 'first' ? ['test', '!', '-e', broken()] : ['true'];
  const checks = [{ name: 'rig answers', device: 'rig', command, everyMs: 100, ...check }];
  const path = join(fleet.directory, `${name}-settings.json`);
  writeFileSync(path, JSON.stringify({ checks, hooks, builtIn: [] }));
  await fleet.worker(name, token, fleet.url, ['--declare', 'rig=virtual', '--checks', path]);
}

async function worker(name: string): Promise<WorkerView> {
  const { workers } = await fleet.client.listWorkers();
  const found = workers.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no worker ${name}`);
  return fleet.client.readWorker(found.worker);
}

const rigOf = async (name: string): Promise<string> =>
  (await worker(name)).devices?.find(({ device }) => device === 'rig')?.condition.kind ?? 'unknown';

const rigIs = (name: string, kind: string): Promise<true> =>
  until(
    `the rig of ${name} is ${kind}`,
    async () => ((await rigOf(name).catch(() => null)) === kind ? true : null),
    120_000,
  );

/** Everything of the feed from the first event on, until the caller stops it. */
function watch(): { items: FeedItem[]; stop: () => Promise<void> } {
  const items: FeedItem[] = [];
  const over = new AbortController();
  const following = (async () => {
    for await (const delivery of fleet.client.followFeed({ after: 0, signal: over.signal }))
      if (delivery.kind === 'event') items.push(delivery.event.item);
  })().catch(() => undefined);
  return {
    items,
    stop: async () => {
      over.abort();
      await following;
    },
  };
}

test('a failing device check stops the worker for what needs the device, and a mended one brings it back by itself', async () => {
  await withRig('first');
  await withRig('second');
  await rigIs('first', 'ready');
  await rigIs('second', 'ready');
  const feed = watch();
  const project = fleet.project(files, cases, 40);
  const run = await fleet.submit(project, files, { requires: 'declared.rig == "virtual"', batching: 'single' });
  await fleet.inTheMiddle(run, 2);
  writeFileSync(broken(), '');
  await rigIs('first', 'quarantined');
  const first = (await worker('first')).worker;

  // Its work finishes elsewhere, every case once.
  const report = await fleet.settled(run);
  expect(report.run.verdict).toBe('passed');
  expect(report.cases).toEqual({ passed: files * cases, failed: 0, skipped: 0, todo: 0 });
  const quarantinedAtMs = feed.items.find(
    (item) => item.kind === 'conditionChanged' && item.condition === 'suspect',
  )!.atMs;
  const placedLater = report.tasks
    .flatMap(({ task }) => task.attempts)
    .filter(({ worker: on, assignedAtMs }) => on === first && (assignedAtMs ?? 0) > quarantinedAtMs);
  expect(placedLater).toEqual([]);

  // Every step that it has is really taken, the start of a new agent process among them; then a person is asked.
  await until('a person is asked', () => feed.items.find(({ kind }) => kind === 'operatorNeeded') ?? null, 120_000);
  const steps = feed.items.flatMap((item) =>
    item.kind === 'recoveryReported' ? [`${item.rung} ${item.outcome}`] : [],
  );
  expect(steps).toEqual([
    'page notApplicable',
    'browser notApplicable',
    'gpuProcess notApplicable',
    'runner done',
    'agent done',
    'rebootHook notApplicable',
    'powerHook notApplicable',
  ]);
  expect(await rigOf('first')).toBe('quarantined');
  const listing = await runAssay(fleet, ['workers']);
  expect(listing).toContain(
    'first: rig quarantined: it failed its certification: rig answers: exit code 1 (operatorNeeded)',
  );
  const recovery = await runAssay(fleet, ['recovery']);
  expect(recovery).toMatch(/agent\s+rig\s+1\s+0 \(0 %\)/);

  // It is mended: its own check finds that out, it is certified, and gets work again.
  rmSync(broken());
  await rigIs('first', 'ready');
  const again = await fleet.settled(
    await fleet.submit(project, files, { requires: 'declared.rig == "virtual"', batching: 'single' }),
  );
  expect(again.run.verdict).toBe('passed');
  expect(again.tasks.some(({ task }) => task.attempts.some(({ worker: on }) => on === first))).toBe(true);
  const changes = feed.items.flatMap((item) => (item.kind === 'conditionChanged' ? [item.condition] : []));
  expect(changes).toEqual(['suspect', 'quarantined', 'ready']);
  await feed.stop();
}, 240_000);

test('a hook that mends the device is found to have helped, and nobody is asked', async () => {
  const trace = join(fleet.directory, 'hook-ran');
  const mend = ['sh', '-c', `echo "$ASSAY_RECOVERY_DEVICE" > ${trace}; rm ${broken()}`];
  await withRig('first', { reboot: { command: mend } });
  await rigIs('first', 'ready');
  const feed = watch();
  writeFileSync(broken(), '');
  await until('the hook ran', () => (existsSync(trace) ? true : null), 120_000);
  await rigIs('first', 'ready');
  expect(readFileSync(trace, 'utf8')).toBe('rig\n');
  const { rungs } = await fleet.client.recoveryHistory();
  expect(rungs.map(({ rung, deviceClass, taken, cured }) => [rung, deviceClass, taken, cured])).toEqual([
    ['runner', 'rig', 1, 0],
    ['agent', 'rig', 1, 0],
    ['rebootHook', 'rig', 1, 1],
  ]);
  expect(feed.items.filter(({ kind }) => kind === 'operatorNeeded')).toEqual([]);
  await feed.stop();
}, 180_000);

test('one failure that does not repeat costs a moment: the device is suspect, is certified, and is ready again', async () => {
  const count = join(fleet.directory, 'count');
  // Fails once, when the file says so.
  const command = ['sh', '-c', `test ! -e ${broken()} || { rm ${broken()}; echo once >> ${count}; exit 1; }`];
  await withRig('first', {}, { command });
  await rigIs('first', 'ready');
  const feed = watch();
  writeFileSync(broken(), '');
  await until(
    'it was suspect and is ready',
    () => (feed.items.some((item) => item.kind === 'conditionChanged' && item.condition === 'ready') ? true : null),
    60_000,
  );
  const changes = feed.items.flatMap((item) => (item.kind === 'conditionChanged' ? [item.condition] : []));
  expect(changes).toEqual(['suspect', 'ready']);
  expect(feed.items.filter(({ kind }) => kind === 'recoveryRequested')).toEqual([]);
  await feed.stop();
}, 120_000);

test('people quarantine, maintain, certify and release workers and devices from the command line', async () => {
  await withRig('first');
  await rigIs('first', 'ready');
  const { worker: id } = await worker('first');
  expect(await runAssay(fleet, ['quarantine', id, '--device', 'rig', '--reason', 'smells odd'])).toContain(
    'smells odd',
  );
  expect(await rigOf('first')).toBe('quarantined');
  // Its check passes all the time; what a person set aside waits for a person.
  await runAssay(fleet, ['certify', id, '--device', 'rig']);
  await until('it is certified', async () =>
    (await worker('first')).checks?.some(({ check }) => check === 'rig answers') ? true : null,
  );
  expect(await rigOf('first')).toBe('quarantined');
  await runAssay(fleet, ['release', id, '--device', 'rig']);
  expect(await rigOf('first')).toBe('ready');
  expect(await runAssay(fleet, ['maintenance', id, '--reason', 'new disk'])).toContain('maintenance');
  const run = await fleet.submit(fleet.project(1, 1, 1), 1);
  const explained = await runAssay(fleet, ['explain', `${run}.0`]);
  expect(explained).toMatch(/maintenance: .*new disk/);
  await runAssay(fleet, ['release', id]);
  expect((await fleet.settled(run)).run.verdict).toBe('passed');
}, 120_000);
