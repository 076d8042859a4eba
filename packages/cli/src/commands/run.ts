// `assay run`: plan, place, watch, report. Without a coordinator it starts its own for this run, with local workers, and keeps
// history in the user's state directory; with one it sends the project as a bundle. Ctrl-C once cancels the run and reports what
// there is; twice leaves at once.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Client, createClient } from '@assay/client';
import type { Command } from 'commander';
import { AssayError, type RunSpec, type Source } from '@assay/protocol';
import { loadConfig } from '../config/load.ts';
import type { ProjectConfig } from '../config/schema.ts';
import { type ConnectionOptions, namedCoordinator } from '../connection.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { type LocalFleet, startLocalFleet } from '../local/fleet.ts';
import { projectStateDirectory } from '../local/state-directory.ts';
import { defaultSetup, makeBundle } from '../project/bundle.ts';
import { type Plan, planRun, projectName, shownTarget } from '../project/plan.ts';
import { revisionLabels } from '../project/revision.ts';
import { submitRun } from '../project/submit.ts';
import { paintFor, plural } from '../render/style.ts';
import { action, addConnectionOptions, durationOption, wholeNumber } from './options.ts';
import { watchRun } from './watch-run.ts';
import { writeConformance } from './write-conformance.ts';
import { type ReportOptions, writeReports } from './write-reports.ts';

export type RunOptions = ConnectionOptions &
  ReportOptions & {
    project: string;
    config?: string;
    workers?: number;
    failFast?: boolean;
    retries?: number;
    timeout?: number;
    requires?: string;
    priority?: number;
    pool?: string;
    finishWithin?: number;
    dryRun?: boolean;
    name?: string;
    label?: string[];
    conformance?: string;
  };

const examples = `
Examples:
  assay run                                   detect the runner, spread its files over local workers
  assay run src/parser test/**/*.spec.ts      only these files
  assay run -- npx vitest run --config ci.ts  the usual command, spread
  assay run --workers 4 --junit out/junit.xml
  assay run --coordinator https://assay.example:7420 --requires 'cpu.count >= 8'`;

export function addRunCommand(program: Command): void {
  addConnectionOptions(
    program
      .command('run [files...]')
      .description("Run a project's tests over workers; exits 0 only if something ran and all of it passed."),
    'the configuration; otherwise local workers',
  )
    .option('--project <dir>', 'the project', '.')
    .option('--config <file>', 'its configuration (default: assay.config.*)')
    .option('--workers <n>', 'how many local workers to start, where there is no coordinator', wholeNumber(1, 256))
    .option('--fail-fast', 'cancel what is left after the first failure')
    .option('--retries <n>', 'repeat a failed file up to n times', wholeNumber(0, 20))
    .option('--timeout <duration>', 'longest execution of one file, such as 90s', durationOption)
    .option('--requires <expression>', "what a worker must have, such as 'memory.totalMiB >= 8192'")
    .option('--priority <n>', 'higher goes first, -100 to 100', wholeNumber(-100, 100))
    .option('--pool <name>', 'only workers of this pool')
    .option(
      '--finish-within <duration>',
      'use as few workers as are predicted to finish in this time, such as 10m',
      durationOption,
    )
    .option('--name <name>', 'how the run is called')
    .option(
      '--label <key=value...>',
      'labels kept with the run; revision and branch are those of git where you name none',
    )
    .option('--dry-run', 'list what would run, and run nothing')
    .option('--json', 'print the report as JSON')
    .option('--junit <file>', 'write JUnit XML')
    .option('--ctrf <file>', 'write CTRF JSON')
    .option('--markdown <file>', 'write Markdown')
    .option('--conformance <file>', 'write the merged results of conformance suites, for assay conformance')
    .addHelpText('after', examples)
    .action(action(runAction));
}

async function runAction(files: string[], options: RunOptions): Promise<number> {
  // What stands after `--` is the usual command; commander hands it over with the files, so the argument vector is asked.
  const dashes = process.argv.indexOf('--');
  const usual = dashes === -1 ? [] : process.argv.slice(dashes + 1);
  const filters = usual.length === 0 ? files : files.slice(0, files.length - usual.length);
  return runProject(filters, usual, options);
}

