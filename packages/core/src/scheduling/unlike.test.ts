// Machines that are unlike: what is learned of them, what it changes, and what is said of it.
import { expect, test } from 'vitest';
import { viewCalibration } from './calibration.ts';
import { predictOn } from './predict.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { Fleet } from '../testing/fleet.ts';
import type { FleetWorker } from '../testing/fleet.ts';
import { Lab, only, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';

const kind = (name: string, cpus: number): NonNullable<Parameters<Lab['join']>[1]> => ({
  profile: profileOf({ cpu: { count: cpus, isa: ['avx2'] } }),
  profileDigest: `profile-${name}`,
  declared: { kind: name },
});
const quick = kind('quick', 16);
const slow = kind('slow', 2);

/** Both kinds have done every test: the slow one takes ten times as long, but for the odd one, which it does in no time. */
function learned(odd?: string): Lab {
  const lab = new Lab();
  lab.join('quick-1', quick);
  lab.join('slow-1', slow);
  for (const [worker, factor] of [
    ['quick-1', 1],
    ['slow-1', 10],
  ] as const) {
    const requires = `declared.kind == "${worker.split('-')[0]}"`;
    const run = lab.submit(tasksOf(8), { suites: [suiteOf({ requires })] });
    while (lab.held(worker).length > 0) {
      const [ref] = lab.held(worker);
      const { target } = lab.engine.state.runs.get(run)!.tasks[Number(ref!.task.split('.')[1])]!;
      const costMs = target === odd ? (factor === 1 ? 50_000 : 50) : 1_000 * factor;
      lab.finish(worker, ref!, { costMs });
    }
  }
  return lab;
}

const placed = (lab: Lab): string[] =>
  only(lab.journal.at(-1)!.events, 'tasksAssigned').map(({ worker, tasks }) => `${tasks[0]!.index} on ${worker}`);

test('a slow worker is left out where a fast one is done sooner, its present work included, and the task says so', () => {
  const lab = learned();
  lab.submit(tasksOf(2));
  expect(placed(lab)).toEqual(['0 on quick-1']);
  lab.submit(tasksOf(40));
  // With so much to do, the slow one helps.
  expect(placed(lab)[0]).toMatch(/on slow-1$/);
});

test('a long task that is kept for a fast worker does not keep tasks behind it of which nothing is known', () => {
  const lab = learned();
  const [busy, kept, unknown] = ['busy', 'long', 'never seen'].map((target) => tasksOf([target])[0]!);
  lab.submit([{ ...busy!, expectedMs: 20_000 }]);
  expect(placed(lab)).toEqual(['0 on quick-1']);
  lab.submit([{ ...kept!, expectedMs: 60_000 }]);
  expect(only(lab.journal.at(-1)!.events, 'tasksAssigned')).toEqual([]);
  lab.submit([{ ...kept!, expectedMs: 60_000 }, unknown!], { project: 'project' });
  expect(placed(lab)).toEqual(['1 on slow-1']);
});

test('a worker that becomes another kind of machine is given what was kept from it, with as many slots as before', () => {
  const lab = learned();
  lab.join('slow-2', slow);
  const [busy, kept] = ['busy', 'long'].map((target) => ({ ...tasksOf([target])[0]!, expectedMs: 60_000 }));
  lab.submit([busy!]);
  expect(placed(lab)).toEqual(['0 on quick-1']);
  lab.submit([kept!]);
  expect(placed(lab)).toEqual([]);
  // As after an update of its driver: in one step, so that the slots of the fleet are those that the run was planned with.
  lab.join('slow-2', { ...quick, profileDigest: 'profile-quick-after-an-update' });
  expect(placed(lab)).toEqual(['0 on slow-2']);
});

test('a task that is peculiar about its machine goes to a class that an alternative opened since its run was planned', () => {
  const lab = learned('t3');
  const [busy, other] = ['busy', 'other'].map((target) => ({ ...tasksOf([target])[0]!, expectedMs: 60_000 }));
  lab.submit([busy!], { suites: [suiteOf({ requires: 'declared.kind == "quick"' })] });
  expect(placed(lab)).toEqual(['0 on quick-1']);
  const first = suiteOf({
    requires: 'declared.kind == "quick"',
    alternatives: [{ requires: 'declared.kind == "slow"', afterMs: 1_000 }],
  });
  lab.submit([tasksOf(['t3'])[0]!, { ...other!, suite: 1 }], {
    suites: [first, suiteOf({ name: 'other', requires: 'declared.kind in ["quick", "slow"]' })],
  });
  expect(placed(lab)).toEqual(['1 on slow-1']);
  expect(only(lab.wait(2_000), 'alternativeOpened')).toHaveLength(1);
  lab.finish('slow-1', lab.held('slow-1')[0]!, { costMs: 2_000 });
  expect(placed(lab)).toEqual(['0 on slow-1']);
});

test('a suite that only workers fit which are gone has no part in when the rest of its run is over', () => {
  const lab = learned();
  lab.join('third-1', kind('third', 4));
  lab.cut('third-1');
  lab.submit(
    tasksOf(8).map((task, index) => ({ ...task, suite: index % 2 })),
    {
      suites: [suiteOf(), suiteOf({ name: 'other', requires: 'declared.kind == "third"' })],
    },
  );
  const plans = only(lab.journal.at(-1)!.events, 'runPlanned');
  expect(plans.map(({ classes }) => classes.length)).toEqual([2]);
  // What the journal says is what was decided by: JSON has no word for Infinity.
  expect(JSON.parse(JSON.stringify(plans))).toEqual(plans);
  expect(plans[0]?.endsAtMs).toBeLessThan(lab.nowMs + 60_000);
});

test('it gets the task after all when the fast one is stuck', () => {
  const lab = learned();
  lab.submit(tasksOf(2));
  lab.start('quick-1', lab.held('quick-1')[0]!);
  expect(only(lab.wait(8_000), 'tasksAssigned')).toEqual([]);
  expect(only(lab.wait(60_000), 'tasksAssigned').map(({ worker }) => worker)).toEqual(['slow-1']);
});

test('a test that is peculiar about its machine goes where it is quick, whatever the suite says', () => {
  const lab = learned('t3');
  lab.submit(tasksOf(8));
  expect(placed(lab).toSorted()).toContain('3 on slow-1');
  const [first] = only(lab.journal.at(-1)!.events, 'tasksAssigned').filter(({ worker }) => worker === 'slow-1');
  // Its own history, leaning a little on what the suite's speeds say.
  expect(first?.tasks[0]?.expectedMs).toBeGreaterThan(40);
  expect(first?.tasks[0]?.expectedMs).toBeLessThan(80);
});

test('a new class borrows from the one that it is like', () => {
  const lab = learned();
  lab.join('twin', {
    ...slow,
    profileDigest: 'profile-slow-after-an-update',
    profile: profileOf({ cpu: { count: 2, isa: ['avx', 'avx2'] } }),
  });
  const run = lab.submit(tasksOf(['never seen']), { suites: [suiteOf({ requires: 'declared.kind == "none"' })] });
  const { state } = lab.engine;
  const { lanes, tasks } = state.runs.get(run)!;
  const on = (worker: string) =>
    predictOn(state, lab.config, lanes[0]!, tasks[0]!, state.workers.get(worker as never)!.class);
  expect(on('twin').ms / on('slow-1').ms).toBeGreaterThan(0.6);
  expect(on('twin').ms / on('quick-1').ms).toBeGreaterThan(4);
  expect(on('twin').basis).toBe('suite');
});

test('what is learned survives a snapshot: the restored engine predicts and places alike', () => {
  const lab = learned('t3');
  const restored = restore(snapshot(lab.engine.state));
  expect(snapshot(restored)).toBe(snapshot(lab.engine.state));
  expect(restored.machines.size).toBe(2);
});

test('predictions are held against what came true', () => {
  const lab = learned();
  for (let turn = 0; turn < 20; turn += 1) {
    lab.submit(tasksOf(1), { suites: [suiteOf({ requires: 'declared.kind == "quick"' })] });
    lab.finish('quick-1', lab.held('quick-1')[0]!, { costMs: 2_000 });
    lab.submit(tasksOf(1), { suites: [suiteOf({ requires: 'declared.kind == "quick"' })] });
    lab.finish('quick-1', lab.held('quick-1')[0]!, { costMs: 1_000 });
  }
  const [calibration] = viewCalibration(lab.engine.state);
  expect(calibration).toMatchObject({ project: 'project', suite: 'unit', count: 56 });
  expect(calibration!.medianRatio).toBeGreaterThan(0.6);
  expect(calibration!.medianRatio).toBeLessThan(1.7);
  expect(calibration!.p90Factor).toBeGreaterThan(1.3);
});

test('a placed task says whom it went before, and why', () => {
  const lab = learned();
  lab.submit(tasksOf(1));
  const [assigned] = only(lab.journal.at(-1)!.events, 'tasksAssigned');
  expect(assigned?.placement.rule).toMatch(
    /^longest expected first, where it is expected to finish first; before slow-1 \(slower: 9\d\d\d ms against 10\d\d\)$/,
  );
});

test('identical workers share evenly, also when there is little to do', () => {
  const workers: FleetWorker[] = Array.from({ length: 4 }, (_, at) => ({ name: `w${at}`, hello: {} }));
  const fleet = new Fleet({ workers, slots: 1, realMs: () => 100, startupMs: 0 });
  const busy = new Map<string, number>();
  for (let turn = 0; turn < 40; turn += 1)
    for (const [worker, ms] of fleet.run(tasksOf([`only ${turn}`])).busyMs)
      busy.set(worker, (busy.get(worker) ?? 0) + ms);
  expect([...busy.values()]).toEqual([1_000, 1_000, 1_000, 1_000]);
});

test.each(['expected-finish', 'least-loaded', 'round-robin', 'cache-affinity'] as const)(
  '%s places everything',
  (policy) => {
    const fleet = new Fleet({
      workers: 3,
      slots: 2,
      realMs: () => 100,
      startupMs: 10,
      config: { placement: { policy } },
    });
    expect(fleet.run(tasksOf(50), { suites: [suiteOf({ batching: 'shared' })] }).busyMs.size).toBe(3);
  },
);

test('the expected finish beats taking turns where machines are unlike', () => {
  const workers: FleetWorker[] = [
    { name: 'quick-1', hello: quick },
    { name: 'slow-1', hello: slow },
    { name: 'slow-2', hello: slow },
  ];
  const [byFinish, inTurn] = (['expected-finish', 'round-robin'] as const).map((policy) => {
    const realMs = (_: string, worker: string): number => (worker.startsWith('quick') ? 500 : 5_000);
    const fleet = new Fleet({ workers, slots: 1, realMs, startupMs: 0, config: { placement: { policy } } });
    fleet.run(tasksOf(60));
    return fleet.run(tasksOf(31)).makespanMs;
  });
  expect(byFinish! / inTurn!).toBeLessThan(0.95);
});
