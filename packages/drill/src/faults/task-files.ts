// Faults that a test itself has: files of the drill's project, each with the end that the product has to give it. Each writes a mark
// with its process's number when it starts (or does) what it is named for; the process is then watched from outside.
import type { TaskFault } from './fault.ts';

/** `mark(text)` writes `DRILL_MARKS/<task fault>-<pid>`: "<pid> <text>". */
const marked = (id: string, body: string): string => `import test from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
const mark = (text) => writeFileSync(process.env.DRILL_MARKS + '/${id}-' + process.pid, process.pid + ' ' + text);
${body}
`;

const task = { kind: 'task', family: 'task' } as const;

export const taskFaults: readonly TaskFault[] = [
  {
    ...task,
    id: 'task-assertion',
    title: 'an assertion fails',
    suite: 'unit',
    expects: { verdict: 'failed', class: 'test', codes: ['TESTS_FAILED'] },
    shows: 'said',
    says: 'ERR_ASSERTION',
    file: marked(
      'task-assertion',
      `test('holds', () => {});
test('two and two', () => {
  try {
    assert.equal(2 + 2, 5);
  } catch (error) {
    mark(error.code);
    throw error;
  }
});`,
    ),
  },
  {
    ...task,
    id: 'task-crash',
    title: 'the process of the runner is killed by its own test (SIGABRT)',
    suite: 'unit',
    expects: { verdict: 'errored', class: 'test', codes: ['RUNNER_DIED', 'ABORTED', 'CRASHED'] },
    shows: 'gone',
    file: marked('task-crash', `test('aborts', () => { mark('aborts'); process.abort(); });`),
  },
  {
    ...task,
    id: 'task-endless-loop',
    title: 'a test never ends and keeps its processor busy',
    suite: 'bounded',
    expects: { verdict: 'timedOut', class: 'timeout', codes: ['TIMED_OUT', 'NO_OUTPUT'] },
    shows: 'burning',
    file: marked('task-endless-loop', `test('spins', () => { mark('spins'); for (;;); });`),
  },
  {
    ...task,
    id: 'task-no-output',
    title: 'a test waits for ever and says nothing',
    suite: 'bounded',
    expects: { verdict: 'timedOut', class: 'timeout', codes: ['NO_OUTPUT', 'TIMED_OUT'] },
    shows: 'idle',
    file: marked(
      'task-no-output',
      `test('waits', () => { mark('waits'); return new Promise(() => setInterval(() => {}, 1000)); });`,
    ),
  },
];
