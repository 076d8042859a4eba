// `assay drill`: breaks a fleet on purpose and checks from its journal what happened. It starts its own coordinator and workers as
// processes of this very command line, prints the plan of faults first, and ends with 0 only if every check held.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawPlan, type DrillEnd, readScenario, runDrill, sayPlan, writeDrill } from '@assay/drill';
import { AssayError } from '@assay/protocol';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import { paintFor } from '../render/style.ts';
import { action, durationOption, wholeNumber } from './options.ts';

type DrillCommandOptions = {
  workers: number;
  tasks: number;
  failures?: number;
  workerFailures?: number;
  faults?: string;
  scenario?: string;
  duration?: number;
  useRealBrowsers?: boolean;
  seed?: number;
  outputDir: string;
  json?: boolean;
};

const mainPath = fileURLToPath(new URL('../main.mjs', import.meta.url));
const seedMax = 2 ** 31 - 1;

export function addDrillCommand(program: Command): void {
  program
    .command('drill')
    .description('Break a fleet of real processes on purpose, and check from its journal that it survived.')
    .option('--workers <n>', 'workers that are started', wholeNumber(2, 50), 3)
    .option('--tasks <n>', 'ordinary tasks; faults bring their own on top', wholeNumber(0, 100_000), 20)
    .option('--failures <n>', 'faults that are drawn (default: 5, or all of --faults)', wholeNumber(1, 1_000))
    .option('--worker-failures <n>', 'exactly so many of them are faults of a worker', wholeNumber(0, 1_000))
    .option('--faults <list>', 'faults and families that may be drawn, by commas (default: all)')
    .option('--scenario <file>', 'JSON: the faults one by one, instead of drawn')
    .option('--duration <duration>', 'go on with further faults until so much time has passed', durationOption)
    .option('--use-real-browsers', 'break real browsers too: not built yet, so the drill says so and proves too little')
    .option('--seed <n>', 'what the plan is drawn from (default: the time)', wholeNumber(0, seedMax))
    .option(
      '--output-dir <dir>',
      'where report.md, circuits.html, metrics.json, journal.ndjson and logs/ go',
      '.assay/drill',
    )
    .option('--json', 'print the checks as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  assay drill\n  assay drill --faults worker,link --failures 4 --seed 7\n  assay drill --faults coordinator-kill,dependency-down --output-dir drills/today',
    )
    .action(action(drill));
}

async function drill(options: DrillCommandOptions): Promise<number> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const seed = options.seed ?? Date.now() % seedMax;
  refuseMixed(options);
  const plan = drawPlan({
    seed,
    workers: options.workers,
    tasks: options.tasks,
    failures: options.failures ?? null,
    workerFailures: options.workerFailures ?? null,
    faults: options.faults === undefined ? null : options.faults.split(',').map((name) => name.trim()),
    ...(options.scenario === undefined ? {} : { scenario: await scenarioIn(options.scenario) }),
    ...(options.duration === undefined ? {} : { durationMs: options.duration }),
    withBrowsers: options.useRealBrowsers === true,
  });
  if (options.useRealBrowsers === true) say('REAL BROWSERS WILL NOT BE BROKEN: this is not built yet');
  for (const line of sayPlan(plan)) say(line);
  const outputDir = resolve(options.outputDir);
  const stop = new AbortController();
  const stopped = (): void => {
    say('taking everything back');
    stop.abort(new Error('stopped by its user'));
  };
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  try {
    const program = [process.execPath, mainPath] as const;
    const end = await runDrill({ plan, program, outputDir, signal: stop.signal, say });
    const paths = writeDrill(end, outputDir, commandOf(options, seed));
    sayEnd(end, say);
    for (const path of paths) say(`wrote ${path}`);
    if (options.json === true) process.stdout.write(`${JSON.stringify(resultOf(end), null, 2)}\n`);
    return codeOf(end);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    say('stopped before its end: nothing is said of the fleet');
    return exitCodes.canceled.code;
  } finally {
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
  }
}

/** A scenario says all of it. */
function refuseMixed({ scenario, faults, failures, workerFailures }: DrillCommandOptions): void {
  if (scenario !== undefined && [faults, failures, workerFailures].some((value) => value !== undefined))
    throw new AssayError('USAGE', '--scenario does not go with --faults, --failures and --worker-failures.');
}

async function scenarioIn(path: string) {
  try {
    return readScenario(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof AssayError) throw error;
    throw new AssayError('CONFIG_UNREADABLE', `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const resultOf = ({ verdict, results }: DrillEnd) => ({ verdict, checks: results });

function codeOf({ verdict }: DrillEnd): number {
  if (verdict === 'held') return exitCodes.passed.code;
  return verdict === 'broken' ? exitCodes.failed.code : exitCodes.inconclusive.code;
}

function sayEnd({ verdict, results }: DrillEnd, say: (text: string) => void): void {
  const paint = paintFor(process.stderr);
  const words = {
    held: paint('green', 'held'),
    broken: paint('red', 'BROKEN'),
    notEvaluated: paint('yellow', 'not evaluated'),
  };
  say('');
  for (const { title, state, detail } of results) say(`${words[state]}  ${title}: ${detail}`);
  say('');
  say(
    verdict === 'held'
      ? paint('green', 'The drill held.')
      : verdict === 'broken'
        ? paint('red', 'The drill is broken: see above.')
        : paint('yellow', 'The drill proves too little: something could not be checked.'),
  );
}

/** The same drill again. */
function commandOf(
  { workers, tasks, failures, workerFailures, faults, scenario, duration }: DrillCommandOptions,
  seed: number,
): string {
  return [
    `assay drill --seed ${seed} --workers ${workers} --tasks ${tasks}`,
    ...(failures === undefined ? [] : [`--failures ${failures}`]),
    ...(workerFailures === undefined ? [] : [`--worker-failures ${workerFailures}`]),
    ...(faults === undefined ? [] : [`--faults ${faults}`]),
    ...(scenario === undefined ? [] : [`--scenario ${scenario}`]),
    ...(duration === undefined ? [] : [`--duration ${duration}ms`]),
  ].join(' ');
}
