// A run with every kind of ending, made by hand: what the report writers are tested on.
import type { Case, RunView, TaskView, Verdict } from '@assay/protocol';
import { assembleReport, type RunReport } from '../report/model.ts';

export const hostile = 'a <b> & "c" \u0000\u001b[31m ]]> ``` | *x*';

function task(
  index: number,
  target: string,
  verdict: Verdict,
  failure?: { code: string; message: string },
  more: Partial<TaskView> = {},
): TaskView {
  return {
    task: `r-1.${index}`,
    run: 'r-1',
    suite: 'unit',
    target,
    requires: '',
    state: 'settled',
    verdict,
    attempts: [
      {
        attempt: 1,
        worker: 'w-1',
        workerName: 'first',
        startedAtMs: 1_700_000_000_000,
        verdict,
        costMs: 1_234.5,
        blobs: [],
        ...(failure === undefined ? {} : { failure: { class: 'test', ...failure } }),
      },
    ],
    ...more,
  } as unknown as TaskView;
}

const failing: Case = {
  path: ['group', hostile],
  status: 'failed',
  durationMs: 3,
  failure: { message: hostile, stack: `Error: ${hostile}\n    at x` },
};

export function reportFixture(): RunReport {
  const run = {
    run: 'r-1',
    name: `nightly ${hostile}`,
    project: 'p',
    submitter: 's',
    priority: 0,
    state: 'settled',
    verdict: 'failed',
    isSealed: true,
    isCanceled: false,
    submittedAtMs: 1_700_000_000_000,
    settledAtMs: 1_700_000_060_000,
    tasks: {
      total: 4,
      queued: 0,
      assigned: 0,
      running: 0,
      settled: 4,
      verdicts: { passed: 1, failed: 1, errored: 1, timedOut: 1 },
    },
    cases: { passed: 1, failed: 1, skipped: 1, todo: 0 },
    unplaceable: [],
    labels: {},
  } as unknown as RunView;
  const tasks = [
    task(0, 'a.test.ts', 'passed', undefined, {
      variant: 'batch 16',
      diagnosis: {
        fault: 'device',
        confidence: 'proven',
        rule: 'unit-fails-peer-passes',
        subject: 'first',
        summary: `It failed on first ${hostile} and passed on another unit.`,
        attempts: [1, 2],
      },
    }),
    task(1, 'b.test.ts', 'failed', { code: 'TESTS_FAILED', message: '1 failed' }),
    task(2, 'c.test.ts', 'errored', { code: 'FILE_FAILED_TO_LOAD', message: hostile }),
    task(3, 'd.test.ts', 'timedOut', { code: 'TIMED_OUT', message: 'after 10 s' }),
  ];
  const cases = new Map<string, Case[]>([
    [
      'r-1.0',
      [
        { path: ['ok'], status: 'passed', durationMs: 1 },
        { path: ['later'], status: 'skipped', durationMs: 0 },
      ],
    ],
    ['r-1.1', [failing]],
  ]);
  return assembleReport(run, tasks, cases);
}
