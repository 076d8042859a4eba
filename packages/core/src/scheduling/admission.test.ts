// Stories of admission: keys, quotas, pools, gangs, dependencies, alternatives, claims.
import type { RunId, RunSpec, Suite, Task } from '@assay/protocol';
import { expect, test } from 'vitest';
import type { Event } from '../engine/events.ts';
import { overheldKeys } from '../engine/invariants-admission.ts';
import { admissionReasons } from './admission.ts';
import { Lab, only, profileOf, refsOf, suiteOf, tasksOf } from '../testing/lab.ts';

const noPolicy = { weights: {}, quotas: [], pools: {}, keys: {} };

function placed(events: readonly Event[]): string[] {
  return only(events, 'tasksAssigned').flatMap((event) =>
    refsOf(event).map(({ task }) => `${task} on ${event.worker}`),
  );
}

function submit(lab: Lab, tasks: Task[], suites: Suite[], change: Partial<RunSpec> = {}, submitter = 'ada'): Event[] {
  lab.submit(tasks, { suites, ...change }, { submitter });
  return lab.journal.at(-1)?.events ?? [];
}

function finishOne(lab: Lab, worker: string, change: Parameters<Lab['finish']>[2] = {}): Event[] {
  const [ref] = lab.held(worker);
  if (ref === undefined) throw new Error(`${worker} holds nothing`);
  lab.start(worker, ref);
  return lab.finish(worker, ref, change);
}

test('a second task of one concurrency key waits, and what is behind it does not', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 4 });
  const licensed = suiteOf({ name: 'licensed', concurrency: [{ key: 'licence', max: 1 }] });
  expect(placed(submit(lab, tasksOf(3), [licensed]))).toEqual(['r-1.0 on w1']);
  expect(placed(submit(lab, tasksOf(2), [suiteOf()]))).toEqual(['r-2.0 on w1', 'r-2.1 on w1']);
  expect(overheldKeys(lab.engine.state)).toEqual([]);
  expect(placed(finishOne(lab, 'w1'))).toEqual(['r-1.1 on w1']);
});

test('a key is held across runs and submitters, and the policy may lower it', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 8 });
  const suites = [suiteOf({ concurrency: [{ key: 'db', max: 3 }] })];
  submit(lab, tasksOf(2), suites, {}, 'ada');
  expect(placed(submit(lab, tasksOf(2), suites, {}, 'bob'))).toEqual(['r-2.0 on w1']);
  lab.step({ kind: 'setPolicy', policy: { ...noPolicy, keys: { db: 1 } }, actor: 'op' });
  expect(placed(finishOne(lab, 'w1'))).toEqual([]);
  expect(placed(finishOne(lab, 'w1'))).toEqual([]);
  expect(placed(finishOne(lab, 'w1'))).toEqual(['r-2.1 on w1']);
});

test('a quota holds for each submitter in each pool, and its slots come back', () => {
  const lab = new Lab();
  lab.step({
    kind: 'setPolicy',
    policy: { ...noPolicy, quotas: [{ pool: '*', of: { kind: 'submitter' }, slots: 2 }] },
    actor: 'op',
  });
  lab.join('w1', { slots: 4 });
  lab.join('w2', { slots: 4, pool: 'other' });
  expect(placed(submit(lab, tasksOf(9), [suiteOf()]))).toHaveLength(4);
  expect(placed(submit(lab, tasksOf(1), [suiteOf()], {}, 'bob'))).toHaveLength(1);
  expect(lab.held('w1').length + lab.held('w2').length).toBe(5);
  expect(placed(finishOne(lab, 'w2'))).toHaveLength(1);
});

test('a pool is asked for by name; a reserved one takes nobody else', () => {
  const lab = new Lab();
  lab.join('w1', { pool: 'gpu' });
  expect(placed(submit(lab, tasksOf(1), [suiteOf()], { pool: 'cpu' }))).toEqual([]);
  lab.step({ kind: 'setPolicy', policy: { ...noPolicy, pools: { gpu: { reserved: true } } }, actor: 'op' });
  const events = submit(lab, tasksOf(1), [suiteOf()]);
  expect(placed(events)).toEqual([]);
  expect(only(events, 'runUnplaceable')[0]?.reasons).toEqual([
    { reason: 'pool "gpu" is reserved for runs that ask for it', workers: 1 },
  ]);
  expect(placed(submit(lab, tasksOf(1), [suiteOf()], { pool: 'gpu' }))).toEqual(['r-3.0 on w1']);
  expect(placed(lab.join('w2', { pool: 'cpu' }))).toEqual(['r-1.0 on w2']);
});

