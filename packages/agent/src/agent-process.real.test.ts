// Agents as real processes, ended in every way that a process can end.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attemptKey, settledBy } from './session/session.ts';
import { isAlive, TestBench } from './agent-test-bench.ts';
import { ScriptedCoordinator } from './link/scripted-coordinator.ts';

let bench: TestBench;
let coordinator: ScriptedCoordinator;

beforeEach(async () => {
  bench = new TestBench();
  coordinator = await ScriptedCoordinator.start();
});

afterEach(async () => {
  await bench.clean();
  await coordinator.stop();
});

const pidOf = (name: string): number => Number(readFileSync(join(bench.home, `${name}.up`), 'utf8'));

test('an agent that is killed in the middle of a batch accounts for all of it at its next start, and leaves no process behind', async () => {
  const first = bench.spawn(bench.options(coordinator));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  coordinator.send([bench.assignment({ fine: 'echo ok', stuck: bench.waiting('stuck'), later: 'echo never' })]);
  await coordinator.until(
    'the second runs',
    () => bench.isUp('stuck') && coordinator.reportsOf('started').length === 2,
  );
  await coordinator.until('the first finished', () => coordinator.reportsOf('finished').length === 1);
  const stuck = pidOf('stuck');
  first.child.kill('SIGKILL');
  await first.exited;
  expect(isAlive(stuck)).toBe(true);

  bench.spawn(bench.options(coordinator));
  await coordinator.until('hello again', () => coordinator.hellos.length === 2);
  const [before, after] = coordinator.hellos;
  expect(after!.worker).toBe(before!.worker);
  expect(after!.incarnation).not.toBe(before!.incarnation);
  // The first may be held too: the kill can come before the acknowledgement of its result was read.
  expect(after!.held.map((ref) => ref.task)).toEqual(expect.arrayContaining(['r-1.1', 'r-1.2']));
  await coordinator.until(
    'all is accounted for',
    () => coordinator.reportsOf('finished').length === 2 && coordinator.reportsOf('returned').length === 1,
  );
  expect(coordinator.reportsOf('finished')[1]).toMatchObject({
    task: 'r-1.1',
    outcome: { verdict: 'errored', failure: { class: 'infrastructure', code: 'WORKER_RESTARTED' } },
  });
  expect(coordinator.reportsOf('returned')[0]).toMatchObject({
    attempts: [{ task: 'r-1.2', attempt: 1 }],
    reason: 'restarted',
  });
  if (process.platform === 'linux') expect(isAlive(stuck)).toBe(false);
  expect(coordinator.violations).toEqual([]);
});

test('killed again and again while results pile up, no attempt is lost, told twice or given a number twice', async () => {
  coordinator.accepts = false;
  coordinator.options.welcome = { reportWindow: 5 };
  const assigned: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const agent = bench.spawn(bench.options(coordinator));
    await coordinator.until('hello', () => coordinator.hellos.length === round + 1);
    for (let index = 0; index < 2; index += 1) {
      const assign = bench.assignment({ a: 'true', b: 'echo x', c: 'exit 1', d: 'sleep 0.05', e: 'true' });
      assigned.push(...assign.tasks.map((task) => attemptKey(task)));
      coordinator.send([assign]);
    }
    // A moment that differs with every round, and is not chosen for anything.
    await new Promise((resolve) => setTimeout(resolve, 60 + 70 * round));
    agent.child.kill('SIGKILL');
    await agent.exited;
  }
  coordinator.accepts = true;
  bench.spawn(bench.options(coordinator));
  const settled = (): string[] => coordinator.reports.flatMap(settledBy).map(attemptKey);
  await coordinator.until('the last hello', () => coordinator.hellos.length === 6);
  const held = new Set(coordinator.hellos[5]!.held.map(attemptKey));
  await coordinator.until('all that was held is settled', () => [...held].every((key) => settled().includes(key)));
  // An assignment that the kill overtook on the wire never arrived, and is not held: the engine gives it out again.
  expect(held.size).toBeGreaterThan(assigned.length / 2);
  for (const key of held) expect(assigned).toContain(key);
  expect(new Set(settled()).size).toBe(settled().length);
  const seqs = coordinator.reports.map((report) => report.seq);
  expect(new Set(seqs).size).toBe(seqs.length);
  expect(coordinator.violations).toEqual([]);
});

