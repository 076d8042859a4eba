import type { TaskId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { explainTask } from '../../scheduling/explain.ts';
import { kinds, Lab, only, profileOf, suiteOf, tasksOf } from '../../testing/lab.ts';
import { viewRun, viewTask, viewWorkers } from '../views.ts';

const large = { suites: [suiteOf({ requires: 'memory.totalMiB >= 16384' })] };
const ofMemory = (totalMiB: number) => ({
  profile: profileOf({ memory: { totalMiB } }),
  profileDigest: `m${totalMiB}`,
});

test('work that no worker can do is said at once, with counted reasons, and again only when the reasons change', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  const run = lab.submit(tasksOf(3), large);
  const reasons = [{ reason: 'memory.totalMiB is 8192, needs >= 16384', workers: 2 }];
  expect(only(lab.journal.at(-1)?.events ?? [], 'runUnplaceable')).toEqual([
    { kind: 'runUnplaceable', run, suite: 0, requires: 'memory.totalMiB >= 16384', tasks: 3, reasons },
  ]);
  expect(viewRun(lab.engine.state, run)?.unplaceable).toEqual([
    { requires: 'memory.totalMiB >= 16384', tasks: 3, reasons },
  ]);
  expect(kinds(lab.join('w3'))).toEqual(['workerJoined']);
  expect(only(lab.join('w4', ofMemory(4096)), 'runUnplaceable')[0]?.reasons).toHaveLength(2);
  expect(kinds(lab.join('w5', ofMemory(32_768)))).toEqual(['workerJoined', 'tasksAssigned']);
  expect(viewRun(lab.engine.state, run)?.unplaceable).toEqual([]);
});

test('a worker in its grace may still come back; when it is lost, what it alone could do is said to be unplaceable', () => {
  const lab = new Lab();
  lab.join('w1', ofMemory(32_768));
  lab.submit(tasksOf(2), large);
  expect(kinds(lab.cut('w1'))).toEqual(['workerDisconnected']);
  expect(kinds(lab.wait(lab.config.reconnectGraceMs))).toEqual(['workerLost', 'tasksReturned', 'runUnplaceable']);
  expect(only(lab.journal.at(-1)?.events ?? [], 'runUnplaceable')[0]?.reasons).toEqual([
    { reason: 'no worker is connected', workers: 0 },
  ]);
});

test('a run that does not want to wait settles what is unplaceable as inconclusive, with the reasons as evidence', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit([...tasksOf(1), ...tasksOf(['big'], 1)], {
    suites: [suiteOf(), ...large.suites],
    unplaceable: 'settle',
  });
  expect(viewTask(lab.engine.state, `${run}.1` as TaskId)).toMatchObject({
    state: 'settled',
    verdict: 'inconclusive',
    attempts: [
      {
        worker: null,
        failure: {
          code: 'UNPLACEABLE',
          message: 'No connected worker can do this task: memory.totalMiB is 8192, needs >= 16384 (1 worker)',
        },
      },
    ],
  });
  lab.finish('w1', lab.held('w1')[0]!);
  expect(viewRun(lab.engine.state, run)).toMatchObject({
    state: 'settled',
    verdict: 'inconclusive',
    tasks: { verdicts: { passed: 1, inconclusive: 1 } },
  });
});

test('a settled task is explained by its last placement, and its attempts say theirs', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  lab.join('small', ofMemory(1024));
  const run = lab.submit([{ suite: 0, target: 'a', expectedMs: 500 }], {
    suites: [suiteOf({ requires: 'memory.totalMiB >= 4096' })],
  });
  const atMs = lab.nowMs;
  const id = `${run}.0` as TaskId;
  const before = explainTask(lab.engine.state, lab.config, id, lab.nowMs)?.placement;
  lab.nowMs += 700;
  lab.finish('w1', lab.held('w1')[0]!);
  const placement = {
    worker: 'w1',
    atMs,
    rule: 'longest expected first, where it is expected to finish first',
    fittingWorkers: 2,
    freeWorkers: 2,
    expectedMs: 500,
    batch: 1,
  };
  expect(before).toEqual(placement);
  expect(explainTask(lab.engine.state, lab.config, id, lab.nowMs)).toEqual({
    task: id,
    state: 'settled',
    summary: 'Settled as passed on w1',
    reasons: [],
    placement,
  });
  expect(viewTask(lab.engine.state, id)?.attempts).toMatchObject([{ attempt: 1, verdict: 'passed', placement }]);
});

test('a waiting task is explained by what keeps each worker from it, and by what is ahead', () => {
  const lab = new Lab();
  lab.join('busy');
  lab.join('small', ofMemory(1024));
  lab.join('tired');
  lab.join('away');
  const run = lab.submit(
    [
      { suite: 0, target: 'a', expectedMs: 500 },
      { suite: 0, target: 'b', expectedMs: 100 },
      { suite: 0, target: 'c', expectedMs: 300 },
      { suite: 0, target: 'd', expectedMs: 50 },
      { suite: 0, target: 'e', expectedMs: 50 },
    ],
    {
      suites: [suiteOf({ requires: 'memory.totalMiB >= 4096' })],
    },
  );
  lab.step({ kind: 'drainWorker', worker: 'tired' as never, actor: 'ada', reason: '' });
  lab.cut('away');
  lab.nowMs += 3_000;
  const explanation = explainTask(lab.engine.state, lab.config, `${run}.4` as TaskId, lab.nowMs);
  expect(explanation).toMatchObject({
    task: `${run}.4`,
    state: 'queued',
    summary: 'Waits for a free slot: 3 of 4 workers fit, 1 tasks are ahead. Waited 3 s.',
    reasons: [
      { reason: 'busy: fits, but has no free slot', workers: 1 },
      { reason: 'disconnected: may come back', workers: 1 },
      { reason: 'draining: takes no new work', workers: 1 },
      { reason: 'memory.totalMiB is 1024, needs >= 4096', workers: 1 },
    ],
    aheadInQueue: 1,
  });
  const placed = explainTask(lab.engine.state, lab.config, `${run}.0` as TaskId, lab.nowMs);
  // Longest first, on the least loaded worker; of equals the one whose id is first.
  expect(placed).toMatchObject({
    state: 'assigned',
    placement: { worker: 'away', fittingWorkers: 3, freeWorkers: 3, expectedMs: 500, batch: 1 },
  });
  expect(explainTask(lab.engine.state, lab.config, 'r-9.0' as TaskId, 0)).toBeNull();
  expect(viewWorkers(lab.engine.state).map(({ worker, state }) => `${worker} ${state}`)).toEqual([
    'busy busy',
    'small ready',
    'tired draining',
    'away disconnected',
  ]);
  expect(explanation?.changes?.map(({ kind, worker }) => `${kind} ${worker}`)).toEqual([
    'slot busy',
    'worker tired',
    'requirement small',
  ]);
});
