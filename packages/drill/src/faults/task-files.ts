// Faults that a test itself has: files of the drill's project, each with the end that the product has to give it. Every one of them
// leaves a mark with its process's number when it starts what it is named for; the process is then watched from outside.
import type { Expectation } from '../world/project.ts';

export type TaskFault = {
  readonly id: string;
  readonly title: string;
  readonly suite: string;
  readonly expects: Expectation;
  /** Where the proof comes from. */
  readonly shows: 'mark' | 'gone' | 'burning' | 'idle';
  readonly file: string;
};

/** Writes `DRILL_MARKS/<task fault>-<pid>` first, so that the drill knows the process. */
const marked = (id: string, body: string, head = ''): string => `import test from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
${head}const mark = () => writeFileSync(process.env.DRILL_MARKS + '/${id}-' + process.pid, String(process.pid));
${body}
`;

export const taskFaults: readonly TaskFault[] = [
  {
    id: 'task-assertion',
    title: 'an assertion fails',
    suite: 'unit',
    expects: { verdict: 'failed', class: 'test', codes: ['TESTS_FAILED'] },
    shows: 'mark',
    file: marked(
      'task-assertion',
      `test('holds', () => {});\ntest('two and two', () => { mark(); assert.equal(2 + 2, 5); });`,
    ),
  },
  {
    id: 'task-crash',
    title: 'the process of the runner is killed by its own test (SIGABRT)',
    suite: 'unit',
    expects: { verdict: 'errored', class: 'test', codes: ['RUNNER_DIED', 'ABORTED', 'CRASHED'] },
    shows: 'gone',
    file: marked('task-crash', `test('aborts', () => { mark(); process.abort(); });`),
  },
  {
    id: 'task-endless-loop',
    title: 'a test never ends and keeps its processor busy',
    suite: 'bounded',
    expects: { verdict: 'timedOut', class: 'timeout', codes: ['TIMED_OUT', 'NO_OUTPUT'] },
    shows: 'burning',
    file: marked('task-endless-loop', `test('spins', () => { mark(); for (;;); });`),
  },
  {
    id: 'task-no-output',
    title: 'a test waits for ever and says nothing',
    suite: 'bounded',
    expects: { verdict: 'timedOut', class: 'timeout', codes: ['NO_OUTPUT', 'TIMED_OUT'] },
    shows: 'idle',
    file: marked(
      'task-no-output',
      `test('waits', () => { mark(); return new Promise(() => setInterval(() => {}, 1000)); });`,
    ),
  },
];