test('a gang starts on all of its slots in one step, or waits and holds none', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  const pair = suiteOf({ name: 'pair', gang: { size: 2, spread: 'workers' } });
  expect(placed(submit(lab, tasksOf(4), [pair]))).toEqual([]);
  expect(placed(lab.join('w2', { slots: 1 })).sort()).toEqual(['r-1.0 on w1', 'r-1.1 on w2']);
  expect(placed(finishOne(lab, 'w2'))).toEqual(['r-1.2 on w2', 'r-1.3 on w1']);
});

test('single tasks cannot starve a gang: what becomes free is kept for it after its patience', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 1 });
  lab.join('w2', { slots: 1 });
  submit(lab, tasksOf(2), [suiteOf()]);
  submit(lab, tasksOf(2), [suiteOf({ name: 'pair', gang: { size: 2, spread: 'slots' } })]);
  submit(lab, tasksOf(20), [suiteOf({ name: 'singles' })]);
  expect(placed(finishOne(lab, 'w1'))).toEqual(['r-3.0 on w1']);
  lab.wait(lab.config.gangReserveAfterMs);
  expect(placed(finishOne(lab, 'w1'))).toEqual([]);
  expect(placed(finishOne(lab, 'w2')).sort()).toEqual(['r-2.0 on w2', 'r-2.1 on w1']);
});

test('what was kept for a gang is given to others as soon as it starts, in the same step', () => {
  const lab = new Lab();
  lab.join('w1');
  submit(lab, tasksOf(2), [suiteOf({ name: 'pair', gang: { size: 2, spread: 'slots' } })]);
  submit(lab, tasksOf(3), [suiteOf({ name: 'singles' })]);
  lab.wait(lab.config.gangReserveAfterMs);
  expect(placed(lab.join('w2', { slots: 3 })).sort()).toEqual(['r-1.0 on w2', 'r-1.1 on w2', 'r-2.1 on w2']);
});

test('a gang of which one is lost starts again together, and spends only the retry of the lost one', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  lab.join('w3');
  submit(lab, tasksOf(2), [suiteOf({ gang: { size: 2, spread: 'workers' } })]);
  for (const worker of ['w1', 'w2']) for (const ref of lab.held(worker)) lab.start(worker, ref);
  const events = lab.step({ kind: 'workerWentSilent', worker: 'w1' as never, session: lab.session('w1') });
  expect(only(events, 'gangRestarted')).toHaveLength(1);
  expect(placed(events)).toEqual([]);
  const [ref] = lab.held('w2');
  const again = lab.finish('w2', ref!, { verdict: 'canceled' });
  expect(placed(again).sort()).toEqual(['r-1.0 on w3', 'r-1.1 on w2'].sort());
  const { tasks } = [...lab.engine.state.runs.values()][0]!;
  expect(tasks.map(({ infrastructureRetries }) => infrastructureRetries).sort((a, b) => a - b)).toEqual([0, 1]);
});

test('a task waits for what it comes after, and is settled with the reason where that did not pass', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 4 });
  const tasks: Task[] = [
    { suite: 0, target: 'build' },
    { suite: 0, target: 'use', after: [0] },
    { suite: 0, target: 'report', after: [1] },
    { suite: 0, target: 'broken' },
    { suite: 0, target: 'on-broken', after: [0, 3] },
  ];
  expect(placed(submit(lab, tasks, [suiteOf()]))).toEqual(['r-1.0 on w1', 'r-1.3 on w1']);
  expect(placed(finishOne(lab, 'w1'))).toEqual(['r-1.1 on w1']);
  const failed = finishOne(lab, 'w1', { verdict: 'failed' });
  expect(only(failed, 'taskSettled').map(({ task, verdict }) => `${task} ${verdict}`)).toEqual([
    'r-1.3 failed',
    'r-1.4 skipped',
  ]);
  const lost = finishOne(lab, 'w1', {
    verdict: 'inconclusive',
    failure: { class: 'configuration', code: 'NO_TESTS_FOUND', message: 'none' },
  });
  expect(only(lost, 'taskSettled').map(({ task, verdict }) => `${task} ${verdict}`)).toEqual([
    'r-1.1 inconclusive',
    'r-1.2 inconclusive',
  ]);
  expect(only(lost, 'runSettled')).toHaveLength(1);
});

