import { expect, test } from 'vitest';
import { summarize } from './ci-summary.ts';
import { countTests } from './vitest-report.ts';

const counts = (passed: number, failed: number) => ({ passed, failed, skipped: 0, files: 1 });

test('a green run counts its tests and is good', () => {
  expect(summarize([], 0, counts(12, 0), 0)).toEqual({ passed: 12, failed: 0, isGood: true });
});

test('failed checks count beside failed tests', () => {
  expect(summarize(['tidy', 'lint'], 1, counts(12, 3), 1)).toEqual({ passed: 12, failed: 5, isGood: false });
});

test('a run in which no test was executed is not good', () => {
  expect(summarize([], 0, counts(0, 0), 0).isGood).toBe(false);
});

test('a missing report or a bad exit code is a failure, whatever the counts say', () => {
  expect(summarize(undefined, 0, counts(12, 0), 0)).toMatchObject({ failed: 1, isGood: false });
  expect(summarize([], 0, undefined, 0)).toEqual({ passed: 0, failed: 1, isGood: false });
  expect(summarize([], 0, counts(12, 0), 1)).toMatchObject({ failed: 1, isGood: false });
  expect(summarize([], 1, counts(12, 0), 0)).toMatchObject({ failed: 1, isGood: false });
});

test('a test file that does not load counts as one failure, and so does an error outside every test', () => {
  const passed = { status: 'passed', assertionResults: [{ status: 'passed' }, { status: 'pending' }] };
  const unloadable = { status: 'failed', assertionResults: [] };
  const files = [passed, unloadable];
  expect(countTests({ success: false, testResults: files })).toEqual({ passed: 1, failed: 1, skipped: 1, files: 2 });
  expect(countTests({ success: false, testResults: [passed] })).toMatchObject({ passed: 1, failed: 1 });
});
