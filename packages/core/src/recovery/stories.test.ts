// Recovery through the engine's one door: fleets in which something is planted, told as stories.
import type { AttemptOutcome, Diagnosis, RunId, RunSpec, TaskId } from '@assay/protocol';
import { expect, test } from 'vitest';
import type { Event } from '../engine/events.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { viewTask } from '../engine/views.ts';
import { Lab, only, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';

const failedCounts = { passed: 0, failed: 1, skipped: 0, todo: 0 };
type Outcome = Partial<AttemptOutcome>;
const failing = (failure: NonNullable<AttemptOutcome['failure']>): Outcome => ({
  verdict: 'failed',
  counts: failedCounts,
  failure,
});
const assertion = failing({ class: 'test', code: 'TESTS_FAILED', message: 'AssertionError: 1 is not 2' });
const deviceLost = failing({
  class: 'device',
  code: 'DEVICE_LOST',
  message: 'lost',
  rule: { id: 'gpu/launch-failed', source: 'message', matched: 'CUDA error: unspecified launch failure' },
});
const xid = failing({
  class: 'device',
  code: 'GPU_FELL_OFF_BUS',
  message: 'lost',
  rule: { id: 'gpu/xid-lost', source: 'kernel', matched: 'NVRM: Xid (PCI:0000:3b:00): 79', subject: '0000:3b:00' },
});
const refused = (host: string): Outcome =>
  failing({
    class: 'infrastructure',
    code: 'CONNECTION_REFUSED',
    message: `connect ECONNREFUSED ${host}`,
    rule: { id: 'network/refused', source: 'message', matched: `connect ECONNREFUSED ${host}`, subject: host },
  });
const outOfMemory = failing({
  class: 'device',
  code: 'DEVICE_OUT_OF_MEMORY',
  message: 'CUDA out of memory',
  rule: { id: 'memory/cuda', source: 'message', matched: 'CUDA out of memory' },
});

type Plant = (at: { worker: string; target: string; suite: string; attempt: number }) => Outcome | 'dies';

/** Workers a1.. of one kind and b1.. of another, one slot each. */
function fleet(names: readonly string[], config = {}): Lab {
  const lab = new Lab(config);
  for (const name of names) {
    const kind = name[0] ?? '';
    lab.join(name, { profileDigest: kind, profile: profileOf({ cpu: { count: kind === 'a' ? 4 : 8, isa: ['avx'] } }) });
  }
  return lab;
}

/** Lets everybody work until the runs are settled; those who die fall silent. */
function live(lab: Lab, plant: Plant, stepsMax = 400): Event[] {
  const events: Event[] = [];
  for (let step = 0; step < stepsMax; step += 1) {
    const runs = [...lab.engine.state.runs.values()];
    if (runs.every(({ state }) => state.kind === 'settled')) return events;
    let hasActed = false;
    for (const { worker, state } of [...lab.engine.state.workers.values()]) {
      if (state.kind !== 'connected') continue;
      const ref = lab.held(worker)[0];
      if (ref === undefined) continue;
      hasActed = true;
      const run = lab.engine.state.runs.get(ref.task.slice(0, ref.task.lastIndexOf('.')) as RunId)!;
      const task = run.tasks[Number(ref.task.slice(ref.task.lastIndexOf('.') + 1))]!;
      const suite = run.spec.suites[task.suite]!.name;
      events.push(...lab.start(worker, ref));
      const outcome = plant({ worker, target: task.target, suite, attempt: ref.attempt });
      lab.nowMs += 100;
      if (outcome === 'dies')
        events.push(...lab.step({ kind: 'workerWentSilent', worker, session: lab.session(worker) }));
      else events.push(...lab.finish(worker, ref, outcome));
    }
    if (!hasActed) events.push(...lab.wait(1_000));
  }
  return events;
}

function judged(lab: Lab, task = 'r-1.0'): { verdict: string; diagnosis: Diagnosis | undefined; places: string[] } {
  const view = viewTask(lab.engine.state, task as TaskId)!;
  return {
    verdict: view.verdict ?? view.state,
    diagnosis: view.diagnosis,
    places: view.attempts.map(({ worker }) => worker ?? ''),
  };
}

const one = (spec: Partial<RunSpec> = {}): [ReturnType<typeof tasksOf>, Partial<RunSpec>] => [tasksOf(1), spec];

test('a device that fails is told from the test by another unit of the same kind', () => {
  const lab = fleet(['a1', 'a2', 'b1']);
  lab.submit(...one());
  const [first] = [lab.engine.state.runs.get('r-1' as RunId)!.tasks[0]!.attempts[0]!.worker];
  live(lab, ({ worker }) => (worker === first ? xid : {}));
  const { verdict, diagnosis, places } = judged(lab);
  expect(verdict).toBe('passed');
  expect(places).toHaveLength(2);
  expect(places[1]).not.toBe(places[0]);
  const isSameKind = places[1]?.[0] === places[0]?.[0];
  expect(diagnosis).toMatchObject({ fault: 'device', confidence: isSameKind ? 'proven' : 'likely', attempts: [1, 2] });
});

test('a driver that fails on two units of a kind and not on another kind is the version, proven', () => {
  const lab = fleet(['a1', 'a2', 'b1']);
  // The other kind comes after the task was given to this one.
  lab.step({ kind: 'drainWorker', worker: 'b1' as never, actor: 'test', reason: 'later' });
  lab.submit(...one());
  lab.join('b2', { profileDigest: 'b', profile: profileOf({ cpu: { count: 8, isa: ['avx'] } }) });
  live(lab, ({ worker }) =>
    worker.startsWith('a') ? { ...deviceLost, failure: { ...deviceLost.failure!, class: 'driver' } } : {},
  );
  const { verdict, diagnosis, places } = judged(lab);
  expect(places.map((name) => name[0])).toEqual(['a', 'a', 'b']);
  expect(verdict).toBe('passed');
  expect(diagnosis).toMatchObject({ fault: 'driver', confidence: 'proven', attempts: [1, 2, 3] });
  expect(diagnosis?.summary).toContain('cpu.count');
});

test('a test that fails alike on two kinds of machines is at fault itself, after as few attempts as tell it', () => {
  const lab = fleet(['a1', 'a2', 'b1', 'b2']);
  lab.submit(...one());
  live(lab, () => deviceLost);
  const { verdict, diagnosis, places } = judged(lab);
  expect(verdict).toBe('failed');
  expect(diagnosis).toMatchObject({ fault: 'test', confidence: 'proven', rule: 'fails-on-every-kind' });
  expect(new Set(places).size).toBe(places.length);
  expect(places.length).toBeLessThanOrEqual(3);
});

test('an assertion failure is never retried as infrastructure, whatever it says', () => {
  const lab = fleet(['a1', 'a2', 'b1']);
  lab.submit(...one());
  live(lab, () => assertion);
  expect(judged(lab)).toMatchObject({ verdict: 'failed', diagnosis: { fault: 'test' } });
  expect(judged(lab).places).toHaveLength(1);
});

test('a test that fails and passes on one kind of machines is flaky', () => {
  const lab = fleet(['a1', 'a2']);
  lab.submit(...one({ suites: [suiteOf({ retries: 2 })] }));
  live(lab, ({ attempt }) => (attempt === 1 ? assertion : {}));
  expect(judged(lab)).toMatchObject({ verdict: 'passed', diagnosis: { fault: 'flaky' } });
});

test('an assertion that fails on one worker only is its device, once other tests say so too; the run ends knowing it', () => {
  const lab = fleet(['a1', 'a2', 'a3', 'a4']);
  lab.submit(tasksOf(24), { suites: [suiteOf({ retries: 2, requires: '"gpu" != ""' })] });
  const events = live(lab, ({ worker }) => (worker === 'a1' ? assertion : {}));
  const views = [...lab.engine.state.runs.get('r-1' as RunId)!.tasks.keys()].map((index) =>
    judged(lab, `r-1.${index}`),
  );
  const troubled = views.filter(({ diagnosis }) => diagnosis !== undefined);
  expect(troubled.length).toBeGreaterThan(2);
  expect(views.every(({ verdict }) => verdict === 'passed')).toBe(true);
  expect(troubled.map(({ diagnosis }) => diagnosis?.fault)).toEqual(troubled.map(() => 'device'));
  expect(only(events, 'diagnosisRevised').length).toBeGreaterThan(0);
});

test('a retry limit trips: what only its own words call infrastructure ends after as many tries as are allowed', () => {
  const lab = fleet(['a1', 'a2', 'a3', 'b1', 'b2']);
  lab.submit(...one());
  live(lab, () => refused('10.0.0.5:5432'));
  const { verdict, places, diagnosis } = judged(lab);
  expect(verdict).toBe('failed');
  expect(places).toHaveLength(1 + lab.config.recovery.saidRetriesMax);
  expect(diagnosis).toMatchObject({ fault: 'infrastructure', subject: '10.0.0.5:5432' });
});

test('a retry after a network failure waits its time, in no line, and the snapshot keeps it', () => {
  const lab = fleet(['a1', 'a2']);
  lab.submit(...one());
  const begunMs = lab.nowMs;
  const ref = [...lab.held('a1'), ...lab.held('a2')][0]!;
  const worker = lab.held('a1').length > 0 ? 'a1' : 'a2';
  lab.finish(worker, ref, refused('10.0.0.5:5432'));
  expect([...lab.held('a1'), ...lab.held('a2')]).toEqual([]);
  const restored = restore(snapshot(lab.engine.state));
  expect(snapshot(restored)).toBe(snapshot(lab.engine.state));
  expect(restored.index.delayed.size).toBe(1);
  const [assigned] = only(lab.wait(60_000), 'tasksAssigned');
  expect(assigned?.worker).not.toBe(worker);
  const entry = lab.journal.find(({ events }) =>
    events.some((event) => event === assigned || event.kind === 'retriesDue'),
  );
  expect(entry?.atMs).toBe(begunMs + lab.config.recovery.delayMs);
});

test('infrastructure retries do not spend the user’s', () => {
  const lab = fleet(['a1', 'a2', 'a3']);
  lab.submit(...one({ suites: [suiteOf({ retries: 1 })] }));
  live(lab, ({ attempt }) =>
    attempt === 1
      ? failing({ class: 'infrastructure', code: 'SOURCE_UNAVAILABLE', message: 'gone' })
      : attempt === 2
        ? assertion
        : {},
  );
  expect(judged(lab)).toMatchObject({ verdict: 'passed' });
  const task = lab.engine.state.runs.get('r-1' as RunId)!.tasks[0]!;
  expect([task.userRetries, task.infrastructureRetries]).toEqual([1, 1]);
});

test('a fallback never ignores the requirement: a retry that would tell most elsewhere stays where the task fits', () => {
  const lab = fleet(['a1', 'a2', 'b1', 'b2']);
  lab.submit(...one({ suites: [suiteOf({ requires: 'cpu.count == 8' })] }));
  live(lab, () => deviceLost);
  const { verdict, places, diagnosis } = judged(lab);
  expect(places.every((name) => name.startsWith('b'))).toBe(true);
  expect(verdict).toBe('failed');
  expect(diagnosis).toMatchObject({ fault: 'driver', confidence: 'likely', rule: 'one-kind-only' });
});

test('a task that takes down two workers is set aside as POISON with its evidence, and takes no third', () => {
  const lab = fleet(['a1', 'a2', 'a3', 'a4']);
  lab.submit(tasksOf(['poison', 'x', 'y', 'z']));
  const events = live(lab, ({ target }) => (target === 'poison' ? 'dies' : {}));
  expect(only(events, 'workerLost')).toHaveLength(2);
  const view = viewTask(lab.engine.state, 'r-1.0' as TaskId)!;
  expect(view).toMatchObject({ verdict: 'errored', diagnosis: { fault: 'test', rule: 'poison', attempts: [1, 2] } });
  expect(view.attempts.at(-1)?.failure).toMatchObject({
    code: 'POISON',
    evidence: { attempt1: expect.stringContaining('WORKER_LOST') },
  });
  for (const task of ['r-1.1', 'r-1.2', 'r-1.3']) expect(judged(lab, task).verdict).toBe('passed');
});

test('workers whose links flap, and come back as they were, make no task poison', () => {
  const lab = fleet(['a1', 'a2', 'a3']);
  lab.submit(...one());
  for (const _ of [1, 2]) {
    const worker = ['a1', 'a2', 'a3'].find((name) => lab.held(name).length > 0)!;
    lab.start(worker, lab.held(worker)[0]!);
    lab.cut(worker);
    lab.wait(lab.config.reconnectGraceMs);
    lab.join(worker);
  }
  live(lab, () => ({}));
  expect(judged(lab)).toMatchObject({ verdict: 'passed', diagnosis: { fault: 'infrastructure' } });
});

test('workers that go down together make no task poison', () => {
  const lab = fleet(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
  lab.submit(...one());
  const go = (): void => {
    const worker = [...lab.engine.state.workers.keys()].find((name) => lab.held(name).length > 0)!;
    lab.start(worker, lab.held(worker)[0]!);
    for (const other of ['a5', 'a6'])
      if (other !== worker && lab.engine.state.workers.get(other as never)?.state.kind === 'connected')
        lab.step({ kind: 'workerWentSilent', worker: other as never, session: lab.session(other) });
    lab.step({ kind: 'workerWentSilent', worker, session: lab.session(worker) });
  };
  go();
  go();
  live(lab, () => ({}));
  expect(judged(lab)).toMatchObject({ verdict: 'passed', diagnosis: { fault: 'infrastructure' } });
});

test('another configuration is stored as that, and never as the one that was asked for', () => {
  const lab = fleet(['a1', 'a2']);
  const variants = [{ label: 'batch 16', env: { BATCH: '16' } }];
  lab.submit(...one({ suites: [suiteOf({ variants, env: { BATCH: '32' } })] }));
  const events = live(lab, ({ attempt }) => (attempt === 1 ? outOfMemory : { costMs: 77 }));
  expect(only(events, 'tasksAssigned').at(-1)).toMatchObject({ variant: 0, tasks: [{ index: 0 }] });
  expect(viewTask(lab.engine.state, 'r-1.0' as TaskId)).toMatchObject({
    verdict: 'passed',
    variant: 'batch 16',
    attempts: [{ verdict: 'failed' }, { verdict: 'passed', variant: 'batch 16' }],
  });
  expect(viewTask(lab.engine.state, 'r-1.0' as TaskId)?.attempts[0]?.variant).toBeUndefined();
  // What it took says nothing of the configuration that was asked for.
  lab.submit(...one());
  expect(viewTask(lab.engine.state, 'r-2.0' as TaskId)?.expectedMs).not.toBe(77);
});

test('recovery changes nothing of what is tested where no variant is allowed', () => {
  const lab = fleet(['a1', 'a2', 'b1', 'b2']);
  lab.submit(...one({ suites: [suiteOf({ env: { BATCH: '32' } })] }));
  const events = live(lab, () => outOfMemory);
  expect(only(events, 'tasksAssigned').some(({ variant }) => variant !== undefined)).toBe(false);
  expect(judged(lab)).toMatchObject({ verdict: 'failed', diagnosis: { fault: 'test' } });
});

test('failures that arrive together on one dependency are one trouble: they spend nobody’s retries and make nobody flaky', () => {
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2'];
  const lab = fleet(names);
  lab.submit([...tasksOf(6, 0), ...tasksOf(6, 1), ...tasksOf(2, 2)], {
    suites: ['orders', 'users', 'pure'].map((name) => suiteOf({ name, retries: 1 })),
  });
  const downUntilMs = lab.nowMs + 40_000;
  const events = live(lab, ({ suite }) =>
    suite !== 'pure' && lab.nowMs < downUntilMs ? refused('db.internal:5432') : {},
  );
  const run = lab.engine.state.runs.get('r-1' as RunId)!;
  expect(run.verdicts).toEqual({ passed: 14 });
  expect(only(events, 'outageOpened')).toMatchObject([{ name: 'db.internal:5432' }]);
  expect(only(events, 'outageClosed')).toMatchObject([{ reason: 'over' }]);
  for (const task of run.tasks) {
    expect([task.userRetries, task.infrastructureRetries]).toEqual([0, 0]);
    const { diagnosis } = judged(lab, `r-1.${task.index}`);
    expect([undefined, 'infrastructure']).toContain(diagnosis?.fault);
  }
  expect(lab.engine.state.recovery.outages.size).toBe(0);
});

test('loopback addresses are each machine’s own: such failures are no shared trouble', () => {
  const lab = fleet(['a1', 'a2', 'a3', 'a4']);
  lab.submit([...tasksOf(4, 0), ...tasksOf(4, 1)], { suites: ['x', 'y'].map((name) => suiteOf({ name })) });
  const events = live(lab, () => refused('127.0.0.1:5432'));
  expect(only(events, 'outageOpened')).toEqual([]);
});

test('failure patterns expire: what failed long ago is part of no trouble, and speaks against no worker', () => {
  const lab = fleet(['a1', 'a2', 'a3', 'a4']);
  for (let round = 0; round < 6; round += 1) {
    lab.submit(tasksOf([`t${round}`], round % 2), { suites: ['x', 'y'].map((name) => suiteOf({ name })) });
    live(lab, ({ attempt }) => (attempt === 1 ? refused('db.internal:5432') : {}));
    lab.wait(lab.config.recovery.shieldWindowMs);
  }
  expect(lab.journal.flatMap(({ events }) => only(events, 'outageOpened'))).toEqual([]);
  expect(lab.engine.state.recovery.troubles.size).toBeLessThanOrEqual(1);
});

test('a recovery action acts: a device that the kernel speaks against is checked by its worker’s own check', () => {
  const lab = fleet(['a1', 'a2']);
  for (const name of ['a1', 'a2'])
    lab.report(name, {
      kind: 'checked',
      check: 'gpu-ok',
      device: 'gpu:0',
      outcome: 'passed',
      durationMs: 5,
      evidence: '',
    } as never);
  lab.submit(...one());
  const worker = lab.held('a1').length > 0 ? 'a1' : 'a2';
  const events = lab.finish(worker, lab.held(worker)[0]!, xid);
  expect(only(events, 'certificationRequested')).toMatchObject([{ worker, device: 'gpu:0' }]);
});

test('a recovery action that only logs does not exist: without a check, the worker is asked for steps of its ladder until it has one', () => {
  const lab = fleet(['a1', 'a2']);
  lab.submit(...one());
  const worker = lab.held('a1').length > 0 ? 'a1' : 'a2';
  let asked = only(lab.finish(worker, lab.held(worker)[0]!, xid), 'recoveryRequested');
  const rungs: string[] = [];
  while (asked[0] !== undefined && rungs.length < 10) {
    const { rung, request, attempts } = asked[0];
    expect(attempts).toEqual([]);
    rungs.push(rung);
    const outcome = rung === 'runner' ? 'done' : 'notApplicable';
    const answered = lab.report(worker, { kind: 'recovered', request, rung, outcome, evidence: {}, durationMs: 5 });
    asked = only(answered, 'recoveryRequested');
  }
  // No step that ends the agent is taken for what no check has confirmed.
  expect(rungs).toEqual(['page', 'browser', 'gpuProcess', 'runner']);
  live(lab, () => ({}));
  expect(judged(lab)).toMatchObject({ verdict: 'passed', diagnosis: { fault: 'device' } });
});

const notInstalled: Outcome = {
  ...failing({ class: 'configuration', code: 'RUNNER_NOT_INSTALLED', message: 'pytest is not installed' }),
  verdict: 'errored',
  counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
};

test('a runner that one worker lacks is looked for once on another, which spends nothing of the user’s', () => {
  const workers = [
    { names: ['a1', 'b1'], tries: 2, verdict: 'passed' },
    { names: ['a1', 'a2'], tries: 2, verdict: 'passed' },
    { names: ['a1'], tries: 1, verdict: 'errored' },
  ];
  for (const { names, tries, verdict } of workers) {
    const lab = fleet(names);
    lab.submit(...one());
    const [first] = lab.engine.state.runs.get('r-1' as RunId)!.tasks[0]!.attempts;
    live(lab, ({ worker }) => (worker === first!.worker ? notInstalled : {}));
    expect({ names, ...judged(lab) }).toMatchObject({ names, verdict, places: { length: tries } });
    const { userRetries } = lab.engine.state.runs.get('r-1' as RunId)!.tasks[0]!;
    expect(userRetries).toBe(0);
    expect(judged(lab).diagnosis?.fault).toBe('configuration');
  }
  const nowhere = fleet(['a1', 'a2', 'b1', 'b2']);
  nowhere.submit(...one());
  live(nowhere, () => notInstalled);
  expect(judged(nowhere)).toMatchObject({ verdict: 'errored', places: { length: 2 } });
  expect(judged(nowhere).diagnosis).toMatchObject({ fault: 'configuration', confidence: 'proven' });
});

test('a failure to reach a dependency that is known to be down spends nothing, also of those that were on their way', () => {
  const lab = fleet(['a1', 'b1']);
  lab.submit(tasksOf(1), { suites: [suiteOf({ uses: ['payments'] })] });
  const worker = lab.held('a1').length > 0 ? 'a1' : 'b1';
  const [ref] = lab.held(worker);
  lab.start(worker, ref!);
  const looked = (outcome: 'success' | 'failure'): Event[] =>
    lab.step({ kind: 'dependencyProbed', dependency: 'payments', outcome, durationMs: 3, detail: null });
  for (let look = 0; look < 3; look += 1) looked('failure');
  const [settled] = only(lab.finish(worker, ref!, refused('payments.internal:443')), 'attemptSettled');
  expect(settled?.next).toMatchObject({ kind: 'requeue', spends: 'nothing', rule: 'outage' });
  lab.wait(60_000);
  looked('success');
  live(lab, () => ({}));
  expect(judged(lab)).toMatchObject({ verdict: 'passed', diagnosis: { fault: 'infrastructure' } });
});