test('a chain of 50,000 dependents is settled without a stack of that depth', () => {
  const lab = new Lab();
  lab.areInvariantsChecked = false;
  lab.join('w1');
  const tasks = Array.from({ length: 50_000 }, (_, index): Task => ({
    suite: 0,
    target: `t${index}`,
    ...(index === 0 ? {} : { after: [index - 1] }),
  }));
  submit(lab, tasks, [suiteOf()]);
  expect(only(finishOne(lab, 'w1', { verdict: 'failed' }), 'taskSettled')).toHaveLength(50_000);
});

test('an alternative opens in its time, is said, and never lets in what meets neither', () => {
  const lab = new Lab();
  const gpu = { vendor: 'nvidia', via: 'nvidia-smi' };
  const suite = suiteOf({
    requires: 'size(gpus) > 0',
    alternatives: [{ requires: 'declared.emulator == true', afterMs: 300_000 }],
  });
  lab.join('plain');
  const said = only(submit(lab, tasksOf(2), [suite]), 'runUnplaceable');
  expect(said).toHaveLength(1);
  lab.join('emulator', { declared: { emulator: true } });
  expect(lab.held('emulator')).toEqual([]);
  const opened = lab.wait(300_000);
  expect(only(opened, 'alternativeOpened')).toMatchObject([{ run: 'r-1', opened: 1, waitedMs: 300_000, tasks: 2 }]);
  expect(placed(opened)).toEqual(['r-1.0 on emulator']);
  // What was asked for first stays open.
  expect(placed(lab.join('real', { profile: profileOf({ gpus: [gpu] }), profileDigest: 'gpu' }))).toEqual([
    'r-1.1 on real',
  ]);
  expect(lab.held('plain')).toEqual([]);
});

test('with the alternative open, what was asked for first is still taken first', () => {
  const lab = new Lab();
  const gpu = { vendor: 'nvidia', via: 'nvidia-smi' };
  lab.join('a-emulator', { declared: { emulator: true } });
  lab.join('real', { profile: profileOf({ gpus: [gpu] }), profileDigest: 'gpu' });
  const requires = 'size(gpus) > 0';
  // It had work more recently, its id comes later, and others want it more: all that would speak for the emulator.
  expect(placed(submit(lab, tasksOf(1), [suiteOf({ requires })]))).toEqual(['r-1.0 on real']);
  finishOne(lab, 'real');
  const suite = suiteOf({ requires, alternatives: [{ requires: 'declared.emulator == true', afterMs: 0 }] });
  expect(placed(submit(lab, tasksOf(2), [suite]))).toEqual(['r-2.0 on real', 'r-2.1 on a-emulator']);
});

test('a run that nobody can do now, and a later alternative can, waits for it although it asked not to wait', () => {
  const lab = new Lab();
  lab.join('plain');
  const suite = suiteOf({ requires: 'size(gpus) > 0', alternatives: [{ requires: '', afterMs: 60_000 }] });
  const events = submit(lab, tasksOf(1), [suite], { unplaceable: 'settle' });
  expect(only(events, 'taskSettled')).toEqual([]);
  expect(only(events, 'runUnplaceable')[0]?.reasons.at(-1)?.reason).toMatch(
    /another alternative opens after 60 s of waiting, which 1 worker meets/,
  );
  expect(placed(lab.wait(60_000))).toEqual(['r-1.0 on plain']);
});

test('an exclusive device is given once, shares up to the whole, and the names travel with the assignment', () => {
  const lab = new Lab();
  const gpu = { vendor: 'nvidia', via: 'nvidia-smi', model: 'H100' };
  lab.join('w1', { slots: 8, profile: profileOf({ gpus: [gpu, gpu] }), profileDigest: 'two' });
  const whole = suiteOf({ name: 'whole', claims: [{ device: 'd.class == "gpu"', share: 1 }] });
  const half = suiteOf({ name: 'half', claims: [{ device: 'd.class == "gpu"', share: 0.5 }] });
  const first = only(submit(lab, tasksOf(1), [whole]), 'tasksAssigned');
  expect(first[0]?.devices).toEqual([{ device: 'gpu:0', share: 1 }]);
  const shared = only(submit(lab, tasksOf(3), [half]), 'tasksAssigned');
  expect(shared.map(({ devices }) => devices?.[0]?.device)).toEqual(['gpu:1', 'gpu:1']);
  expect(only(finishOne(lab, 'w1'), 'tasksAssigned')[0]?.devices).toEqual([{ device: 'gpu:0', share: 0.5 }]);
});

test('a worker that never has the devices misfits, with the claim as the reason', () => {
  const lab = new Lab();
  lab.join('w1');
  const events = submit(lab, tasksOf(1), [suiteOf({ claims: [{ device: 'd.class == "npu"', share: 1 }] })]);
  expect(only(events, 'runUnplaceable')[0]?.reasons[0]?.reason).toBe('no device is d.class == "npu"');
});

