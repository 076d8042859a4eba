// A real agent in this process against a real server: commands are really run, bundles unpacked, links cut.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Assign, AttemptRef } from '@assay/protocol';
import { suite, TestBench } from './agent-test-bench.ts';
import { startAgent } from './index.ts';
import type { Agent, AgentOptions } from './index.ts';
import { ScriptedCoordinator } from './link/scripted-coordinator.ts';

let bench: TestBench;
let coordinator: ScriptedCoordinator;
let notes: string[];
const agents: Agent[] = [];

beforeEach(async () => {
  bench = new TestBench();
  notes = [];
  coordinator = await ScriptedCoordinator.start();
});

afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.kill('the test is over');
    await agent.done;
  }
  await coordinator.stop();
  await bench.clean();
});

/** Started and greeted. */
async function start(options: Partial<AgentOptions> = {}): Promise<Agent> {
  const agent = await startAgent(
    bench.options(coordinator, { say: (level, text) => notes.push(`${level}: ${text}`), ...options }),
  );
  agents.push(agent);
  await coordinator.until('hello', () => coordinator.hellos.length > 0);
  return agent;
}

const refs = (assign: Assign): AttemptRef[] => assign.tasks.map(({ task, attempt }) => ({ task, attempt }));
const verdicts = (): string[] => coordinator.reportsOf('finished').map((report) => report.outcome.verdict);
const failureOf = (index: number) => coordinator.reportsOf('finished')[index]!.outcome.failure;

/** A bundle of a directory with these files. */
function bundle(files: Record<string, string>): string {
  const directory = join(bench.home, `bundle-${Math.random().toString(36).slice(2)}`);
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const content = execFileSync('tar', ['-cz', '-C', directory, '.']);
  return coordinator.addBlob(content);
}

const bundled = (digest: string, setup: string[][] = []): Partial<Assign> => ({
  source: { kind: 'bundle', digest, setup } as Assign['source'],
});

test('a batch is run, and its cases, verdicts and output reach the coordinator in order', async () => {
  await start();
  const assign = bench.assignment({ good: 'echo fine', bad: 'echo broken >&2; exit 3' });
  coordinator.send([assign]);
  await coordinator.until('both finished', () => coordinator.reportsOf('finished').length === 2);
  expect(verdicts()).toEqual(['passed', 'failed']);
  expect(coordinator.reportsOf('started')).toHaveLength(2);
  expect(coordinator.reportsOf('cases').flatMap((report) => report.cases)).toHaveLength(2);
  const blob = coordinator.reportsOf('finished')[1]!.outcome.blobs?.find((one) => one.name === 'stderr.log');
  expect(coordinator.blobs.get(blob!.digest)?.toString()).toContain('broken');
  expect(readdirSync(join(bench.home, 'state', 'outbox'))).toEqual([]);
  await coordinator.until('live output', () =>
    coordinator.others.some((message) => message.kind === 'output' && message.text.includes('fine')),
  );
  expect(coordinator.violations).toEqual([]);
});

test('what finishes while the link is cut is delivered once after it is back', async () => {
  await start();
  coordinator.send([bench.assignment({ waits: bench.waiting('waits') })]);
  await coordinator.until('started', () => coordinator.reportsOf('started').length === 1);
  coordinator.cut();
  await coordinator.until('cut', () => !coordinator.isLinked);
  bench.release('waits');
  await coordinator.until('hello again', () => coordinator.hellos.length >= 2);
  expect(coordinator.hellos[1]!.held).toHaveLength(1);
  await coordinator.until('finished', () => verdicts().length === 1);
  expect(verdicts()).toEqual(['passed']);
  expect(coordinator.violations).toEqual([]);
});

test('what was sent and never acknowledged is sent again after the next welcome', async () => {
  await start();
  coordinator.accepts = false;
  coordinator.send([bench.assignment({ one: 'true' })]);
  await coordinator.until(
    'its output',
    () =>
      existsSync(join(bench.home, 'state', 'spool')) &&
      readFileSync(join(bench.home, 'state', 'work.ndjson'), 'utf8').includes('settled'),
  );
  coordinator.accepts = true;
  expect(coordinator.reports).toEqual([]);
  coordinator.cut();
  await coordinator.until('finished', () => verdicts().length === 1);
  expect(coordinator.reports.map((report) => report.kind)).toEqual(['started', 'cases', 'finished']);
});

