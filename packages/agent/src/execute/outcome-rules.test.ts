import { expect, test } from 'vitest';
import { judge } from './outcome-rules.ts';
import type { Seen } from './outcome-rules.ts';

const nothing: Seen = {
  target: 'a.test.ts',
  runner: 'vitest',
  counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  stopped: null,
  corrupt: null,
  died: null,
  oomKills: null,
  scratchFreeBytes: null,
  loadError: null,
  errors: [],
  noTests: null,
  firstFailure: null,
  unproven: null,
  trouble: null,
};
const passed = { ...nothing.counts, passed: 1 };
const killed = { message: '', exitCode: null, signal: 'SIGKILL' };

const stories: readonly [string, Partial<Seen>, string][] = [
  ['a case passed', { counts: passed }, 'passed'],
  ['a case passed and one was skipped', { counts: { ...passed, skipped: 1 } }, 'passed'],
  ['all were skipped', { counts: { ...nothing.counts, skipped: 2 } }, 'skipped'],
  ['all are to do', { counts: { ...nothing.counts, todo: 2 } }, 'skipped'],
  ['nothing ran', {}, 'inconclusive test NO_TESTS_RAN'],
  ['a case failed', { counts: { ...passed, failed: 1 } }, 'failed test TESTS_FAILED'],
  [
    'all passed, but something broke outside',
    { counts: passed, errors: [{ message: 'x' }] },
    'failed test ERRORS_OUTSIDE_TESTS',
  ],
  ['the file did not load', { loadError: { message: 'x' } }, 'failed test FILE_FAILED_TO_LOAD'],
  ['killed, and the kernel says for memory', { died: killed, oomKills: 1 }, 'errored infrastructure OUT_OF_MEMORY'],
  ['killed, and the kernel says not for memory', { died: killed, oomKills: 0 }, 'errored unknown RUNNER_DIED'],
  ['killed, and the kernel does not say', { died: killed }, 'errored unknown RUNNER_DIED'],
  ['it crashed', { died: { ...killed, signal: 'SIGSEGV' } }, 'errored test RUNNER_DIED'],
  ['it ended itself', { counts: passed, died: { message: '', exitCode: 0, signal: null } }, 'errored test RUNNER_DIED'],
  ['it died on a full disk', { died: killed, scratchFreeBytes: 0 }, 'errored infrastructure SCRATCH_DISK_FULL'],
  [
    'a runner that could not start on a full disk',
    {
      trouble: { code: 'RUNNER_FAILED_TO_START', message: 'ENOSPC', class: 'configuration', verdict: 'errored' },
      scratchFreeBytes: 0,
    },
    'errored infrastructure SCRATCH_DISK_FULL',
  ],
  ['a full disk that cut nothing short', { counts: passed, scratchFreeBytes: 0 }, 'passed'],
  ['a corrupt report outweighs what it says', { counts: passed, corrupt: 'x' }, 'errored test REPORT_CORRUPT'],
  [
    'a time-out outweighs the death it caused',
    { stopped: { kind: 'timedOut', message: 'x' }, died: killed },
    'timedOut timeout TIMED_OUT',
  ],
  [
    'canceled outweighs a failure',
    { stopped: { kind: 'canceled', message: 'x' }, counts: { ...passed, failed: 1 } },
    'canceled unknown CANCELED',
  ],
];

test.each(stories)('%s', (_story, seen, expected) => {
  const { verdict, failure } = judge({ ...nothing, ...seen });
  expect(failure ? `${verdict} ${failure.class} ${failure.code}` : verdict).toBe(expected);
});
