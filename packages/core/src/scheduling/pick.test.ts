// Who gets what: priority, order, the longest first, the least loaded, and scarce machines kept for those who need them.
import { expect, test } from 'vitest';
import { Lab, only, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';
import type { Event } from '../engine/events.ts';

const gpuMachine = { profile: profileOf({ gpus: [{ vendor: 'nvidia', via: 'nvidia-smi' }] }), profileDigest: 'gpu' };
const last = (lab: Lab): readonly Event[] => lab.journal.at(-1)?.events ?? [];
const placed = (events: readonly Event[]): string[] =>
  only(events, 'tasksAssigned').map(
    ({ run, worker, tasks }) => `${run}.${tasks.map(({ index }) => index).join('+')} -> ${worker}`,
  );

test('higher priority goes first, then the run submitted first, and in it the longest expected', () => {
  const lab = new Lab();
  lab.submit([
    { suite: 0, target: 'short', expectedMs: 10 },
    { suite: 0, target: 'long', expectedMs: 900 },
    { suite: 0, target: 'unknown' },
  ]);
  lab.submit(tasksOf(1));
  lab.submit(tasksOf(1), { priority: 5 });
  expect(placed(lab.join('w1', { slots: 5 }))).toEqual([
    'r-3.0 -> w1',
    'r-1.2 -> w1',
    'r-1.1 -> w1',
    'r-1.0 -> w1',
    'r-2.0 -> w1',
  ]);
});

test('work is spread over the least loaded, by the share of slots in use', () => {
  const lab = new Lab();
  lab.join('wide', { slots: 4 });
  lab.join('narrow', { slots: 1 });
  lab.submit(tasksOf(5));
  expect(placed(last(lab)).map((line) => line.split(' ')[2])).toEqual(['narrow', 'wide', 'wide', 'wide', 'wide']);
});

test('a machine that others wait for is not spent on what any machine can do', () => {
  const lab = new Lab();
  lab.join('any');
  lab.join('a-gpu', gpuMachine);
  const both = { suites: [suiteOf({ name: 'plain' }), suiteOf({ name: 'gpu', requires: 'size(gpus) > 0' })] };
  lab.submit(
    [
      { suite: 0, target: 'plain' },
      { suite: 1, target: 'gpu' },
    ],
    both,
  );
  expect(placed(last(lab))).toEqual(['r-1.0 -> any', 'r-1.1 -> a-gpu']);
});

test('nothing is placed where it does not fit, and a worker that fits takes it when it comes', () => {
  const lab = new Lab();
  lab.join('plain', { slots: 9 });
  lab.submit(tasksOf(2), { suites: [suiteOf({ requires: 'size(gpus) > 0' })] });
  expect(placed(last(lab))).toEqual([]);
  expect(placed(lab.join('gpu', { ...gpuMachine, slots: 1 }))).toEqual(['r-1.0 -> gpu']);
  expect(placed(lab.finish('gpu', lab.held('gpu')[0]!))).toEqual(['r-1.1 -> gpu']);
});

test('what ran before is expected to take as long as it lately did; what is new, as long as its suite does', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(['slow', 'quick']));
  lab.finish('w1', lab.held('w1')[0]!, { costMs: 4_000 });
  lab.finish('w1', lab.held('w1')[0]!, { costMs: 200 });
  lab.submit(tasksOf(['new', 'quick', 'slow']));
  const order = [];
  for (let turn = 0; turn < 3; turn += 1) {
    order.push(only(last(lab), 'tasksAssigned')[0]?.tasks.map(({ index, expectedMs }) => [index, expectedMs]));
    lab.finish('w1', lab.held('w1')[0]!, { verdict: 'errored', costMs: 1 });
  }
  // The suite's mean after both: 4000, then half way to 200.
  expect(order).toEqual([[[2, 4_000]], [[0, 2_100]], [[1, 200]]]);
});

test('durations are remembered up to a bound, the longest unused forgotten first', () => {
  const lab = new Lab({ durationsMax: 10 });
  lab.join('w1');
  lab.submit(tasksOf(11));
  let forgotten: Event[] = [];
  while (lab.held('w1').length > 0) forgotten = only(lab.finish('w1', lab.held('w1')[0]!), 'historyTrimmed');
  expect(forgotten).toEqual([{ kind: 'historyTrimmed', durations: 2, suites: 0, retiredKeys: 0 }]);
  expect([...lab.engine.state.durations.entries()].map(([key]) => key.split('\n').at(-1))).toEqual([
    't2',
    't3',
    't4',
    't5',
    't6',
    't7',
    't8',
    't9',
    't10',
  ]);
});

test('an infrastructure retry goes before its lane but not before higher priority', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  lab.submit(tasksOf(4));
  const failure = { class: 'infrastructure', code: 'SETUP_FAILED', message: 'no' } as const;
  lab.finish('w1', lab.held('w1')[0]!, { verdict: 'errored', failure });
  lab.submit(tasksOf(1), { priority: 1 });
  expect(placed(lab.finish('w2', lab.held('w2')[0]!))).toEqual(['r-2.0 -> w2']);
  expect(placed(lab.finish('w2', lab.held('w2')[0]!))).toEqual(['r-1.0 -> w2']);
});
