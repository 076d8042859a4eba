// `npm run check`: everything that must hold before a commit, in parallel, as a table and one plain line.
//   --skip NAME   leaves a step out (repeatable; CI runs the unit tests through `npm test` and skips them here)
//   --only NAME   runs just that step
//   --json FILE   also writes the table as JSON, for .ci/run
// What always holds: it exits 0 only when every step that it was asked for ran and was good. A step whose program does
// not exist yet is listed as absent, never as passed.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runStep, type Step, type StepResult } from './run-step.ts';
import { readCounts } from './vitest-report.ts';

const root = resolve(import.meta.dirname, '..');
const reportFile = join(root, '.assay', 'reports', 'unit.json');
const simulator = 'packages/simulator/src/main.ts';

const node = (name: string, file: string, ...args: string[]): Step => ({
  name,
  command: process.execPath,
  args: [file, ...args],
});

const vitest = (name: string, ...args: string[]): Step => node(name, 'node_modules/vitest/vitest.mjs', 'run', ...args);

// The longest first, so that the short ones fill the gaps.
const steps: readonly (Step & { readonly needs?: string })[] = [
  vitest('unit', '--project', 'unit', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`),
  { ...node('sim', simulator, '--seeds', '1..200'), needs: simulator },
  node('lint', 'node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'),
  node('dead code', 'node_modules/knip/bin/knip.js', '--no-progress'),
  node('types', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'),
  node('types core', 'node_modules/typescript/bin/tsc', '-p', 'packages/core/tsconfig.json', '--noEmit'),
  node('types pages', 'node_modules/typescript/bin/tsc', '-p', 'packages/dashboard/tsconfig.json', '--noEmit'),
  node('format', 'node_modules/oxfmt/bin/oxfmt', '--check'),
  node('tidy', 'scripts/tidy.ts'),
];

const { values: options } = parseArgs({
  options: {
    skip: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
  },
});

function chosenSteps(): typeof steps {
  const known = new Set(steps.map((step) => step.name));
  for (const name of [...options.skip, ...(options.only ?? [])]) {
    if (!known.has(name)) throw new Error(`There is no step "${name}". Steps: ${[...known].join(', ')}`);
  }
  return steps.filter((step) => options.only?.includes(step.name) ?? !options.skip.includes(step.name));
}

async function runAll(queue: Step[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  const lane = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const result = await runStep(step, root);
      console.log(`${result.isGood ? 'ok    ' : 'FAILED'}  ${result.name} (${seconds(result.durationMs)})`);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, lane));
  return results;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function remark(result: StepResult): string {
  if (result.name !== 'unit') return result.isGood ? '' : `exit ${result.exit}`;
  const counts = readCounts(reportFile);
  if (counts === undefined) return 'no report';
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

const startedMs = performance.now();
mkdirSync(join(root, '.assay', 'reports'), { recursive: true });
rmSync(reportFile, { force: true });
const chosen = chosenSteps();
const absent = chosen.filter((step) => step.needs !== undefined && !existsSync(join(root, step.needs)));
const results = await runAll(chosen.filter((step) => !absent.includes(step)));
const bad = results.filter((result) => !result.isGood);

for (const result of bad) console.log(`\n---- ${result.name} ${'-'.repeat(70)}\n${result.output}`);
console.log(`\n${'step'.padEnd(12)} ${'result'.padEnd(8)} ${'time'.padStart(8)}`);
for (const result of results.toSorted((a, b) => b.durationMs - a.durationMs)) {
  const verdict = result.isGood ? 'ok' : 'FAILED';
  console.log(
    `${result.name.padEnd(12)} ${verdict.padEnd(8)} ${seconds(result.durationMs).padStart(8)}  ${remark(result)}`.trimEnd(),
  );
}
for (const step of absent) console.log(`${step.name.padEnd(12)} absent            ${step.needs ?? ''} does not exist`);

const verdict = bad.length === 0 && results.length > 0 ? 'ok' : 'FAILED';
const names = bad.length === 0 ? '' : ` (${bad.map((result) => result.name).join(', ')})`;
console.log(
  `check: ${verdict}: ${results.length - bad.length} steps passed, ${bad.length} failed${names}, ${seconds(performance.now() - startedMs)}`,
);
if (options.json !== undefined) {
  const table = results.map(({ name, isGood, exit, durationMs }) => ({ name, isGood, exit, durationMs }));
  writeFileSync(options.json, JSON.stringify({ steps: table, absent: absent.map((step) => step.name) }));
}
process.exitCode = verdict === 'ok' ? 0 : 1;
