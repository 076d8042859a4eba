// `npm test`: every test, or those that its arguments name (`npm test -- packages/core`), through vitest, and then one
// plain line that sums it up. Its JSON report stays in .assay/reports/test.json.
// What always holds: a run in which no test was executed is not a success.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readCounts } from './vitest-report.ts';

const root = resolve(import.meta.dirname, '..');
const reportFile = join(root, '.assay', 'reports', 'test.json');

function runVitest(args: readonly string[]): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const report = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const child = spawn(process.execPath, [vitest, 'run', ...report, ...args], { cwd: root, stdio: 'inherit' });
  const stop = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !process.stdout.isTTY) child.kill(signal);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return new Promise((done) => {
    child.on('error', () => {
      done(1);
    });
    child.on('close', (code) => {
      done(code ?? 1);
    });
  });
}

mkdirSync(join(root, '.assay', 'reports'), { recursive: true });
rmSync(reportFile, { force: true });
const startedMs = performance.now();
const code = await runVitest(process.argv.slice(2));
const counts = readCounts(reportFile);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
if (counts === undefined) {
  console.log(`test: FAILED: vitest ended with ${code} and left no report (${seconds} s)`);
  process.exitCode = 1;
} else {
  const ran = counts.passed + counts.failed;
  const isGood = code === 0 && counts.failed === 0 && ran > 0;
  const verdict = isGood ? 'ok' : ran === 0 ? 'FAILED: no test was executed' : 'FAILED';
  const numbers = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  console.log(`test: ${verdict}: ${numbers} in ${counts.files} files (${seconds} s)`);
  process.exitCode = isGood ? 0 : 1;
}
