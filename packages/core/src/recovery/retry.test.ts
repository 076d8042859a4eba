import { failureClasses, verdicts } from '@assay/protocol';
import { expect, test } from 'vitest';
import { budgetOf } from './retry.ts';
import { verdictOfRun } from './run-verdict.ts';

const failure = (failureClass: (typeof failureClasses)[number], code = 'TESTS_FAILED') => ({
  class: failureClass,
  code,
  message: '',
});

test('a result is a result: passed, skipped, inconclusive and canceled are never repeated, whatever failure they carry', () => {
  for (const verdict of ['passed', 'skipped', 'inconclusive', 'canceled'] as const) {
    for (const failureClass of failureClasses) expect(budgetOf(verdict, failure(failureClass))).toBe('never');
  }
});

test('what did not pass spends the budget of its class', () => {
  const infrastructure = new Set(['infrastructure', 'device', 'driver', 'browser']);
  for (const verdict of verdicts.filter((one) => one === 'failed' || one === 'errored' || one === 'timedOut')) {
    for (const failureClass of failureClasses)
      expect(budgetOf(verdict, failure(failureClass))).toBe(
        infrastructure.has(failureClass) ? 'infrastructureRetry' : 'userRetry',
      );
    expect(budgetOf(verdict, undefined)).toBe('userRetry');
  }
});

test("some codes are the worker's trouble whatever class the agent gave, and a lost attempt always is", () => {
  for (const code of [
    'OUT_OF_MEMORY',
    'SCRATCH_DISK_FULL',
    'SOURCE_UNAVAILABLE',
    'SETUP_FAILED',
    'REQUIREMENT_MISFIT',
  ]) {
    expect(budgetOf('errored', failure('unknown', code))).toBe('infrastructureRetry');
  }
  expect(budgetOf('lost', failure('test'))).toBe('infrastructureRetry');
});

const sealed = { kind: 'sealed' } as const;
const canceling = { kind: 'canceling', cause: 'request' } as const;
const failingFast = { kind: 'canceling', cause: 'failFast' } as const;
const runVerdicts: [Parameters<typeof verdictOfRun>[0], Parameters<typeof verdictOfRun>[1], string][] = [
  [sealed, {}, 'inconclusive'],
  [sealed, { passed: 3 }, 'passed'],
  [sealed, { passed: 3, skipped: 1 }, 'passed'],
  [sealed, { skipped: 4 }, 'inconclusive'],
  [sealed, { passed: 3, inconclusive: 1 }, 'inconclusive'],
  [sealed, { passed: 3, inconclusive: 1, failed: 1 }, 'failed'],
  [sealed, { passed: 3, errored: 1 }, 'failed'],
  [sealed, { passed: 3, timedOut: 1 }, 'failed'],
  [sealed, { passed: 3, canceled: 1 }, 'canceled'],
  [canceling, { failed: 3, canceled: 1 }, 'canceled'],
  [canceling, { passed: 3 }, 'passed'],
  [failingFast, { failed: 1, canceled: 9 }, 'failed'],
  [failingFast, { inconclusive: 1, canceled: 9 }, 'inconclusive'],
];
test.each(runVerdicts)('a run that is %j with %j is %s', (state, counts, verdict) => {
  expect(verdictOfRun(state, counts)).toBe(verdict);
});