/** Runs one project as the options say; the exit code. */
export async function runProject(
  filters: readonly string[],
  usual: readonly string[],
  options: RunOptions,
): Promise<number> {
  const projectDir = resolve(options.project);
  const { config } = await loadConfig(projectDir, options.config === undefined ? undefined : resolve(options.config));
  const planning = planRun({
    projectDir,
    config,
    command: usual,
    filters,
    overrides: {
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...(options.requires === undefined ? {} : { requires: options.requires }),
    },
    env: process.env,
  });
  // It is waited for below; until then a failure of it is nobody's accident.
  planning.catch(() => undefined);
  if (options.dryRun) return printPlan(await planning, options.json === true);
  const named = await namedCoordinator(options, config.coordinator);
  return named === null
    ? runLocally(projectDir, config, planning, options)
    : runOnFleet(projectDir, config, await planned(planning, options), options, named);
}

async function planned(planning: Promise<Plan>, options: RunOptions): Promise<Plan> {
  const plan = await planning;
  if (!options.json) printIntro(plan);
  return plan;
}

function printPlan({ suites, tasks, notes }: Plan, asJson: boolean): number {
  if (asJson) process.stdout.write(`${JSON.stringify({ suites, tasks, notes }, null, 2)}\n`);
  else {
    for (const text of notes) process.stdout.write(`${text}\n`);
    for (const task of tasks) {
      const suite = suites[task.suite];
      if (suite !== undefined)
        process.stdout.write(`${suite.name}  ${shownTarget(suite, task.target) || suite.arguments.join(' ')}\n`);
    }
    process.stdout.write(`${plural(tasks.length, 'file')}; nothing was run.\n`);
  }
  return 0;
}

function printIntro({ suites, tasks, notes }: Plan): void {
  const paint = paintFor(process.stderr);
  for (const text of notes) process.stderr.write(`${paint('dim', text)}\n`);
  process.stderr.write(`${plural(tasks.length, 'file')} in ${plural(suites.length, 'suite')}\n`);
}

/** The fleet starts while the project is being listed: the slower of the two is what one waits for. */
async function runLocally(
  projectDir: string,
  config: ProjectConfig,
  planning: Promise<Plan>,
  options: RunOptions,
): Promise<number> {
  // A project that is not there has no state directory either: the listing is the one to say so.
  const start = async (): Promise<LocalFleet> =>
    startLocalFleet({
      stateDir: projectStateDirectory(projectDir),
      workers: { kind: 'equal', count: options.workers ?? config.workers ?? null },
      browsers: usesBrowsers(config, options.requires),
      note: (text) => void process.stderr.write(`${text}\n`),
    });
  const [listed, starting] = await Promise.allSettled([planned(planning, options), start()]);
  if (starting.status === 'rejected') throw listed.status === 'rejected' ? listed.reason : starting.reason;
  const fleet = starting.value;
  try {
    if (listed.status === 'rejected') throw listed.reason;
    const plan = listed.value;
    const client = createClient({ url: fleet.url, token: fleet.token });
    const spec = await toSpec(projectDir, config, plan, options, { kind: 'directory', path: projectDir }, 'settle');
    return await placeAndWatch(client, spec, plan, options);
  } finally {
    await fleet.stop();
  }
}

/** Whether anything of a project asks for browsers: else their measuring is not waited for. */
function usesBrowsers({ suites = [] }: ProjectConfig, requires = ''): boolean {
  const isAsked = (text: string): boolean => /webgpu|webnn|wasm|browser/i.test(text);
  return (
    isAsked(requires) ||
    suites.some(
      ({ runner, requires: own, claims, alternatives }) =>
        ['browser', 'cts', 'wpt'].includes(runner) || isAsked(JSON.stringify([own, claims, alternatives])),
    )
  );
}