test.each([
  ['is not JSON', '{{{'],
  ['is not a frame', '{"kind":"ack","seq":1}'],
  ['has an unknown message', '[{"kind":"explode"}]'],
  ['is too large', `[${' '.repeat(5 * 1024 * 1024)}]`],
  ['is binary', Buffer.from('[]')],
])('a frame that %s closes the link, and the agent comes back', async (_what, frame) => {
  await start();
  coordinator.sendRaw(frame);
  await coordinator.until('hello again', () => coordinator.hellos.length === 2);
  expect(notes.join('\n')).toMatch(/BAD_FRAME|1009|1006|Max payload/);
  coordinator.send([bench.assignment({ one: 'true' })]);
  await coordinator.until('finished', () => verdicts().length === 1);
});

test('a coordinator that falls silent is left and sought again', async () => {
  coordinator.options.welcome = { silentAfterMs: 300 };
  coordinator.heartbeats = false;
  await start();
  await coordinator.until('hello again', () => coordinator.hellos.length >= 2);
  expect(notes.join('\n')).toContain('silent for 300 ms');
});

test('the agent heartbeats with what it runs and what memory it has', async () => {
  await start();
  coordinator.send([bench.assignment({ waits: bench.waiting('waits') })]);
  const heartbeat = () => coordinator.others.findLast((message) => message.kind === 'heartbeat');
  await coordinator.until('a heartbeat that counts it', () => heartbeat()?.running === 1);
  expect(heartbeat()!.residentMiB).toBeGreaterThan(10);
});

test('the agent tells what moves by itself now and then, and where it is told not to, never', async () => {
  await start({ readingsMs: 50, name: 'tells' });
  const told = () => coordinator.others.filter((message) => message.kind === 'readings');
  await coordinator.until('three readings', () => told().length >= 3);
  agents[0]!.kill('enough');
  await agents[0]!.done;
  const before = told().length;
  await start({ readingsMs: 0, stateDir: join(bench.home, 'silent') });
  const beats = () => coordinator.others.filter((message) => message.kind === 'heartbeat').length;
  const from = beats();
  await coordinator.until('it has long been there', () => beats() > from + 3);
  expect(told()).toHaveLength(before);
});

test('more assignments than slots never run at once: as many wait, the rest goes back', async () => {
  await start({ slots: 1 });
  const assigns = ['a', 'b', 'c'].map((name) => bench.assignment({ [name]: bench.waiting(name) }));
  coordinator.send(assigns);
  await coordinator.until('the third is returned', () => coordinator.reportsOf('returned').length === 1);
  expect(coordinator.reportsOf('returned')[0]).toMatchObject({ attempts: refs(assigns[2]!), reason: 'misfit' });
  await coordinator.until('the first runs', () => bench.isUp('a'));
  expect(bench.isUp('b')).toBe(false);
  bench.release('a');
  await coordinator.until('the second runs', () => bench.isUp('b'));
  bench.release('b');
  await coordinator.until('both finished', () => verdicts().length === 2);
  expect(bench.isUp('c')).toBe(false);
});

test('what has not started can be taken back, and what runs cannot', async () => {
  await start({ slots: 1 });
  const running = bench.assignment({ a: bench.waiting('a'), b: 'true' });
  const waiting = bench.assignment({ c: 'true' });
  coordinator.send([running, waiting]);
  await coordinator.until('it runs', () => bench.isUp('a'));
  coordinator.send(
    [running, waiting].map((assign) => ({ kind: 'takeBack', assignment: assign.assignment, attempts: refs(assign) })),
  );
  await coordinator.until(
    'two are back',
    () => coordinator.reportsOf('returned').flatMap((report) => report.attempts).length === 2,
  );
  expect(coordinator.reportsOf('returned').every((report) => report.reason === 'takenBack')).toBe(true);
  bench.release('a');
  await coordinator.until('it finished', () => verdicts().length === 1);
  expect(verdicts()).toEqual(['passed']);
});

test('a cancel ends what runs and what waits, each as canceled', async () => {
  await start({ slots: 1 });
  const running = bench.assignment({ a: bench.waiting('a') });
  const waiting = bench.assignment({ b: 'true' });
  coordinator.send([running, waiting]);
  await coordinator.until('it runs', () => bench.isUp('a'));
  coordinator.send([{ kind: 'cancel', attempts: [...refs(running), ...refs(waiting)], reason: 'enough' }]);
  await coordinator.until('both are over', () => verdicts().length === 2);
  expect(verdicts()).toEqual(['canceled', 'canceled']);
});

