// The last line of a CI run, "N passed, N failed", from the reports of `npm run check` and `npm test` and from their
// exit codes: node scripts/ci-summary.ts CHECK.json CHECK_CODE TEST.json TEST_CODE
// What always holds: it exits 0 only when at least one test was executed, nothing failed, and both commands agreed.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { readCounts, type TestCounts } from './vitest-report.ts';

export interface CiSummary {
  readonly passed: number;
  readonly failed: number;
  readonly isGood: boolean;
}

/** `steps` are the checks that failed by name; undefined when the check left no report. */
export function summarize(
  steps: readonly string[] | undefined,
  checkCode: number,
  counts: TestCounts | undefined,
  testCode: number,
): CiSummary {
  const checksFailed = steps === undefined ? 1 : Math.max(steps.length, checkCode === 0 ? 0 : 1);
  const testsFailed = Math.max(counts?.failed ?? 1, testCode === 0 ? 0 : 1);
  const passed = counts?.passed ?? 0;
  const failed = checksFailed + testsFailed;
  return { passed, failed, isGood: failed === 0 && passed > 0 };
}

function failedSteps(path: string): string[] | undefined {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as { steps: { name: string; isGood: boolean }[] };
    return report.steps.filter((step) => !step.isGood).map((step) => step.name);
  } catch {
    return undefined;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [checkFile = '', checkCode = '1', testFile = '', testCode = '1'] = process.argv.slice(2);
  const summary = summarize(failedSteps(checkFile), Number(checkCode), readCounts(testFile), Number(testCode));
  console.log(`${summary.passed} passed, ${summary.failed} failed`);
  process.exitCode = summary.isGood ? 0 : 1;
}