async function runOnFleet(
  projectDir: string,
  config: ProjectConfig,
  plan: Plan,
  options: RunOptions,
  target: { url: string; token: string | undefined },
): Promise<number> {
  const client = createClient({ url: target.url, ...(target.token === undefined ? {} : { token: target.token }) });
  await client.health();
  const scratch = await mkdtemp(join(tmpdir(), 'assay-bundle-'));
  try {
    const bundle = await makeBundle(projectDir, config.bundle?.exclude ?? [], join(scratch, 'bundle.tgz'));
    if (!(await client.hasBlob(bundle.digest))) {
      if (!options.json)
        process.stderr.write(`sending ${plural(bundle.files, 'file')}, ${(bundle.bytes / 1024).toFixed(0)} KiB\n`);
      await client.uploadBlob(bundle.digest, await readFile(bundle.path));
    }
    const setup = config.bundle?.setup ?? defaultSetup(projectDir);
    const spec = await toSpec(
      projectDir,
      config,
      plan,
      options,
      { kind: 'bundle', digest: bundle.digest, setup },
      'wait',
    );
    return await placeAndWatch(client, spec, plan, options, target.url);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function toSpec(
  projectDir: string,
  config: ProjectConfig,
  plan: Plan,
  options: RunOptions,
  source: Source,
  unplaceable: RunSpec['unplaceable'],
): Promise<RunSpec> {
  const labels = Object.fromEntries(
    (options.label ?? []).map((label) => [label.split('=')[0] ?? label, label.slice(label.indexOf('=') + 1)]),
  );
  return {
    name: options.name ?? basename(projectDir),
    project: projectName(projectDir, config, await packageName(projectDir)),
    priority: options.priority ?? config.priority ?? 0,
    ...poolOf(options.pool ?? config.pool),
    ...goalOf(options.finishWithin ?? config.finishWithin),
    source,
    suites: plan.suites,
    failFast: options.failFast === true,
    unplaceable,
    labels: { ...(await revisionLabels(projectDir)), ...labels },
  };
}

function poolOf(pool: string | undefined): { pool?: string } {
  if (pool === undefined) return {};
  if (!/^[A-Za-z0-9._-]{1,80}$/.test(pool)) throw new AssayError('USAGE', `"${pool}" is not the name of a pool.`);
  return { pool };
}

function goalOf(finishWithinMs: number | undefined): { finishWithinMs?: number } {
  return finishWithinMs === undefined ? {} : { finishWithinMs };
}

async function packageName(projectDir: string): Promise<string | null> {
  try {
    const { name } = JSON.parse(await readFile(join(projectDir, 'package.json'), 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null;
  }
}

/** `pagesUrl` is where its page stays; a run's own coordinator ends with it. */
async function placeAndWatch(
  client: Client,
  spec: RunSpec,
  plan: Plan,
  options: RunOptions,
  pagesUrl?: string,
): Promise<number> {
  const accepted = await submitRun(client, spec, plan.tasks);
  const stop = new AbortController();
  let interrupts = 0;
  const onInterrupt = (): void => {
    interrupts++;
    if (interrupts > 1) stop.abort();
    else {
      process.stderr.write('\ncanceling; press Ctrl-C again to leave at once\n');
      client.cancelRun(accepted.run, { reason: 'interrupted' }).catch(() => stop.abort());
    }
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onInterrupt);
  try {
    const report = await watchRun(client, accepted.run, { isQuiet: options.json === true, signal: stop.signal });
    for (const path of await writeReports(report, options)) if (!options.json) process.stderr.write(`wrote ${path}\n`);
    if (options.conformance !== undefined) await writeConformance(client, accepted.run, options.conformance);
    if (pagesUrl !== undefined && !options.json)
      process.stderr.write(`  page    ${pagesUrl.replace(/\/$/, '')}/runs/${accepted.run}\n`);
    return exitCodeOf(report.run.verdict);
  } catch (error) {
    if (stop.signal.aborted) return exitCodeOf('canceled');
    throw error;
  } finally {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt);
  }
}
