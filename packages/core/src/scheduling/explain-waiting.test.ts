// What a person is told of a task that waits: reasons, when it is expected to start, and a change that really would let it start.
import { expect, test } from 'vitest';
import type { Explanation, Suite, TaskId } from '@assay/protocol';
import { Lab, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';
import { explainTask } from './explain.ts';

const noPolicy = { weights: {}, quotas: [], pools: {}, keys: {} };

function explain(lab: Lab, task: string): Explanation {
  const explained = explainTask(lab.engine.state, lab.config, task as TaskId, lab.nowMs);
  if (explained === null) throw new Error(`${task} is not live`);
  return explained;
}

function changeOf(lab: Lab, task: string): string[] {
  return (explain(lab, task).changes ?? []).map(({ kind, change }) => `${kind}: ${change}`);
}

function submit(lab: Lab, tasks: Parameters<Lab['submit']>[0], suite: Partial<Suite> = {}, submitter = 'ada'): void {
  lab.submit(tasks, { suites: [suiteOf(suite)] }, { submitter });
}

test('a full fleet: the smallest change is a free slot, and the start is when the running work is predicted to end', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit([
    { suite: 0, target: 'long', expectedMs: 60_000 },
    { suite: 0, target: 'next', expectedMs: 5_000 },
    { suite: 0, target: 'last', expectedMs: 1_000 },
  ]);
  const [ref] = lab.held('w1');
  lab.start('w1', ref!);
  lab.nowMs += 10_000;
  const last = explain(lab, 'r-1.2');
  expect(last.reasons).toEqual([{ reason: 'busy: fits, but has no free slot', workers: 1 }]);
  expect(last.aheadInQueue).toBe(1);
  expect(last.expectedStartMs).toBe(lab.nowMs + 50_000 + 5_000);
  expect(changeOf(lab, 'r-1.2')).toEqual(['slot: a slot of w1 is free, or one more worker like it joins']);
});

test('one part of the requirement in the way is named, with the worker that would do', () => {
  const lab = new Lab();
  lab.join('small', { profile: profileOf({ memory: { totalMiB: 4096 } }), profileDigest: 'small' });
  lab.join('none', {
    profile: profileOf({ memory: { totalMiB: 1024 }, os: { family: 'darwin', arch: 'arm64' } }),
    profileDigest: 'none',
  });
  submit(lab, tasksOf(1), { requires: 'memory.totalMiB >= 8192 && os.family == "linux"' });
  const explained = explain(lab, 'r-1.0');
  expect(explained.expectedStartMs).toBeNull();
  expect(explained.changes).toMatchObject([{ kind: 'requirement', worker: 'small' }]);
  expect(explained.changes?.[0]?.change).toContain('memory.totalMiB is 4096, needs >= 8192');
});

test('two things in the way of every worker: no single change is claimed to be enough', () => {
  const lab = new Lab();
  lab.join('w1', { profile: profileOf({ memory: { totalMiB: 1024 } }) });
  submit(lab, tasksOf(1), { requires: 'memory.totalMiB >= 8192 && os.family == "darwin"' });
  expect(explain(lab, 'r-1.0').changes).toEqual([]);
});

test('a key that is held: said of all workers, expected when its holder is over', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  lab.join('w2', { slots: 2 });
  submit(
    lab,
    [
      { suite: 0, target: 'a', expectedMs: 20_000 },
      { suite: 0, target: 'b', expectedMs: 1_000 },
    ],
    { concurrency: [{ key: 'db', max: 1 }] },
  );
  const explained = explain(lab, 'r-1.1');
  expect(explained.reasons).toEqual([{ reason: 'concurrency key "db": 1 of 1 are held', workers: 2 }]);
  expect(explained.expectedStartMs).toBe(lab.nowMs + 20_000);
  expect(changeOf(lab, 'r-1.1')).toEqual(['key: a task that holds the key is over, or the key allows one more']);
});

test('what it comes after is named', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 4 });
  submit(lab, [
    { suite: 0, target: 'build', expectedMs: 7_000 },
    { suite: 0, target: 'use', after: [0] },
  ]);
  const [ref] = lab.held('w1');
  lab.start('w1', ref!);
  const explained = explain(lab, 'r-1.1');
  expect(explained.reasons[0]?.reason).toBe('comes after 1 task that is not over, such as r-1.0');
  expect(explained.expectedStartMs).toBe(lab.nowMs + 7_000);
  expect(changeOf(lab, 'r-1.1')).toEqual(['dependency: r-1.0 passes']);
});

test('a quota in the way is named, with its use', () => {
  const lab = new Lab();
  const quotas = [{ pool: 'default', of: { kind: 'submitter' as const, name: 'ada' }, slots: 1 }];
  lab.step({ kind: 'setPolicy', policy: { ...noPolicy, quotas }, actor: 'op' });
  lab.join('w1', { slots: 4 });
  submit(lab, tasksOf(2));
  expect(explain(lab, 'r-1.1').reasons).toEqual([
    { reason: 'quota of submitter "ada" in pool "default": 1 of 1 slots are in use', workers: 1 },
  ]);
  expect(changeOf(lab, 'r-1.1')[0]).toMatch(/^quota: /);
});

test('a gang that the fleet is too small for says so, and one that waits for slots says how many', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  submit(lab, tasksOf(3), { gang: { size: 3, spread: 'slots' } });
  expect(explain(lab, 'r-1.0').reasons.map(({ reason }) => reason)).toContain(
    'needs 3 slots at once, more than all workers that fit have',
  );
  expect(explain(lab, 'r-1.0').expectedStartMs).toBeNull();
  submit(lab, tasksOf(1), { name: 'single' });
  submit(lab, tasksOf(2), { name: 'pair', gang: { size: 2, spread: 'slots' } });
  expect(explain(lab, 'r-3.0').summary).toContain('needs 2 free slots at once');
});

test('an alternative to come is said, and the start is expected when it opens', () => {
  const lab = new Lab();
  lab.join('w1');
  submit(lab, tasksOf(1), { requires: 'size(gpus) > 0', alternatives: [{ requires: '', afterMs: 60_000 }] });
  const explained = explain(lab, 'r-1.0');
  expect(explained.summary).toContain('Another alternative opens after 60 s of waiting, which 1 worker meets');
  expect(explained.expectedStartMs).toBe(lab.nowMs + 60_000);
});

test('devices in use are named by the worker that has them', () => {
  const lab = new Lab();
  lab.join('w1', {
    slots: 4,
    profile: profileOf({ gpus: [{ vendor: 'nvidia', via: 'nvidia-smi' }] }),
    profileDigest: 'gpu',
  });
  submit(lab, tasksOf(2), { claims: [{ device: 'd.class == "gpu"', share: 1 }] });
  expect(explain(lab, 'r-1.1').reasons).toEqual([{ reason: 'its devices are in use: gpu:0', workers: 1 }]);
  expect(changeOf(lab, 'r-1.1')).toEqual(['device: a device of w1 is free']);
});
