// Suites that we did not write, fetched by package name, run by their own runner alone and through Assay. The counts must be equal,
// files that do not load included. Real suites have tests that depend on the machine's speed: where the two differ, the files that
// differ are repeated by both, and only a difference that stays is one.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const mainPath = fileURLToPath(new URL('../main.mjs', import.meta.url));
const outputBytesMax = 512 * 1024 * 1024;
const timeoutMs = 600_000;

/** Below the repository, so that a project without its runner finds ours; git ignores it. */
const foreignDirectory = fileURLToPath(new URL('../../../../.assay/foreign/', import.meta.url));

export type Counts = { passed: number; failed: number; skipped: number; filesThatDoNotLoad: number };
export type AssayReport = {
  verdict: string;
  exitCode: number;
  cases: { passed: number; failed: number; skipped: number; todo: number };
  workers: unknown[];
  files: {
    target: string;
    verdict: string;
    failure: { code: string; message: string; evidence?: Record<string, string> } | null;
  }[];
};

/** npm under the Node that it was installed with, and so with that one's configuration: ours is first on the PATH of a test. */
const npmEnv: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .join(delimiter),
};

/** Unpacks an npm package, tests and all, and returns its directory. */
export async function unpackPackage(name: string, version: string): Promise<string> {
  const directory = join(foreignDirectory, `${name}-${version}`);
  if (existsSync(directory)) return directory;
  mkdirSync(foreignDirectory, { recursive: true });
  await run('npm', ['pack', `${name}@${version}`, '--silent'], { cwd: foreignDirectory, env: npmEnv });
  const unpacked = `${directory}.unpacking`;
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked);
  await run('tar', ['-xzf', `../${name}-${version}.tgz`, '--strip-components=1'], { cwd: unpacked });
  renameSync(unpacked, directory);
  return directory;
}

/** Installs the package's own development dependencies, without running their scripts. */
export async function installDependencies(directory: string): Promise<void> {
  if (existsSync(join(directory, 'node_modules', '.installed'))) return;
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
    cwd: directory,
    env: npmEnv,
    maxBuffer: outputBytesMax,
    timeout: timeoutMs,
  });
  writeFileSync(join(directory, 'node_modules', '.installed'), '');
}

/** Runs a command whatever its exit code, and gives what it printed. */
export async function outputOf(command: string, args: string[], cwd: string): Promise<string> {
  try {
    return (await run(command, args, { cwd, maxBuffer: outputBytesMax, timeout: timeoutMs })).stdout;
  } catch (error) {
    const { stdout, killed } = error as { stdout?: string; killed?: boolean };
    if (stdout === undefined || killed) throw error;
    return stdout;
  }
}

/** `assay run --workers 2 --json` with these arguments. */
export async function throughAssay(projectDir: string, args: string[]): Promise<AssayReport> {
  const text = await outputOf(
    process.execPath,
    [mainPath, 'run', '--project', projectDir, '--workers', '2', '--json', ...args],
    projectDir,
  );
  return JSON.parse(text) as AssayReport;
}

export function countsOf(report: AssayReport): Counts {
  const { passed, failed, skipped, todo } = report.cases;
  return {
    passed,
    failed,
    skipped: skipped + todo,
    // A rule may name the cause (MODULE_MISSING); what the agent saw is then in the evidence.
    filesThatDoNotLoad: report.files.filter(
      ({ failure }) => failure?.code === 'FILE_FAILED_TO_LOAD' || failure?.evidence?.['seen'] === 'FILE_FAILED_TO_LOAD',
    ).length,
  };
}

/** Numbers that `node --test` prints at its end. Failed counts both failed and canceled tests. */
export function nodeTestCounts(output: string): Counts {
  const number = (name: string): number =>
    Number(output.match(new RegExp(`^(?:#|\\u2139) ${name} (\\d+)$`, 'm'))?.[1] ?? Number.NaN);
  return {
    passed: number('pass'),
    failed: number('fail') + number('cancelled'),
    skipped: number('skipped') + number('todo'),
    filesThatDoNotLoad: 0,
  };
}

/** Numbers of vitest's JSON report; a suite that failed without a test did not load. */
export function vitestCounts(path: string): Counts {
  const report = JSON.parse(readFileSync(path, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    testResults: { status: string; assertionResults: unknown[] }[];
  };
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests, numTodoTests } = report;
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return { passed, failed, skipped: numPendingTests + numTodoTests, filesThatDoNotLoad: unloaded.length };
}

/** Numbers of pytest's last line. */
export function pytestCounts(output: string): Counts {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  const number = (name: string): number => Number(last.match(new RegExp(`(\\d+) ${name}`))?.[1] ?? 0);
  return {
    passed: number('passed') + number('xpassed'),
    failed: number('failed'),
    skipped: number('skipped') + number('xfailed'),
    filesThatDoNotLoad: number('errors?'),
  };
}