test('what the coordinator abandons is ended without a report', async () => {
  await start();
  const assign = bench.assignment({ a: bench.waiting('a') });
  coordinator.send([assign]);
  await coordinator.until('it runs', () => bench.isUp('a'));
  coordinator.options.welcome = { abandon: refs(assign) };
  coordinator.cut();
  await coordinator.until('hello again', () => coordinator.hellos.length === 2);
  coordinator.send([bench.assignment({ b: 'true' })]);
  await coordinator.until('the next one finished', () => verdicts().length === 1);
  expect(coordinator.reportsOf('finished')[0]!.task).toBe('r-2.0');
});

test('a directory is refused by a worker that was not started for it', async () => {
  await start({ allowDirectories: false });
  coordinator.send([bench.assignment({ a: 'true', b: 'true' })]);
  await coordinator.until('both are over', () => verdicts().length === 2);
  expect(failureOf(0)).toMatchObject({
    class: 'infrastructure',
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('bundles only'),
  });
});

test('a bundle is fetched and set up once for many batches, and kept for the next agent', async () => {
  const digest = bundle({ 'a.sh': 'cat made-by-setup', 'b.sh': 'true' });
  const setup = [['sh', '-c', `echo set up >> ${join(bench.home, 'setups')}; echo yes > made-by-setup`]];
  const agent = await start({ allowDirectories: false });
  const assigns = [0, 1].map(() => bench.assignment({ a: '', b: '' }, bundled(digest, setup)));
  coordinator.send(assigns);
  await coordinator.until('all finished', () => verdicts().length === 4);
  expect(new Set(verdicts())).toEqual(new Set(['passed']));
  agent.drain('done');
  await agent.done;
  coordinator.blobs.clear();
  await start({ allowDirectories: false });
  await coordinator.until('hello again', () => coordinator.hellos.length === 2);
  coordinator.send([bench.assignment({ a: '' }, bundled(digest, setup))]);
  await coordinator.until('it finished', () => verdicts().length === 5);
  expect(verdicts()[4]).toBe('passed');
  expect(readFileSync(join(bench.home, 'setups'), 'utf8')).toBe('set up\n');
});

test('a set-up that fails fails its attempts as infrastructure, with its output, and is tried again by the next batch', async () => {
  const digest = bundle({ 'a.sh': 'true' });
  const setup = [['sh', '-c', `echo no compiler here; test -e ${join(bench.home, 'fixed')}`]];
  await start();
  coordinator.send([bench.assignment({ a: '' }, bundled(digest, setup))]);
  await coordinator.until('it is over', () => verdicts().length === 1);
  expect(failureOf(0)).toMatchObject({
    class: 'infrastructure',
    code: 'SETUP_FAILED',
    message: expect.stringContaining('no compiler here'),
  });
  writeFileSync(join(bench.home, 'fixed'), '');
  coordinator.send([bench.assignment({ a: '' }, bundled(digest, setup))]);
  await coordinator.until('the next is over', () => verdicts().length === 2);
  expect(verdicts()[1]).toBe('passed');
});

test('a bundle that is missing, or is not what its digest says, is refused with the reason', async () => {
  await start();
  const missing = '0'.repeat(64);
  coordinator.blobs.set('1'.repeat(64), Buffer.from('other'));
  coordinator.send([missing, '1'.repeat(64)].map((digest) => bench.assignment({ a: '' }, bundled(digest))));
  await coordinator.until('both are over', () => verdicts().length === 2);
  const messages = [failureOf(0), failureOf(1)]
    .map((failure) => `${failure?.code} ${failure?.message}`)
    .sort()
    .join('\n');
  expect(messages).toContain('status 404');
  expect(messages).toContain('came with the digest');
  expect(messages.match(/SOURCE_UNAVAILABLE/g)).toHaveLength(2);
});

test('a test that prints without end costs the watchers a bounded part, and says so', async () => {
  await start();
  coordinator.send([
    bench.assignment({ loud: 'yes "a line of output" | head -c 3000000' }, { suite: { ...suite, name: 'loud' } }),
  ]);
  await coordinator.until('it finished', () => verdicts().length === 1, 30_000);
  const shown = coordinator.others.flatMap((message) => (message.kind === 'output' ? [message.text] : [])).join('');
  expect(shown.length).toBeLessThan(400_000);
  expect(shown).toContain('live output left out');
});