test('SIGTERM finishes what runs, returns what has not started, says goodbye and exits 0', async () => {
  const agent = bench.spawn(bench.options(coordinator, { slots: 1 }));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  coordinator.send([
    bench.assignment({ runs: bench.waiting('runs'), next: 'true' }),
    bench.assignment({ waits: 'true' }),
  ]);
  await coordinator.until('it runs', () => bench.isUp('runs'));
  agent.child.kill('SIGTERM');
  await coordinator.until('the rest came back', () => coordinator.reportsOf('returned').length === 2);
  expect(coordinator.reportsOf('returned').map((report) => report.reason)).toEqual(['draining', 'draining']);
  expect(coordinator.reportsOf('draining')).toHaveLength(1);
  bench.release('runs');
  await coordinator.until('goodbye', () => coordinator.others.some((message) => message.kind === 'goodbye'));
  expect(coordinator.reportsOf('finished').map((report) => report.outcome.verdict)).toEqual(['passed']);
  expect(await agent.exited).toBe(0);
  expect(agent.lines.at(-1)).toMatchObject({ kind: 'ended', error: null });
});

test('a second SIGTERM ends the agent and its tests at once', async () => {
  const agent = bench.spawn(bench.options(coordinator));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  coordinator.send([bench.assignment({ runs: bench.waiting('runs') })]);
  await coordinator.until('it runs', () => bench.isUp('runs'));
  const pid = pidOf('runs');
  agent.child.kill('SIGTERM');
  await coordinator.until('draining', () => coordinator.reportsOf('draining').length === 1);
  agent.child.kill('SIGTERM');
  expect(await agent.exited).toBe(0);
  expect(isAlive(pid)).toBe(false);
  // Not accounted for by this process: the next one says that it was spent.
  expect(coordinator.reportsOf('finished')).toHaveLength(0);
});

test('results that finish while the coordinator is away survive the agent, with their files', async () => {
  const first = bench.spawn(bench.options(coordinator));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  coordinator.send([bench.assignment({ runs: bench.waiting('runs') })]);
  await coordinator.until('it runs', () => bench.isUp('runs'));
  const { port } = coordinator;
  const { ackedSeq } = coordinator;
  await coordinator.stop();
  bench.release('runs');
  const spooled = join(bench.home, 'state', 'work.ndjson');
  const deadline = Date.now() + 10_000;
  while (!readFileSync(spooled, 'utf8').includes('"settled"') && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  first.child.kill('SIGKILL');
  await first.exited;
  coordinator = await ScriptedCoordinator.start({ port });
  coordinator.ackedSeq = ackedSeq;
  bench.spawn(bench.options(coordinator));
  await coordinator.until('the result', () => coordinator.reportsOf('finished').length === 1);
  const { outcome } = coordinator.reportsOf('finished')[0]!;
  expect(outcome.verdict).toBe('passed');
  expect(coordinator.blobs.get(outcome.blobs![0]!.digest)?.toString()).toBe('done\n');
});

test('two processes cannot share a state directory, and the second says so', async () => {
  bench.spawn(bench.options(coordinator));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  const second = bench.spawn(bench.options(coordinator));
  expect(await second.exited).toBe(1);
  expect(second.lines.at(-1)).toMatchObject({ kind: 'ended', error: { code: 'WORKER_STATE_IN_USE' } });
});

test('wrong settings, a wrong token and a refused pool each end the process with a code', async () => {
  const wrong = bench.spawn({ ...bench.options(coordinator), url: 'nonsense' });
  expect(await wrong.exited).toBe(1);
  expect(wrong.lines.at(-1)).toMatchObject({ error: { code: 'USAGE' } });
  const stranger = bench.spawn(bench.options(coordinator, { token: 'other' }));
  expect(await stranger.exited).toBe(1);
  expect(stranger.lines.at(-1)).toMatchObject({ error: { code: 'UNAUTHORIZED' } });
  coordinator.options.refuse = { kind: 'refused', code: 'POOL_FORBIDDEN', message: 'not this pool', isFinal: true };
  const refused = bench.spawn(bench.options(coordinator));
  expect(await refused.exited).toBe(1);
  expect(refused.lines.at(-1)).toMatchObject({ reason: 'not this pool', error: { code: 'POOL_FORBIDDEN' } });
});

test('an agent that works for a process ends when that process is gone', async () => {
  const parent = spawn('sleep', ['300'], { stdio: 'ignore' });
  const agent = bench.spawn(bench.options(coordinator, { parentPid: parent.pid! }));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  coordinator.send([bench.assignment({ runs: bench.waiting('runs') })]);
  await coordinator.until('it runs', () => bench.isUp('runs'));
  const pid = pidOf('runs');
  const gone = new Promise((resolve) => parent.once('exit', resolve));
  parent.kill('SIGKILL');
  await gone;
  await agent.exited;
  expect(agent.lines.at(-1)).toMatchObject({ kind: 'ended', reason: 'its parent is gone' });
  expect(isAlive(pid)).toBe(false);
});
