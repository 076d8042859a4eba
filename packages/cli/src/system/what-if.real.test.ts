// Real processes: a run of commands over two workers is played again from the coordinator's journal, beside what was recorded;
// a worker that left since is still in it. And what was learned of the suite's durations is told as calibration.
import type { Suite } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ended, FleetUnderTest, runAssay, until } from './fleet-under-test.ts';

type Measured = { workers: number; makespanMs: number; waitMedianMs: number; waitP95Ms: number; utilisation: number };
type WhatIf = {
  used: { kind: string; first: number; last: number; reason?: string };
  tasks: number;
  leftOut: number;
  recorded: Measured | null;
  simulated: (Measured & { policy: string })[];
};

const tasks = 6;
const sleepMs = 300;
let fleet: FleetUnderTest;
beforeEach(async () => {
  fleet = new FleetUnderTest();
  await fleet.up();
}, 60_000);
afterEach(() => fleet.close(), 60_000);

test('what-if plays a run from the journal on the workers as they were; calibration says how good predictions were', async () => {
  const token = await fleet.workerToken();
  const first = await fleet.worker('first', token);
  await fleet.worker('second', token);
  const suite = { runner: 'command' as const, batching: 'single' as const, name: 'sleeps' };
  const command = [process.execPath, '-e', `setTimeout(() => {}, ${sleepMs}) // {target}`];
  const run = await fleet.submit(fleet.project(tasks, 1, 0), tasks, { ...suite, arguments: command });
  await fleet.settled(run);
  expect((await fleet.client.readRun(run)).verdict).toBe('passed');
  // It is gone when the question is asked: only the journal still knows it.
  await ended(first, 'SIGTERM');
  await until('the first worker is gone', async () => {
    const { workers } = await fleet.client.listWorkers();
    return workers.some(({ name, state }) => name === 'first' && state !== 'lost') ? null : true;
  });

  const asked = ['what-if', '--run', run, '--add-workers', '4', '--like', 'first', '--json'];
  const found = JSON.parse(await runAssay(fleet, asked)) as WhatIf;
  expect(found).toMatchObject({ used: { kind: 'journal', first: 1 }, tasks, leftOut: 0, recorded: { workers: 2 } });
  const { recorded, simulated } = found;
  // Six of at least 300 ms on two slots take at least three in a row; of all that time nothing can be more than used.
  expect(recorded?.makespanMs).toBeGreaterThanOrEqual(3 * sleepMs);
  expect(recorded?.utilisation).toBeGreaterThan(0.2);
  expect(recorded?.utilisation).toBeLessThanOrEqual(1);
  expect(recorded?.waitP95Ms).toBeGreaterThanOrEqual(2 * sleepMs);
  const names = ['expected-finish', 'round-robin', 'least-loaded', 'cache-affinity'];
  expect(simulated.map(({ policy, workers }) => `${policy} ${workers}`)).toEqual([
    ...names.map((name) => `${name} 2`),
    ...names.map((name) => `${name} 6`),
  ]);
  for (const { makespanMs } of simulated) expect(makespanMs).toBeGreaterThanOrEqual(sleepMs);
  // What it says of the policy that ran is near what happened, and a slot for each task ends it sooner.
  const [same, , , , more] = simulated;
  expect(same!.makespanMs).toBeGreaterThanOrEqual(3 * sleepMs);
  expect(same!.makespanMs).toBeLessThan(recorded!.makespanMs * 1.5);
  expect(more!.makespanMs).toBeLessThan(same!.makespanMs * 0.7);

  const text = await runAssay(fleet, ['what-if', '--run', run, '--policy', 'round-robin']);
  expect(text).toMatch(/^6 tasks with what they really took, from the journal \(entries 1 to \d+\)/);
  expect(text).toMatch(/as recorded +2 /);
  expect(text).toMatch(/round-robin +2 /);

  // More may come to this one, so it is not over, and the journal cannot have all of it: what is stored is used, and said.
  const open = await submitOpen(command);
  await fleet.inTheMiddle(open, tasks);
  const stored = await until('the results have the run', async () => {
    const answer = JSON.parse(await runAssay(fleet, ['what-if', '--run', open, '--json'])) as WhatIf;
    return answer.tasks === tasks ? answer : null;
  });
  expect(stored).toMatchObject({ used: { kind: 'results', reason: 'the run is not over' }, recorded: null });
  expect(stored.simulated.map(({ workers }) => workers)).toEqual([1, 1, 1, 1]);

  const calibration = JSON.parse(await runAssay(fleet, ['calibration', '--json'])) as { suites: object[] };
  expect(calibration.suites).toEqual([
    {
      project: 'system',
      suite: 'sleeps',
      tasks: expect.any(Number),
      medianRatio: expect.any(Number),
      p90Error: expect.any(Number),
    },
  ]);
  const [learned] = calibration.suites as { tasks: number; medianRatio: number; p90Error: number }[];
  expect(learned?.tasks).toBeGreaterThanOrEqual(tasks);
  expect(learned?.p90Error).toBeGreaterThanOrEqual(1);
  expect(await runAssay(fleet, ['calibration'])).toMatch(/system +sleeps +\d+ +\d+\.\d\d +x \d+\.\d\d/);
}, 120_000);

/** The same commands in a run that is not sealed. */
async function submitOpen(command: string[]): Promise<string> {
  const suite: Suite = {
    name: 'sleeps',
    runner: 'command',
    directory: '',
    arguments: command,
    env: {},
    secrets: [],
    timeoutMs: 60_000,
    noOutputTimeoutMs: 0,
    requires: '',
    retries: 0,
    batching: 'single',
  };
  const source = { kind: 'directory' as const, path: fleet.project(tasks, 1, 0) };
  const rest = { name: 'open', project: 'system', priority: 0, failFast: false, unplaceable: 'wait' as const };
  const list = Array.from({ length: tasks }, (_, file) => ({ suite: 0, target: `test/file-${file}.test.mjs` }));
  const submission = { idempotencyKey: 'not-sealed-yet', run: { ...rest, source, suites: [suite] }, tasks: list };
  return (await fleet.client.submitRun({ ...submission, sealed: false })).run;
}
