// Circuits on real processes: a dependency that goes down parks the work that needs it and nothing else, and a worker whose
// toolchain is broken is stopped before it eats the queue. Seen as people see it: the API, the live feed and `assay circuits`.
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { CircuitView, FeedItem } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetUnderTest, runAssay, until } from './fleet-under-test.ts';

let fleet: FleetUnderTest;
let watching: { items: FeedItem[]; stop: () => Promise<void> } | null = null;
let service: Service | null = null;
let upgrading: number | null = null;
beforeEach(() => {
  fleet = new FleetUnderTest();
});
afterEach(async () => {
  await watching?.stop();
  await service?.down();
  if (upgrading !== null) closeSync(upgrading);
  upgrading = null;
  await fleet.close();
}, 60_000);

/** A real HTTP server that can go down and come back at the same address. */
class Service {
  #server: Server | null = null;
  port = 0;
  asked = 0;

  async up(): Promise<void> {
    const server = createServer((_, response) => {
      this.asked += 1;
      response.end('well');
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(this.port, '127.0.0.1', () => resolve()),
    );
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Everything of the feed from the first event on. */
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

const moves = (circuit: string): string[] =>
  (watching?.items ?? []).flatMap((item) =>
    item.kind === 'circuitMoved' && item.circuit === circuit ? [`${item.from} ${item.to}`] : [],
  );

const circuitIs = (circuit: string, state: CircuitView['state']): Promise<CircuitView> =>
  until(`${circuit} is ${state}`, async () => {
    const view = await fleet.client.readCircuit(circuit).catch(() => null);
    return view?.state === state ? view : null;
  });

test('a dependency that goes down opens its circuit, parks the work that needs it, and lets it go when it is back', async () => {
  service = new Service();
  await service.up();
  const settings = join(fleet.directory, 'settings.json');
  const api = { name: 'api', url: `http://127.0.0.1:${service.port}/`, intervalMs: 100, timeoutMs: 2_000 };
  writeFileSync(settings, JSON.stringify({ dependencies: [api] }));
  await fleet.up(['--settings', settings]);
  watching = watch();
  await fleet.worker('lab', await fleet.workerToken());
  expect((await circuitIs('dependency:api', 'closed')).health).toBe(1);

  await service.down();
  const open = await circuitIs('dependency:api', 'open');
  expect(open).toMatchObject({ label: 'dependency api', cause: 'consecutiveFailures' });
  expect(open.untilMs).not.toBeNull();
  expect(open.evidence.length).toBeGreaterThanOrEqual(3);
  const project = fleet.project(2, 1, 5);
  const parked = await fleet.submit(project, 2, { uses: ['api'] });
  // What needs nothing goes on beside it.
  const free = await fleet.settled(await fleet.submit(project, 2));
  expect(free.run.verdict).toBe('passed');
  expect((await fleet.client.readRun(parked)).tasks).toMatchObject({ total: 2, queued: 2, settled: 0 });
  expect(await runAssay(fleet, ['explain', `${parked}.0`])).toMatch(/dependency.api/);
  expect(await runAssay(fleet, ['circuits'])).toMatch(/dependency:api +(?:open|half-open) .*dependency api; /);

  await service.up();
  const report = await fleet.settled(parked);
  expect(report.run.verdict).toBe('passed');
  const closed = await circuitIs('dependency:api', 'closed');
  expect(closed.history.map(({ from, to }) => `${from} ${to}`).slice(-1)).toEqual(['halfOpen closed']);
  expect(moves('dependency:api')[0]).toBe('closed open');
  expect(moves('dependency:api').at(-1)).toBe('halfOpen closed');
  const history = await runAssay(fleet, ['circuits', 'history', 'dependency:api']);
  expect(history).toMatch(/closed -> open +\d+ +[\d ]+ +failures in a row/);
  expect(history).toContain('it answered');

  await ordersAreObeyed(project);
}, 120_000);

async function ordersAreObeyed(project: string): Promise<void> {
  const order = (...args: string[]): Promise<string> => runAssay(fleet, ['circuits', ...args]);
  expect(await order('force', 'dependency:api', '--reason', 'it is moved')).toContain('forced open');
  const waiting = await fleet.submit(project, 1, { uses: ['api'] });
  const shown = await fleet.client.readCircuit('dependency:api');
  expect(shown).toMatchObject({ state: 'forcedOpen', untilMs: null });
  expect(shown.reason).toContain('it is moved');
  // Good looks do not undo what a person ordered.
  const before = service?.asked ?? 0;
  await until('it was looked at again', () => ((service?.asked ?? 0) >= before + 3 ? true : null));
  expect((await fleet.client.health()).queuedTasks).toBe(1);
  expect(await order('show', 'dependency:api')).toMatch(/forced open[\s\S]*it is moved/);
  expect(await order('release', 'dependency:api', '--reason', 'it is there')).toContain('half-open');
  expect((await fleet.settled(waiting)).run.verdict).toBe('passed');
  await circuitIs('dependency:api', 'closed');
  const advice = JSON.parse(await order('advise', '--since', '1h', '--json')) as {
    attempts: number;
    thin: string[];
    grid: object[];
  };
  expect(advice).toMatchObject({ attempts: 5, thin: [expect.stringContaining('200'), expect.anything()] });
  expect(advice.grid).toHaveLength(45);
  const lines = (await order('advise', '--since', '1h', '--all')).split('\n');
  expect(lines.filter((line) => / of 5 /.test(line))).toHaveLength(45);
}

// Only Linux refuses to start a program that somebody has open for writing.
test.skipIf(process.platform !== 'linux')(
  'a worker that fails everything at once is stopped within five tasks, and its work finishes elsewhere',
  async () => {
    await fleet.up();
    watching = watch();
    const token = await fleet.workerToken();
    // What the tests are run with: well on one worker; on the other still held open by what writes it, so that it cannot start.
    const well = join(fleet.directory, 'well');
    const broken = join(fleet.directory, 'broken');
    for (const directory of [well, broken]) mkdirSync(directory);
    for (const directory of [well, broken])
      writeFileSync(join(directory, 'lab-toolchain'), '#!/bin/sh\nsleep 0.1\n', { mode: 0o755 });
    upgrading = openSync(join(broken, 'lab-toolchain'), 'r+');
    const path = process.env['PATH'] ?? '';
    // Tests have the PATH of the agent's user, which is told apart where the agent runs under a Node of its own.
    const pathOf = (first: string): Record<string, string> => ({
      PATH: `${first}:${path}`,
      ASSAY_USER_PATH: `${first}:${path}`,
    });
    await fleet.worker('bad', token, fleet.url, [], pathOf(broken));
    await fleet.worker('good', token, fleet.url, [], pathOf(well));

    const project = fleet.project(16, 1, 1);
    const command = { runner: 'command' as const, arguments: ['lab-toolchain', '{target}'] };
    const run = await fleet.submit(project, 16, { ...command, batching: 'single' });
    const report = await fleet.settled(run);
    expect(report.run).toMatchObject({ verdict: 'passed', tasks: { total: 16, verdicts: { passed: 16 } } });

    const { tasks } = await fleet.client.listTasks(run, { limit: 100 });
    const onBad = tasks.flatMap(({ attempts }) => attempts).filter(({ workerName }) => workerName === 'bad');
    expect(onBad.length).toBeGreaterThan(0);
    expect(onBad.length).toBeLessThanOrEqual(5);
    for (const { verdict, failure } of onBad)
      expect({ verdict, class: failure?.class, code: failure?.code }).toEqual({
        verdict: 'errored',
        class: 'infrastructure',
        code: 'EXECUTION_FAILED',
      });
    const bad = onBad[0]?.worker ?? '';
    const { circuits } = await fleet.client.listCircuits({ worker: bad, state: 'open' });
    expect(circuits).toMatchObject([{ circuit: `worker:${bad}`, label: 'worker bad', health: 0 }]);
    expect(circuits[0]?.evidence.length).toBeGreaterThan(0);
    expect(moves(`worker:${bad}`)).toEqual(['closed open']);
    expect(await runAssay(fleet, ['circuits'])).toMatch(new RegExp(`worker:${bad} +open .*worker bad`));
    expect(await runAssay(fleet, ['workers'])).toContain(`bad: worker:${bad} is open`);
  },
  120_000,
);