const bad: [string, Partial<RunSpec>, Task[], RegExp][] = [
  ['a task after itself', {}, [{ suite: 0, target: 'a', after: [0] }], /after itself/],
  [
    'a cycle',
    {},
    [
      { suite: 0, target: 'a', after: [1] },
      { suite: 0, target: 'b', after: [0] },
    ],
    /not before it/,
  ],
  ['an unknown index', {}, [{ suite: 0, target: 'a', after: [7] }], /task 7, which is not before it/],
  ['half a gang', { suites: [suiteOf({ gang: { size: 2, spread: 'slots' } })] }, tasksOf(3), /3 tasks/],
  [
    'a gang larger than its key',
    { suites: [suiteOf({ gang: { size: 3, spread: 'slots' }, concurrency: [{ key: 'k', max: 2 }] })] },
    tasksOf(3),
    /hold the key k 3 times/,
  ],
  [
    'a key named twice',
    {
      suites: [
        suiteOf({
          concurrency: [
            { key: 'k', max: 2 },
            { key: 'k', max: 3 },
          ],
        }),
      ],
    },
    tasksOf(1),
    /names the key k twice/,
  ],
  [
    'an alternative that does not parse',
    { suites: [suiteOf({ alternatives: [{ requires: 'cpu.count >', afterMs: 1 }] })] },
    tasksOf(1),
    /Unexpected token/,
  ],
  [
    'a claim that does not parse',
    { suites: [suiteOf({ claims: [{ device: 'd.', share: 1 }] })] },
    tasksOf(1),
    /claim d\./,
  ],
];
test.each(bad)('refused before anything changes: %s', (_, change, tasks, reason) => {
  const lab = new Lab();
  lab.submit(tasks, change);
  expect(lab.reply).toMatchObject({ kind: 'refused', reason: expect.stringMatching(reason) as string });
  expect(lab.engine.state.runs.size).toBe(0);
});

test('a gang larger than the fleet waits without keeping anything from others', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  submit(lab, tasksOf(3), [suiteOf({ gang: { size: 3, spread: 'slots' } })]);
  lab.wait(10 * lab.config.gangReserveAfterMs);
  expect(placed(submit(lab, tasksOf(2), [suiteOf({ name: 'singles' })]))).toHaveLength(2);
});

test('a gang larger than its quota waits without keeping anything from others, says why, and starts when the quota allows it', () => {
  const lab = new Lab();
  const quotas = (slots: number) => [{ pool: '*', of: { kind: 'submitter' as const, name: 'ada' }, slots }];
  lab.step({ kind: 'setPolicy', policy: { ...noPolicy, quotas: quotas(2) }, actor: 'op' });
  lab.join('w1', { slots: 4 });
  submit(lab, tasksOf(3), [suiteOf({ gang: { size: 3, spread: 'slots' } })]);
  lab.wait(10 * lab.config.gangReserveAfterMs);
  expect(placed(submit(lab, tasksOf(4), [suiteOf({ name: 'singles' })], {}, 'bob'))).toHaveLength(4);
  const lane = lab.engine.state.runs.get('r-1' as RunId)?.lanes[0];
  if (lane === undefined) throw new Error('the gang has no lane');
  expect(admissionReasons(lab.engine.state, lane, null, 3)).toEqual([
    expect.objectContaining({ kind: 'quota', reason: 'needs 3 slots at once, more than its quotas allow' }),
  ]);
  lab.step({ kind: 'setPolicy', policy: { ...noPolicy, quotas: quotas(3) }, actor: 'op' });
  const started = Array.from({ length: 4 }, () => placed(finishOne(lab, 'w1'))).flat();
  expect(started).toEqual(['r-1.0 on w1', 'r-1.1 on w1', 'r-1.2 on w1']);
});

test('a chunk that is repeated after its run left is answered as the repeat that it is', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 4 });
  const run = lab.submit(tasksOf(1), {}, { sealed: false });
  const more = { kind: 'addTasks', run, chunk: 1, tasks: tasksOf(['x']), sealed: true } as const;
  lab.step(more);
  finishOne(lab, 'w1');
  finishOne(lab, 'w1');
  lab.step({ kind: 'resultsAcknowledged', seq: lab.engine.state.seq });
  expect(lab.engine.state.runs.size).toBe(0);
  lab.step(more);
  expect(lab.reply).toEqual({ kind: 'runAccepted', run, tasks: 2, isRepeat: true });
  lab.step({ ...more, chunk: 2 });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'RUN_SEALED' });
});
