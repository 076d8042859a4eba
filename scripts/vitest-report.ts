// Reads vitest's JSON report into the four numbers that a summary line needs.
// What always holds: a file that fails without naming a failed test (it did not load, or a hook threw) counts as one
// failure, so that "0 failed" can never be printed over a red run.
import { readFileSync } from 'node:fs';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly files: number;
}

interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Undefined when there is no readable report, as after a crash of the runner itself. */
export function readCounts(path: string): TestCounts | undefined {
  try {
    return countTests(JSON.parse(readFileSync(path, 'utf8')) as VitestReport);
  } catch {
    return undefined;
  }
}

export function countTests(report: VitestReport): TestCounts {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const file of report.testResults) {
    const statuses = file.assertionResults.map((test) => test.status);
    const failedHere = statuses.filter((status) => status === 'failed').length;
    const passedHere = statuses.filter((status) => status === 'passed').length;
    failed += failedHere === 0 && file.status === 'failed' ? 1 : failedHere;
    passed += passedHere;
    skipped += statuses.length - passedHere - failedHere;
  }
  // An error outside every test (an unhandled rejection) fails the run and belongs to no file.
  if (!report.success && failed === 0) failed = 1;
  return { passed, failed, skipped, files: report.testResults.length };
}
