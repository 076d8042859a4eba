import type { Report, TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { createEngine } from '../engine.ts';
import { replay, emptyState } from '../evolve.ts';
import { restore, snapshot } from '../snapshot.ts';
import { Lab, asJson, kinds, only, profileOf, suiteOf, tasksOf } from '../../testing/lab.ts';
import { explainTask } from '../../scheduling/explain.ts';
import { viewRecovery } from '../view-health.ts';
import { viewWorker } from '../views.ts';

const w1 = 'w1' as WorkerId;
const withGpu = profileOf({ gpus: [{ vendor: 'nvidia', model: 'H200', via: 'nvidia-smi' }] });
const needsGpu = { suites: [suiteOf({ requires: 'gpus.exists(g, g.vendor == "nvidia")' })] };
type Checked = Extract<Report, { kind: 'checked' }>;

function checked(outcome: Checked['outcome'], device?: string, check = 'probe'): Omit<Checked, 'seq'> {
  const evidence = { message: outcome === 'failed' ? 'no answer' : 'fine' };
  return { kind: 'checked', check, outcome, evidence, durationMs: 5, ...(device === undefined ? {} : { device }) };
}

function lab(...workers: string[]): Lab {
  const made = new Lab();
  for (const name of workers) made.join(name, { profile: withGpu, profileDigest: 'with-gpu' });
  return made;
}

/** Answers the request that was made last of the worker. */
function certified(of: Lab, outcome: Checked['outcome'], device?: string) {
  const request = of.engine.state.workers.get(w1)!.health.requests;
  return of.report('w1', {
    kind: 'certified',
    request,
    outcome,
    message: outcome,
    ...(device === undefined ? {} : { device }),
  });
}

function recovered(of: Lab, outcome: 'done' | 'failed' | 'notApplicable', device?: string) {
  const { health } = of.engine.state.workers.get(w1)!;
  const condition = health.conditions.get(device ?? '');
  const checkup = condition?.kind === 'quarantined' || condition?.kind === 'suspect' ? condition.checkup : null;
  if (checkup?.kind !== 'recovering') throw new Error('no step is under way');
  const { request, rung } = checkup;
  const named = device === undefined ? {} : { device };
  return of.report('w1', { kind: 'recovered', request, rung, outcome, evidence: {}, durationMs: 40, ...named });
}

const conditionOf = (of: Lab, device: string | null): string => {
  const view = viewWorker(of.engine.state, w1)!;
  if (device === null) return view.condition!.kind;
  return view.devices!.find((one) => one.device === device)!.condition.kind;
};

test('one failed check makes a device suspect and has it certified; it takes no work meanwhile, the rest of the worker does', () => {
  const story = lab('w1');
  expect(kinds(story.report('w1', checked('failed', 'gpu:0')))).toEqual([
    'workerChecked',
    'conditionChanged',
    'certificationRequested',
    'reportsAccepted',
  ]);
  expect(conditionOf(story, 'gpu:0')).toBe('suspect');
  expect(conditionOf(story, null)).toBe('ready');
  const run = story.submit(tasksOf(1), { ...needsGpu, unplaceable: 'settle' });
  expect(story.held('w1')).toEqual([]);
  const explained = explainTask(story.engine.state, story.config, `${run}.0` as TaskId, story.nowMs)!;
  expect(explained.reasons).toEqual([{ reason: 'gpu:0 is suspect: check probe failed: no answer', workers: 1 }]);
  story.submit(tasksOf(1));
  expect(story.held('w1')).toHaveLength(1);
});

test('a device that passes its certification is ready again and gets what waited for it', () => {
  const story = lab('w1');
  story.report('w1', checked('failed', 'gpu:0'));
  story.submit(tasksOf(1), needsGpu);
  expect(kinds(certified(story, 'passed', 'gpu:0'))).toEqual([
    'workerCertified',
    'conditionChanged',
    'reportsAccepted',
    'tasksAssigned',
  ]);
  expect(conditionOf(story, 'gpu:0')).toBe('ready');
});

test('a device that fails its certification is quarantined and climbs the ladder; steps that do not exist are skipped', () => {
  const story = lab('w1');
  story.report('w1', checked('failed', 'gpu:0'));
  certified(story, 'failed', 'gpu:0');
  expect(conditionOf(story, 'gpu:0')).toBe('quarantined');
  const rungs: string[] = [];
  for (const outcome of ['notApplicable', 'notApplicable', 'notApplicable'] as const) {
    rungs.push(...only(recovered(story, outcome, 'gpu:0'), 'recoveryRequested').map(({ rung }) => rung));
  }
  expect(rungs).toEqual(['browser', 'gpuProcess', 'runner']);
  expect(kinds(recovered(story, 'done', 'gpu:0'))).toContain('certificationRequested');
  certified(story, 'failed', 'gpu:0');
  for (const outcome of ['notApplicable', 'notApplicable'] as const) recovered(story, outcome, 'gpu:0');
  expect(kinds(recovered(story, 'notApplicable', 'gpu:0'))).toContain('operatorNeeded');
  const view = viewWorker(story.engine.state, w1)!.devices![0]!.condition;
  expect(view.doing).toBe('operatorNeeded');
  expect(view.tried!.map(({ rung }) => rung)).toEqual([
    'page',
    'browser',
    'gpuProcess',
    'runner',
    'agent',
    'rebootHook',
    'powerHook',
  ]);
  // Only the step that was carried out is remembered, and that it did not help.
  expect(viewRecovery(story.engine.state).rungs).toMatchObject([
    { rung: 'runner', deviceClass: 'gpu nvidia H200', taken: 1, cured: 0, meanMs: 40 },
  ]);
  // A check of its own that passes brings it back by way of a certification.
  expect(kinds(story.report('w1', checked('passed', 'gpu:0')))).toContain('certificationRequested');
  certified(story, 'passed', 'gpu:0');
  expect(conditionOf(story, 'gpu:0')).toBe('ready');
});

test('a step that helps is remembered as one that helped', () => {
  const story = lab('w1');
  story.report('w1', checked('failed'));
  certified(story, 'failed');
  for (let skipped = 0; skipped < 3; skipped += 1) recovered(story, 'notApplicable');
  recovered(story, 'done');
  certified(story, 'passed');
  expect(conditionOf(story, null)).toBe('ready');
  expect(viewRecovery(story.engine.state).rungs).toMatchObject([
    { rung: 'runner', deviceClass: 'worker', taken: 1, cured: 1 },
  ]);
});

test('a check that did not run is evidence of nothing: it neither stops a worker nor lets one work again', () => {
  const story = lab('w1');
  story.report('w1', checked('notRun'));
  expect(conditionOf(story, null)).toBe('ready');
  story.report('w1', checked('failed'));
  certified(story, 'notRun');
  expect(conditionOf(story, null)).toBe('quarantined');
});

test('unstarted work of a suspect worker is asked back at once, and what runs there is ended by the step runner', () => {
  const story = new Lab();
  story.join('w1', { slots: 2 });
  story.submit(tasksOf(2));
  const [first, second] = story.held('w1');
  story.start('w1', first!);
  const asked = only(story.report('w1', checked('failed')), 'takeBackRequested');
  expect(asked.flatMap(({ attempts }) => attempts)).toEqual([second]);
  certified(story, 'failed');
  recovered(story, 'notApplicable');
  recovered(story, 'notApplicable');
  const runner = only(recovered(story, 'notApplicable'), 'recoveryRequested')[0]!;
  expect(runner).toMatchObject({ rung: 'runner', attempts: [first, second] });
});

test('a certification that never comes counts as not passed, and the worker is asked again when it is back', () => {
  const story = lab('w1');
  story.report('w1', checked('failed'));
  const events = story.wait(story.config.certifyPatienceMs);
  expect(kinds(events)).toEqual(['workerCertified', 'conditionChanged', 'recoveryRequested']);
  story.cut('w1');
  expect(kinds(story.join('w1'))).toContain('certificationRequested');
  certified(story, 'passed');
  expect(conditionOf(story, null)).toBe('ready');
});

test('what a person sets aside waits for a person, whatever the checks say; a release has it certified', () => {
  const story = lab('w1');
  story.report('w1', checked('passed'));
  const about = { worker: w1, device: null, actor: 'ada', reason: 'new driver' };
  story.step({ kind: 'setCondition', ...about, action: 'quarantine' });
  story.report('w1', checked('passed'));
  story.step({ kind: 'certifyWorker', ...about });
  certified(story, 'passed');
  expect(conditionOf(story, null)).toBe('quarantined');
  story.submit(tasksOf(1));
  expect(story.held('w1')).toEqual([]);
  story.step({ kind: 'setCondition', ...about, action: 'maintenance' });
  expect(viewWorker(story.engine.state, w1)!.condition).toMatchObject({ kind: 'maintenance', actor: 'ada' });
  const events = story.step({ kind: 'setCondition', ...about, action: 'release' });
  expect(kinds(events)).toEqual(['conditionChanged', 'certificationRequested', 'tasksAssigned']);
  expect(conditionOf(story, null)).toBe('ready');
});

test('a lost worker has lost its devices; when it is back they are what they were', () => {
  const story = lab('w1');
  story.report('w1', checked('failed', 'gpu:0'));
  story.cut('w1');
  story.wait(story.config.reconnectGraceMs);
  expect([conditionOf(story, 'gpu:0'), conditionOf(story, null)]).toEqual(['lost', 'lost']);
  story.join('w1');
  expect([conditionOf(story, 'gpu:0'), conditionOf(story, null)]).toEqual(['suspect', 'ready']);
});

test('conditions, checks and what was learned of the ladder survive a snapshot and a replay', () => {
  const story = lab('w1', 'w2');
  story.report('w1', checked('failed'));
  certified(story, 'failed');
  for (let skipped = 0; skipped < 3; skipped += 1) recovered(story, 'notApplicable');
  recovered(story, 'done');
  certified(story, 'failed');
  story.report('w1', checked('failed', 'gpu:0', 'other'));
  const text = snapshot(story.engine.state);
  expect(snapshot(restore(text))).toBe(text);
  const folded = emptyState();
  for (const entry of asJson(story.journal)) replay(folded, entry);
  expect(snapshot(folded)).toBe(text);
  expect(restore(text).workers.get(w1)!.whole).not.toBeNull();
});

test('an attempt that its worker does not end at its time-out makes the worker suspect; it is asked to end it by force', () => {
  const story = new Lab();
  story.join('w1');
  story.submit(tasksOf(1));
  const [ref] = story.held('w1');
  story.start('w1', ref!);
  expect(story.wait(60_000 + story.config.overdueGraceMs - 1)).toEqual([]);
  const events = story.wait(2);
  expect(kinds(events)).toEqual(['conditionChanged', 'recoveryRequested']);
  expect(only(events, 'recoveryRequested')[0]).toMatchObject({ rung: 'runner', attempts: [ref] });
  // It obeys: the attempt is repeated elsewhere, and with no check to be certified by, that has to do.
  story.finish('w1', ref!, {
    verdict: 'errored',
    failure: { class: 'infrastructure', code: 'RUNNER_KILLED', message: 'ended by force' },
    counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  });
  recovered(story, 'done');
  certified(story, 'notRun');
  expect(conditionOf(story, null)).toBe('ready');
});

test('where the clock of the coordinator jumped, the worker says so by its own, and nothing is ended', () => {
  const story = new Lab();
  story.join('w1');
  story.submit(tasksOf(1));
  const [ref] = story.held('w1');
  story.start('w1', ref!);
  story.nowMs += 3_600_000;
  const asked = only(story.step({ kind: 'timePassed' }), 'recoveryRequested')[0];
  expect(asked).toMatchObject({ rung: 'runner', onlyPastTimeout: true });
  recovered(story, 'notApplicable');
  expect(conditionOf(story, null)).toBe('ready');
  expect(story.held('w1')).toEqual([ref]);
  // It is not asked again before another time-out has passed, also by a coordinator that was restarted meanwhile: what is
  // suspected when follows from the state, and not from who looked at it before.
  const again = createEngine(story.config, restore(snapshot(story.engine.state)));
  expect(again.step({ kind: 'timePassed' }, story.nowMs + 60_000).events).toEqual([]);
  expect(kinds(story.wait(60_000))).toEqual([]);
  const asksAgain = again.step({ kind: 'timePassed' }, story.nowMs + story.config.overdueGraceMs + 1).events;
  expect(kinds(asksAgain)).toEqual(['conditionChanged', 'recoveryRequested']);
  expect(kinds(story.wait(story.config.overdueGraceMs + 1))).toEqual(kinds(asksAgain));
});

test('a worker that does not even answer loses the attempt to another worker and is quarantined', () => {
  const story = new Lab();
  story.join('w1');
  const run = story.submit(tasksOf(1));
  const [ref] = story.held('w1');
  story.start('w1', ref!);
  story.wait(60_000 + story.config.overdueGraceMs + 1);
  story.join('w2');
  const events = story.wait(story.config.recoverPatienceMs + 1);
  expect(only(events, 'attemptSettled')[0]).toMatchObject({ verdict: 'lost', failure: { code: 'WORKER_HUNG' } });
  expect(story.held('w2')).toEqual([{ task: `${run}.0`, attempt: 2 }]);
  expect(conditionOf(story, null)).toBe('quarantined');
  // Its late result is of an attempt that is not its own any more.
  expect(kinds(story.finish('w1', ref!))).toContain('reportsRefused');
});

test('a worker that comes back after long is given time to report what ended meanwhile', () => {
  const story = new Lab({ recoveryGraceMs: 10_000_000 });
  story.join('w1');
  story.submit(tasksOf(1));
  const [ref] = story.held('w1');
  story.start('w1', ref!);
  story.step({ kind: 'coordinatorRestarted', epoch: 1 });
  story.wait(3_600_000);
  story.join('w1', { held: [ref!] });
  expect(story.wait(1_000)).toEqual([]);
  expect(kinds(story.finish('w1', ref!))).toContain('taskSettled');
});

test('many doubts at once about a ready worker are answered by one certification', () => {
  const story = lab('w1');
  const about = { worker: w1, device: null, actor: 'ada', reason: 'a doubt' };
  expect(kinds(story.step({ kind: 'certifyWorker', ...about }))).toEqual(['certificationRequested']);
  expect(kinds(story.step({ kind: 'certifyWorker', ...about }))).toEqual([]);
  certified(story, 'passed');
  expect(kinds(story.step({ kind: 'certifyWorker', ...about }))).toEqual(['certificationRequested']);
  // A new link may never have heard of it.
  story.join('w1');
  expect(kinds(story.step({ kind: 'certifyWorker', ...about }))).toEqual(['certificationRequested']);
});
