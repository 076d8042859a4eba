// Stories of gangs where circuits are not closed: what one keeps for itself, and who proves what only gangs use.
import type { CircuitScope, TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import type { BreakerState } from '../circuits/breaker-state.ts';
import type { Event } from '../engine/events.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { Lab, only, suiteOf, tasksOf } from '../testing/lab.ts';
import { explainTask } from './explain.ts';

const pair = suiteOf({ name: 'pair', gang: { size: 2, spread: 'slots' } });
const kind: CircuitScope = { kind: 'task', project: 'project', suite: 'pair' };
const by = { actor: 'ada', reason: 'look' };

const open = (lab: Lab, scope: CircuitScope): Event[] =>
  lab.step({ kind: 'forceCircuit', scope, to: 'open', untilMs: null, ...by });
const release = (lab: Lab, circuit: string): Event[] => lab.step({ kind: 'releaseCircuit', circuit, ...by });
const placed = (events: readonly Event[]): string[] =>
  only(events, 'tasksAssigned').map(({ run, tasks, worker }) => `${run}.${tasks[0]!.index} on ${worker}`);
const breakerOf = (lab: Lab, circuit: string): BreakerState =>
  lab.engine.state.circuits.get(circuit as never)!.breaker.state;

function fleet(slots: number, names = ['w1', 'w2']): Lab {
  const lab = new Lab();
  for (const name of names) lab.join(name, { slots });
  return lab;
}

test('a gang of the kind of work that a half-open circuit doubts is its probe: nobody else could ever be', () => {
  const lab = fleet(1);
  open(lab, kind);
  expect(placed(lab.submit(tasksOf(6), { suites: [pair] }) && lab.journal.at(-1)!.events)).toEqual([]);
  const events = release(lab, 'task:project/pair');
  expect(placed(events)).toEqual(['r-1.0 on w1', 'r-1.1 on w2']);
  expect(only(events, 'tasksAssigned').map(({ probes }) => probes)).toEqual([
    ['task:project/pair'],
    ['task:project/pair'],
  ]);
  // All of it is one probe, also for an engine that was restored from here.
  expect(breakerOf(lab, 'task:project/pair')).toMatchObject({ permits: [{}], successes: 0 });
  expect(snapshot(restore(snapshot(lab.engine.state)))).toBe(snapshot(lab.engine.state));
  lab.finish('w1', lab.held('w1')[0]!);
  expect(breakerOf(lab, 'task:project/pair')).toMatchObject({ permits: [{}], successes: 0 });
  lab.finish('w2', lab.held('w2')[0]!);
  expect(breakerOf(lab, 'task:project/pair')).toMatchObject({ permits: [{}], successes: 1 });
  for (const name of ['w1', 'w2']) lab.finish(name, lab.held(name)[0]!);
  expect(breakerOf(lab, 'task:project/pair').kind).toBe('closed');
});

test('one of a gang that fails what it probed opens the circuit again, whoever else of it does well', () => {
  const lab = fleet(1);
  const driver: CircuitScope = { kind: 'classTask', class: '', project: 'project', suite: 'pair' };
  const id = lab.engine.state.workers.get('w1' as WorkerId)!.class.id;
  open(lab, { ...driver, class: id });
  const [circuit] = [...lab.engine.state.circuits.keys()];
  lab.submit(tasksOf(4), { suites: [pair] });
  expect(placed(release(lab, circuit!))).toHaveLength(2);
  lab.finish('w1', lab.held('w1')[0]!);
  lab.finish('w2', lab.held('w2')[0]!, {
    verdict: 'errored',
    failure: { class: 'driver', code: 'DRIVER_FAILED', message: 'as planted' },
  });
  expect(breakerOf(lab, circuit!).kind).toBe('open');
});

test.each([
  ['fails as a test fails', { verdict: 'failed', counts: { passed: 0, failed: 1, skipped: 0, todo: 0 } }],
  ['is skipped', { verdict: 'skipped' }],
] as const)('a gang of which the first %s proves nothing, although its last passes', (_how, first) => {
  const lab = fleet(1);
  open(lab, kind);
  lab.submit(tasksOf(8), { suites: [pair] });
  release(lab, 'task:project/pair');
  lab.finish('w1', lab.held('w1')[0]!, first);
  const restored = restore(snapshot(lab.engine.state));
  expect(snapshot(restored)).toBe(snapshot(lab.engine.state));
  lab.finish('w2', lab.held('w2')[0]!);
  expect(breakerOf(lab, 'task:project/pair')).toMatchObject({ kind: 'halfOpen', successes: 0 });
  // The permit is back: the next gang is the next probe, and what goes well altogether counts.
  for (let gang = 1; gang <= 2; gang += 1) for (const name of ['w1', 'w2']) lab.finish(name, lab.held(name)[0]!);
  expect(breakerOf(lab, 'task:project/pair').kind).toBe('closed');
});

test('a gang is nobody else’s canary: it waits for workers that are sound where there are enough of them', () => {
  const lab = fleet(2);
  lab.submit(tasksOf(2), { suites: [suiteOf({ batching: 'single' })] });
  expect([lab.held('w1').length, lab.held('w2').length]).toEqual([1, 1]);
  open(lab, { kind: 'worker', worker: 'w1' as WorkerId });
  lab.finish('w1', lab.held('w1')[0]!);
  lab.submit(tasksOf(2), { suites: [pair] });
  expect(placed(release(lab, 'worker:w1'))).toEqual([]);
  expect(placed(lab.finish('w2', lab.held('w2')[0]!))).toEqual(['r-2.0 on w2', 'r-2.1 on w2']);
});

test('a gang that a circuit stops keeps nothing from others, however long it waited', () => {
  const lab = fleet(1);
  open(lab, kind);
  lab.submit(tasksOf(2), { suites: [pair] });
  lab.wait(lab.config.gangReserveAfterMs);
  lab.submit(tasksOf(2), { suites: [suiteOf({ name: 'singles' })] });
  expect(placed(lab.journal.at(-1)!.events)).toHaveLength(2);
});

test('a gang larger than its quota can never start, and keeps nothing', () => {
  const lab = fleet(2);
  const quotas = [{ pool: '*', of: { kind: 'project' as const }, slots: 1 }];
  lab.step({ kind: 'setPolicy', policy: { weights: {}, quotas, pools: {}, keys: {} }, actor: 'ada' });
  lab.submit(tasksOf(2), { suites: [pair], project: 'large' });
  lab.wait(lab.config.gangReserveAfterMs);
  lab.submit(tasksOf(1), { suites: [suiteOf({ name: 'singles' })], project: 'small' });
  expect(placed(lab.journal.at(-1)!.events)).toHaveLength(1);
});

test('a gang whose devices no fleet here has all at once keeps nothing', () => {
  const lab = fleet(2, ['w1']);
  lab.submit(tasksOf(2), { suites: [{ ...pair, claims: [{ device: 'd.class == "cpu"', share: 1 }] }] });
  expect(placed(lab.wait(lab.config.gangReserveAfterMs))).toEqual([]);
  lab.submit(tasksOf(2), { suites: [suiteOf({ name: 'singles', batching: 'single' })] });
  expect(placed(lab.journal.at(-1)!.events)).toEqual(['r-2.0 on w1', 'r-2.1 on w1']);
  // Another processor comes, and both start.
  expect(placed(lab.join('w2', { slots: 2 }))).toEqual([]);
  expect(placed(lab.finish('w1', lab.held('w1')[0]!))).toEqual(['r-1.0 on w2', 'r-1.1 on w1']);
});

test('what waits for a gang that it is kept for says so', () => {
  const lab = fleet(1);
  lab.submit(tasksOf(1), { suites: [suiteOf()] });
  lab.submit(tasksOf(2), { suites: [pair] });
  lab.wait(lab.config.gangReserveAfterMs);
  lab.submit(tasksOf(1), { suites: [suiteOf({ name: 'singles' })] });
  const said = explainTask(lab.engine.state, lab.config, 'r-3.0' as TaskId, lab.nowMs);
  expect(said?.reasons).toContainEqual({ reason: 'kept for a gang of 2 that waits longer (run r-2)', workers: 2 });
  expect(lab.engine.state.index.keptFor.size).toBe(0);
});
