// The stories of circuits in the engine: who is stopped, by what evidence, who is not, and how what was stopped comes back.
import type { AttemptOutcome, AttemptFailure, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { explainTask } from '../scheduling/explain.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { Lab, only, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';
import { viewCircuits } from './view-circuits.ts';
import { circuitIdOf } from './scope.ts';
import type { CircuitScope } from '@assay/protocol';

const failing = (failureClass: AttemptFailure['class'], code: string, costMs = 900): Partial<AttemptOutcome> => ({
  verdict: failureClass === 'test' ? 'failed' : 'errored',
  counts: { passed: 0, failed: failureClass === 'test' ? 1 : 0, skipped: 0, todo: 0 },
  failure: { class: failureClass, code, message: 'as planted' },
  costMs,
});
const assertion = failing('test', 'TESTS_FAILED');
const infrastructure = failing('infrastructure', 'RUNNER_FAILED_TO_START');
const browser = failing('browser', 'BROWSER_CRASHED');

const stateOf = (lab: Lab, scope: CircuitScope): string =>
  lab.engine.state.circuits.get(circuitIdOf(scope))?.breaker.state.kind ?? 'none';
const worker = (name: string): CircuitScope => ({ kind: 'worker', worker: name as WorkerId });
const causes = (lab: Lab): string[] =>
  lab.journal
    .flatMap(({ events }) => only(events, 'circuitMoved'))
    .map(({ circuit, transition }) => `${circuit} ${transition.to} ${transition.cause}`);
const classOf = (lab: Lab, name: string): string => lab.engine.state.workers.get(name as WorkerId)?.class.id ?? '';

/** Lets every worker finish what it holds, one task after another, by what `outcome` says of it. */
function work(lab: Lab, outcome: (worker: string, suite: string) => Partial<AttemptOutcome>, rounds = 1): void {
  for (let round = 0; round < rounds; round += 1) {
    for (const { worker: name } of [...lab.engine.state.workers.values()]) {
      const [ref] = lab.held(name);
      if (ref === undefined) continue;
      const run = lab.engine.state.runs.get(ref.task.slice(0, ref.task.lastIndexOf('.')) as never);
      const index = Number(ref.task.slice(ref.task.lastIndexOf('.') + 1));
      const suite = run?.spec.suites[run.tasks[index]?.suite ?? 0]?.name ?? '';
      lab.start(name, ref);
      lab.finish(name, ref, outcome(name, suite));
    }
    lab.nowMs += 1_000;
  }
}

function fleet(names: readonly string[], slots = 1): Lab {
  const lab = new Lab();
  for (const name of names) lab.join(name, { slots });
  return lab;
}

test('one bad worker is stopped within five tasks, its class is not, and its work finishes elsewhere', () => {
  const lab = fleet(['w1', 'w2', 'w3']);
  const run = lab.submit(tasksOf(30));
  let seen = 0;
  work(lab, (name) => (name === 'w1' ? ((seen += 1), infrastructure) : {}), 40);
  expect(stateOf(lab, worker('w1'))).not.toBe('closed');
  const opened = lab.journal.findIndex(({ events }) => only(events, 'circuitMoved').length > 0);
  const before = lab.journal.slice(0, opened + 1).flatMap(({ events }) => only(events, 'attemptSettled'));
  expect(before.filter((event) => event.worker === 'w1').length).toBeLessThanOrEqual(5);
  expect(stateOf(lab, { kind: 'class', class: classOf(lab, 'w1') })).not.toBe('open');
  expect(lab.engine.state.runs.get(run)?.state.kind).toBe('settled');
  expect(lab.engine.state.runs.get(run)?.verdicts).toEqual({ passed: 30 });
  expect(seen).toBeGreaterThan(0);
});

test('an assertion failure trips no breaker, however many there are', () => {
  const lab = fleet(['w1', 'w2']);
  lab.submit(tasksOf(2));
  work(lab, () => ({}), 2);
  lab.submit(tasksOf(60));
  work(lab, () => assertion, 60);
  expect([...lab.engine.state.circuits.keys()]).toEqual([]);
  expect(causes(lab)).toEqual([]);
});

test('a broken driver stops its class for that kind of work, without draining anything else', () => {
  const lab = fleet(['w1', 'w2', 'w3', 'w4']);
  lab.join('other1', { profileDigest: 'other', profile: profileOf({ cpu: { count: 8, isa: ['avx'] } }) });
  lab.join('other2', { profileDigest: 'other', profile: profileOf({ cpu: { count: 8, isa: ['avx'] } }) });
  lab.submit([...tasksOf(40, 0), ...tasksOf(40, 1)], {
    suites: [suiteOf({ name: 'pages' }), suiteOf({ name: 'units' })],
  });
  work(lab, (name, suite) => (name.startsWith('w') && suite === 'pages' ? browser : {}), 12);
  const [kind] = [classOf(lab, 'w1')];
  const pages: CircuitScope = { kind: 'classTask', class: kind, project: 'project', suite: 'pages' };
  expect(['open', 'halfOpen']).toContain(stateOf(lab, pages));
  expect(stateOf(lab, { ...pages, suite: 'units' })).toBe('none');
  for (const name of ['w1', 'w2', 'w3', 'w4']) expect(stateOf(lab, worker(name))).toBe('none');
  expect(stateOf(lab, { kind: 'class', class: kind })).not.toBe('open');
  work(lab, (name, suite) => (name.startsWith('w') && suite === 'pages' ? browser : {}), 60);
  const run = [...lab.engine.state.runs.values()][0]!;
  expect(run.verdicts['passed']).toBeGreaterThan(70);
});

test('one worker with a bad browser is stopped for pages alone, and opens no class', () => {
  const lab = fleet(['w1', 'w2', 'w3']);
  lab.submit([...tasksOf(20, 0), ...tasksOf(20, 1)], {
    suites: [suiteOf({ name: 'pages' }), suiteOf({ name: 'units' })],
  });
  work(lab, (name, suite) => (name === 'w1' && suite === 'pages' ? browser : {}), 30);
  const opened = causes(lab).filter((cause) => cause.includes(' open '));
  expect(opened.length).toBeGreaterThan(0);
  expect(opened.every((cause) => cause.startsWith('workerTask:w1:project/pages '))).toBe(true);
});

test('an open circuit never fails work: with nobody else it waits, with its true reason and its time', () => {
  const lab = fleet(['w1', 'w2']);
  lab.submit(tasksOf(6), { suites: [suiteOf({ uses: ['payments'] })] });
  work(lab, () => ({}), 1);
  for (let look = 0; look < 3; look += 1)
    lab.step({
      kind: 'dependencyProbed',
      dependency: 'payments',
      outcome: 'failure',
      durationMs: 3,
      detail: 'refused',
    });
  expect(stateOf(lab, { kind: 'dependency', dependency: 'payments' })).toBe('open');
  work(lab, () => ({}), 10);
  const run = [...lab.engine.state.runs.values()][0]!;
  const waiting = run.tasks.find(({ state }) => state.kind === 'queued');
  expect(waiting).toBeDefined();
  expect(Object.keys(run.verdicts)).toEqual(['passed']);
  const explained = explainTask(lab.engine.state, lab.config, `${run.run}.${waiting!.index}` as never, lab.nowMs);
  expect(explained?.reasons.map(({ reason }) => reason).join('; ')).toMatch(/circuit dependency:payments is/);
  lab.wait(86_400_000);
  expect(run.tasks.some(({ state }) => state.kind === 'queued')).toBe(true);
  lab.step({ kind: 'dependencyProbed', dependency: 'payments', outcome: 'success', durationMs: 3, detail: null });
  expect(stateOf(lab, { kind: 'dependency', dependency: 'payments' })).toBe('closed');
  work(lab, () => ({}), 10);
  expect(run.verdicts).toEqual({ passed: 6 });
});

test('failures to reach a dependency that the suite names open its circuit, and no worker is blamed', () => {
  const lab = fleet(['w1', 'w2', 'w3']);
  lab.submit(tasksOf(20), { suites: [suiteOf({ uses: ['payments'] })] });
  work(lab, () => failing('infrastructure', 'CONNECTION_REFUSED'), 2);
  expect(stateOf(lab, { kind: 'dependency', dependency: 'payments' })).toBe('open');
  expect([...lab.engine.state.circuits.keys()]).toEqual(['dependency:payments']);
});

test('what a circuit keeps goes to the next alternative at once, and never to what nobody allowed', () => {
  const lab = new Lab();
  for (const name of ['g1', 'g2']) lab.join(name, { profileDigest: 'gpu', declared: { gpu: true } });
  lab.join('plain', {});
  lab.submit(tasksOf(4), {
    suites: [
      suiteOf({ requires: 'declared.gpu == true', alternatives: [{ requires: 'cpu.count >= 1', afterMs: 3_600_000 }] }),
    ],
  });
  const kind = classOf(lab, 'g1');
  const scope: CircuitScope = { kind: 'class', class: kind };
  const order = { untilMs: null, actor: 'ada', reason: 'driver update' };
  lab.step({ kind: 'forceCircuit', scope, to: 'open', ...order });
  expect(lab.held('plain').length).toBe(1);
  lab.submit(tasksOf(2), { suites: [suiteOf({ name: 'only', requires: 'declared.gpu == true' })] });
  work(lab, () => ({}), 20);
  const last = [...lab.engine.state.runs.values()].at(-1)!;
  expect(last.counts.queued).toBe(2);
  expect(last.verdicts).toEqual({});
});

test('half-open: one canary at a time, and nothing else goes there; good canaries close it', () => {
  const lab = fleet(['w1', 'w2']);
  lab.submit(tasksOf(60));
  work(lab, (name) => (name === 'w1' ? infrastructure : {}), 6);
  expect(stateOf(lab, worker('w1'))).toBe('open');
  expect(lab.held('w1')).toEqual([]);
  lab.wait(20_000);
  expect(stateOf(lab, worker('w1'))).toBe('halfOpen');
  work(lab, () => ({}), 1);
  expect(lab.held('w1').length).toBeLessThanOrEqual(1);
  const assigned = lab.journal.flatMap(({ events }) => only(events, 'tasksAssigned')).filter(({ probes }) => probes);
  expect(assigned.every(({ tasks }) => tasks.length === 1)).toBe(true);
  expect(assigned[0]?.probes).toEqual(['worker:w1']);
  work(lab, () => ({}), 6);
  expect(stateOf(lab, worker('w1'))).toBe('closed');
});

test('a failed canary opens it again for longer, and the first period was the base one', () => {
  const lab = fleet(['w1', 'w2']);
  lab.submit(tasksOf(200));
  const periods: number[] = [];
  for (let round = 0; round < 120; round += 1) {
    work(lab, (name) => (name === 'w1' ? infrastructure : {}));
    lab.wait(500);
  }
  for (const { events } of lab.journal)
    for (const { transition } of only(events, 'circuitMoved'))
      if (transition.to === 'open') periods.push((transition.untilMs ?? 0) - transition.atMs);
  const baseMs = lab.config.circuits.breakers.worker.openMs;
  expect(periods[0]).toBeGreaterThanOrEqual(baseMs * 0.9);
  expect(periods[0]).toBeLessThanOrEqual(baseMs * 1.1);
  expect(periods[1]).toBeGreaterThan(baseMs * 1.7);
});

test.each([1, 2, 3, 4, 5])(
  'small fleets, of %i: the last of its class is never ejected by a rate alone, one canary is always let through',
  (size) => {
    const names = Array.from({ length: size }, (_, index) => `w${index + 1}`);
    const lab = fleet(names);
    lab.submit(tasksOf(600));
    const turns = new Map<string, number>();
    for (let round = 0; round < 60; round += 1) {
      // Every second attempt of each fails: a rate, and never four in a row.
      work(lab, (name) => {
        const turn = (turns.get(name) ?? 0) + 1;
        turns.set(name, turn);
        return turn % 2 === 0 ? infrastructure : {};
      });
      const away = names.filter((name) => ['open', 'forcedOpen'].includes(stateOf(lab, worker(name))));
      expect(away.length, `round ${round}`).toBeLessThan(size);
      // Somebody has work: nothing waits for a fleet that nobody may use.
      expect(
        names.some((name) => lab.held(name).length > 0),
        `round ${round}`,
      ).toBe(true);
    }
    const last = names.filter((name) => stateOf(lab, worker(name)) === 'halfOpen');
    if (size === 1) expect(last).toEqual(['w1']);
    expect(causes(lab).some((cause) => cause.startsWith('worker:'))).toBe(true);
  },
);

test('the last of its class whose every task fails is away for a minute at most, and is tried again', () => {
  for (const size of [1, 2, 3, 4, 5]) {
    const names = Array.from({ length: size }, (_, index) => `w${index + 1}`);
    const lab = fleet(names);
    lab.submit(tasksOf(600));
    for (let round = 0; round < 40; round += 1) work(lab, () => infrastructure);
    for (const { events, atMs } of lab.journal)
      for (const { circuit, transition } of only(events, 'circuitMoved'))
        if (transition.to === 'open' && size === 1 && circuit === 'worker:w1')
          expect((transition.untilMs ?? Infinity) - atMs).toBeLessThanOrEqual(lab.config.circuits.lastOfClassOpenMaxMs);
    lab.wait(lab.config.circuits.breakers.worker.openMaxMs * 1.2);
    const tried = names.filter((name) => lab.held(name).length > 0 || stateOf(lab, worker(name)) === 'halfOpen');
    expect(tried.length, `${size} workers`).toBeGreaterThan(0);
  }
});

test('a large fleet: no more than half of a class is stopped by itself at once', () => {
  const names = Array.from({ length: 10 }, (_, index) => `w${index}`);
  const lab = fleet(names);
  lab.submit(tasksOf(2_000));
  for (let round = 0; round < 8; round += 1) {
    work(lab, (name) => (name === 'w0' ? {} : infrastructure));
    const open = names.filter((name) => stateOf(lab, worker(name)) === 'open').length;
    expect(open).toBeLessThanOrEqual(5);
  }
  expect(causes(lab).some((cause) => cause.startsWith('class:') || cause.includes(' open '))).toBe(true);
});

test('half of a class stopped is as much as is stopped by itself: one more is held, says why, and is stopped when there is room', () => {
  const names = Array.from({ length: 10 }, (_, index) => `w${index}`);
  const lab = fleet(names);
  for (const name of names.slice(0, 5))
    lab.step({ kind: 'forceCircuit', scope: worker(name), to: 'open', untilMs: null, actor: 'ada', reason: 'dust' });
  lab.submit(tasksOf(400));
  const fails = (name: string): Partial<AttemptOutcome> => (name === 'w9' ? infrastructure : {});
  work(lab, fails, 8);
  expect(stateOf(lab, worker('w9'))).toBe('closed');
  const held = viewCircuits(lab.engine.state, lab.config.circuits, lab.nowMs).find(
    ({ circuit }) => circuit === 'worker:w9',
  );
  expect(held?.heldBy).toBe('5 of 10 workers of its class are stopped already');
  lab.step({ kind: 'resetCircuit', circuit: 'worker:w0', actor: 'ada', reason: 'clean' });
  work(lab, fails, 2);
  expect(stateOf(lab, worker('w9'))).toBe('open');
});

test('one worker is no quorum, also where nobody else of its class has tried that kind of work', () => {
  const lab = fleet(['w1', 'w2', 'w3']);
  lab.join('other', { profileDigest: 'other', profile: profileOf({ cpu: { count: 8, isa: ['avx'] } }) });
  lab.submit(tasksOf(40), { suites: [suiteOf({ name: 'pages' })] });
  for (let round = 0; round < 12; round += 1) {
    // The other two of the class are at their first task all the time.
    for (const name of ['w1', 'other']) {
      const [ref] = lab.held(name);
      if (ref === undefined) continue;
      lab.start(name, ref);
      lab.finish(name, ref, name === 'w1' ? browser : {});
    }
    lab.nowMs += 1_000;
  }
  const opened = causes(lab).filter((cause) => cause.includes(' open '));
  expect(opened.length).toBeGreaterThan(0);
  expect(opened.every((cause) => cause.startsWith('workerTask:w1:project/pages '))).toBe(true);
});

test('a worker that fails far more than its peers is stopped, though neither its rate nor a row would stop it', () => {
  const lab = fleet(['w1', 'w2', 'w3', 'w4', 'w5', 'w6']);
  lab.submit(tasksOf(300));
  let turn = 0;
  work(lab, (name) => (name === 'w1' && (turn += 1) % 3 === 1 ? infrastructure : {}), 30);
  expect(causes(lab)[0]).toBe('worker:w1 open peers');
});

test('a black hole that fails tests at once is stopped within five tasks, beside peers that are still at their first', () => {
  const lab = fleet(['hole', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8']);
  lab.submit(tasksOf(90));
  for (const name of ['w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8']) lab.start(name, lab.held(name)[0]!);
  let eaten = 0;
  while (stateOf(lab, worker('hole')) !== 'open' && eaten < 20) {
    lab.nowMs += 10;
    const ref = lab.held('hole')[0]!;
    lab.start('hole', ref);
    lab.finish('hole', ref, failing('test', 'TESTS_FAILED', 9));
    eaten += 1;
  }
  expect(eaten).toBeLessThanOrEqual(5);
  expect(causes(lab)).toContain('worker:hole open blackHole');
});

test('a suite that is broken everywhere makes nobody a black hole', () => {
  const lab = fleet(['w1', 'w2', 'w3', 'w4', 'w5', 'w6']);
  lab.submit(tasksOf(60));
  work(lab, () => failing('test', 'TESTS_FAILED', 9), 20);
  expect(causes(lab)).toEqual([]);
});

test('an idle hour leaves nothing: two failures after it trip nobody, and the circuit is forgotten', () => {
  const lab = fleet(['w1', 'w2']);
  lab.submit(tasksOf(40));
  let left = 3;
  work(lab, (name) => (name === 'w1' && left > 0 ? ((left -= 1), infrastructure) : {}), 4);
  expect(stateOf(lab, worker('w1'))).toBe('closed');
  lab.wait(3_700_000);
  left = 1;
  work(lab, (name) => (name === 'w1' && left > 0 ? ((left -= 1), infrastructure) : {}), 3);
  expect(causes(lab)).toEqual([]);
  lab.wait(7_300_000);
  work(lab, () => ({}), 3);
  expect(stateOf(lab, worker('w1'))).toBe('none');
});

test('by hand: forced, released, reset; each with who and why in the journal, and unknown ones are refused', () => {
  const lab = fleet(['w1', 'w2']);
  const said = { actor: 'ada', reason: 'new cooling' };
  lab.step({ kind: 'forceCircuit', scope: worker('w1'), to: 'open', untilMs: null, ...said });
  lab.submit(tasksOf(8));
  work(lab, () => ({}), 4);
  expect(lab.held('w1')).toEqual([]);
  lab.step({ kind: 'releaseCircuit', circuit: 'worker:w1', actor: 'bob', reason: 'done' });
  expect(stateOf(lab, worker('w1'))).toBe('halfOpen');
  lab.step({ kind: 'resetCircuit', circuit: 'worker:w1', ...said });
  expect(stateOf(lab, worker('w1'))).toBe('closed');
  const moves = lab.journal.flatMap(({ events }) => only(events, 'circuitMoved'));
  expect(moves.map(({ transition }) => `${transition.cause} by ${transition.actor}`)).toEqual([
    'forced by ada',
    'released by bob',
    'reset by ada',
  ]);
  lab.step({ kind: 'releaseCircuit', circuit: 'worker:nobody', ...said });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' });
  lab.step({ kind: 'forceCircuit', scope: worker('nobody'), to: 'open', untilMs: null, ...said });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' });
});

test('the health of a circuit that measured nothing is unknown', () => {
  const lab = fleet(['w1']);
  lab.step({
    kind: 'forceCircuit',
    scope: worker('w1'),
    to: 'metricsOnly',
    untilMs: null,
    actor: 'ada',
    reason: 'look',
  });
  const [view] = viewCircuits(lab.engine.state, lab.config.circuits, lab.nowMs);
  expect(view).toMatchObject({ circuit: 'worker:w1', state: 'metricsOnly', health: null, calls: 0 });
});

test('circuits survive a snapshot: open ones, their probes, and what they have seen', () => {
  const lab = fleet(['w1', 'w2', 'w3']);
  lab.submit(tasksOf(100));
  work(lab, (name) => (name === 'w1' ? infrastructure : {}), 6);
  lab.wait(20_000);
  work(lab, () => ({}), 1);
  const text = snapshot(lab.engine.state);
  const restored = restore(text);
  expect(snapshot(restored)).toBe(text);
  expect(restored.index.circuits.blocking).toBe(lab.engine.state.index.circuits.blocking);
  expect(restored.workers.get('w1' as WorkerId)?.isHalted).toBe(
    lab.engine.state.workers.get('w1' as WorkerId)?.isHalted,
  );
});

test('a worker that has a check is proven by it, and no work is its canary; a failed one opens it again', () => {
  const lab = fleet(['w1', 'w2']);
  const check = { kind: 'checked', check: 'runner starts', evidence: {}, durationMs: 5 } as const;
  lab.report('w1', { ...check, outcome: 'passed' });
  lab.submit(tasksOf(80));
  work(lab, (name) => (name === 'w1' ? infrastructure : {}), 6);
  lab.wait(20_000);
  const asked = () => lab.journal.flatMap(({ events }) => only(events, 'certificationRequested')).at(-1);
  expect(stateOf(lab, worker('w1'))).toBe('halfOpen');
  expect(lab.held('w1')).toEqual([]);
  lab.report('w1', { kind: 'certified', request: asked()!.request, outcome: 'failed', message: 'no runner' });
  expect(stateOf(lab, worker('w1'))).toBe('open');
  lab.wait(60_000);
  expect(stateOf(lab, worker('w1'))).toBe('halfOpen');
  lab.report('w1', { kind: 'certified', request: asked()!.request, outcome: 'passed', message: '1 check passed' });
  expect(stateOf(lab, worker('w1'))).toBe('closed');
  expect(
    causes(lab)
      .filter((cause) => cause.startsWith('worker:w1'))
      .at(-1),
  ).toBe('worker:w1 closed certified');
});

test('a certification that never answers opens it again, and does not lock it', () => {
  const lab = fleet(['w1', 'w2']);
  lab.report('w1', { kind: 'checked', check: 'c', evidence: {}, durationMs: 5, outcome: 'passed' });
  lab.step({ kind: 'forceCircuit', scope: worker('w1'), to: 'open', untilMs: null, actor: 'ada', reason: 'look' });
  lab.step({ kind: 'releaseCircuit', circuit: 'worker:w1', actor: 'ada', reason: 'seen' });
  expect(stateOf(lab, worker('w1'))).toBe('halfOpen');
  lab.wait(2 * lab.config.certifyPatienceMs);
  expect(causes(lab)).toContain('worker:w1 open probeExpired');
  expect(lab.engine.nextDeadlineMs()).not.toBeNull();
});

test('a device that is wrong only sometimes is found by tests that pass elsewhere; work without the device goes on there', () => {
  const lab = new Lab();
  for (const name of ['w1', 'w2', 'w3', 'w4'])
    lab.join(name, { profileDigest: 'gpu', profile: profileOf({ gpus: [{ vendor: 'nvidia', via: 'test' }] }) });
  lab.submit([...tasksOf(30, 0), ...tasksOf(30, 1)], {
    suites: [suiteOf({ name: 'gpu', requires: 'size(gpus) > 0', retries: 3 }), suiteOf({ name: 'cpu', retries: 3 })],
  });
  work(lab, (name, suite) => (name === 'w1' && suite === 'gpu' ? assertion : {}), 60);
  expect(causes(lab)).toContain('device:w1:gpu open consecutiveFailures');
  expect(stateOf(lab, worker('w1'))).toBe('none');
  const opened = lab.journal.findIndex(({ events }) => only(events, 'circuitMoved').length > 0);
  const later = lab.journal.slice(opened + 1).flatMap(({ events }) => only(events, 'tasksAssigned'));
  expect(later.some((event) => event.worker === 'w1' && event.suite === 1)).toBe(true);
  expect(later.filter((event) => event.worker === 'w1' && event.suite === 0).every(({ probes }) => probes)).toBe(true);
});
