import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AssayReport,
  type Counts,
  countsOf,
  installDependencies,
  nodeTestCounts,
  outputOf,
  pytestCounts,
  throughAssay,
  unpackPackage,
  vitestCounts,
} from './foreign-suites.ts';

const testTimeoutMs = 900_000;
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'assay-foreign-'));
  process.env.ASSAY_STATE = join(scratch, 'state');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Equal at once, or equal when the files that failed here are run again by both. */
async function expectSameCounts(
  report: AssayReport,
  alone: Counts,
  again: (files: string[]) => Promise<[Counts, Counts]>,
): Promise<void> {
  expect(report.workers).toHaveLength(2);
  const ours = countsOf(report);
  expect(ours.passed + ours.failed + ours.skipped).toBe(alone.passed + alone.failed + alone.skipped);
  if (ours.failed !== alone.failed || ours.skipped !== alone.skipped || ours.passed !== alone.passed) {
    const files = report.files.filter(({ verdict }) => verdict === 'failed').map(({ target }) => target);
    console.warn(`counts differ (${JSON.stringify(ours)} against ${JSON.stringify(alone)}); again: ${files.join(' ')}`);
    expect(files.length).toBeLessThan(6);
    if (files.length > 0) {
      const [mine, theirs] = await again(files);
      expect(mine).toEqual(theirs);
    } else expect(alone.failed).toBeLessThan(6);
    return;
  }
  expect(ours).toEqual(alone);
}

test(
  "zod's own suite (vitest): the same counts through two workers as by vitest alone",
  async () => {
    const directory = await unpackPackage('zod', '4.6.7');
    const alone = async (files: string[]): Promise<Counts> => {
      const output = join(scratch, 'vitest.json');
      await outputOf(
        'npx',
        ['vitest', 'run', '--root', directory, '--reporter=json', `--outputFile=${output}`, ...files],
        directory,
      );
      return vitestCounts(output);
    };
    const ours = (files: string[]): Promise<AssayReport> =>
      throughAssay(directory, ['--', 'npx', 'vitest', 'run', ...files]);
    const report = await ours([]);
    expect(report.files.length).toBeGreaterThan(190);
    expect(countsOf(report).filesThatDoNotLoad).toBeGreaterThan(0);
    await expectSameCounts(report, await alone([]), async (files) => [countsOf(await ours(files)), await alone(files)]);
  },
  testTimeoutMs,
);

test(
  "fastify's own suite (node:test): the same counts through two workers as by node --test alone",
  async () => {
    const directory = await unpackPackage('fastify', '5.12.8');
    await installDependencies(directory);
    const patterns = ['test/**/*.test.js', 'test/**/*.test.mjs'];
    const alone = async (files: string[]): Promise<Counts> =>
      nodeTestCounts(await outputOf(process.execPath, ['--test', '--test-reporter=spec', ...files], directory));
    const ours = (files: string[]): Promise<AssayReport> => throughAssay(directory, ['--', 'node', '--test', ...files]);
    const report = await ours(patterns);
    expect(report.files.length).toBeGreaterThan(190);
    await expectSameCounts(report, await alone(patterns), async (files) => [
      countsOf(await ours(files)),
      await alone(files),
    ]);
  },
  testTimeoutMs,
);

test(
  "networkx's installed tests (pytest, a part): the same counts through two workers as by pytest alone",
  async () => {
    const directory = '/usr/lib/python3/dist-packages';
    const parts = [
      'classes/tests',
      'algorithms/bipartite/tests',
      'algorithms/centrality/tests',
      'algorithms/tree/tests',
    ].map((part) => `networkx/${part}`);
    const alone = async (files: string[]): Promise<Counts> =>
      pytestCounts(
        await outputOf('/usr/bin/python3', ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', ...files], directory),
      );
    const ours = (files: string[]): Promise<AssayReport> =>
      throughAssay(directory, ['--', '/usr/bin/python3', '-m', 'pytest', '-p', 'no:cacheprovider', ...files]);
    const report = await ours(parts);
    expect(report.files.length).toBeGreaterThan(40);
    await expectSameCounts(report, await alone(parts), async (files) => [
      countsOf(await ours(files)),
      await alone(files),
    ]);
  },
  testTimeoutMs,
);
