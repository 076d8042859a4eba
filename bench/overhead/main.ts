// What spreading costs and gains: suites through `assay run` with two local workers, against the runner's own parallelism on the
// same machine, as whole processes from start to exit, interleaved, medians.
//   node bench/overhead/main.ts [vitest|pytest|skewed ...] [--runs N] [--draws N]
// Three arms: the runner alone; the first Assay run (it knows no durations); a later one (its state is kept).
// Beside the seconds on the clock stand the processor seconds of each arm's whole tree of processes.
// What always holds: an arm in which another number of cases passed is an error and never a figure.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { medianOf } from '../peers/measure.ts';
import { endedChildrenCpuSeconds, runTogether, runWhole } from './process.ts';
import { networkxSuite, skewedSeeds, skewedSuite, type Suite, zodSuite } from './suites.ts';

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, draws: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const wanted = positionals.length === 0 ? ['vitest', 'pytest', 'skewed'] : positionals;
const runs = Number(values.runs);
const cli = join(import.meta.dirname, '../../packages/cli/src/main.mjs');
const draws = Number(values.draws);

type Figures = {
  suite: string;
  about: string;
  against: string;
  files: number;
  passed: number;
  alone: Arm;
  first: Arm;
  later: Arm;
};
/** `cpuSeconds` stays empty where a system does not say them. */
type Arm = { seconds: number[]; cpuSeconds: number[] };

async function assay(suite: Suite, stateDir: string): Promise<{ seconds: number; passed: number }> {
  const ran = await runWhole(
    {
      command: process.execPath,
      args: [cli, 'run', '--project', suite.directory, '--workers', '2', '--json', '--', ...suite.usual],
      cwd: suite.directory,
      env: { ...suite.env, ASSAY_STATE: stateDir },
    },
    [0, 1],
  );
  const report = JSON.parse(ran.stdout) as { cases: { passed: number }; files: unknown[]; workers: unknown[] };
  if (report.files.length !== suite.files || report.workers.length !== 2)
    throw new Error(
      `${suite.name}: ${report.files.length} files of ${suite.files} on ${report.workers.length} workers`,
    );
  return { seconds: ran.seconds, passed: report.cases.passed };
}

async function measure(suite: Suite): Promise<Figures> {
  const scratch = mkdtempSync(join(tmpdir(), 'assay-overhead-'));
  const figures: Figures = {
    suite: suite.name,
    about: suite.about,
    against: suite.against,
    files: suite.files,
    passed: 0,
    alone: { seconds: [], cpuSeconds: [] },
    first: { seconds: [], cpuSeconds: [] },
    later: { seconds: [], cpuSeconds: [] },
  };
  const agree = (arm: string, passed: number): void => {
    if (figures.passed !== 0 && passed !== figures.passed)
      throw new Error(`${suite.name}, ${arm}: ${passed} cases passed, elsewhere ${figures.passed}`);
    figures.passed = passed;
  };
  try {
    const kept = join(scratch, 'kept');
    await assay(suite, kept);
    for (let run = 0; run < runs; run++) {
      await into(figures.alone, async () => {
        const { seconds, stdout } = await runTogether(suite.alone, [0, 1]);
        agree('alone', suite.passedIn(stdout));
        return seconds;
      });
      for (const [arm, state] of [
        ['first', join(scratch, `fresh-${run}`)],
        ['later', kept],
      ] as const)
        await into(figures[arm], async () => {
          const { seconds, passed } = await assay(suite, state);
          agree(arm, passed);
          return seconds;
        });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return figures;
}

/** Runs one command of an arm; notes its seconds, and what its processes took. */
async function into(arm: Arm, run: () => Promise<number>): Promise<void> {
  const before = endedChildrenCpuSeconds();
  arm.seconds.push(await run());
  const after = endedChildrenCpuSeconds();
  if (before !== null && after !== null) arm.cpuSeconds.push(after - before);
}

function print(figures: Figures): void {
  const list = ({ seconds, cpuSeconds }: Arm): string =>
    `${medianOf(seconds).toFixed(1)} s (${seconds.map((one) => one.toFixed(1)).join(', ')}), processors ${cpuSeconds.length === 0 ? 'not measured' : `${medianOf(cpuSeconds).toFixed(1)} s`}`;
  const ratio = ({ seconds, cpuSeconds }: Arm): string =>
    `${(medianOf(seconds) / medianOf(figures.alone.seconds)).toFixed(2)}${cpuSeconds.length === 0 ? '' : `, of processors ${(medianOf(cpuSeconds) / medianOf(figures.alone.cpuSeconds)).toFixed(2)}`}`;
  const isSkewed = figures.suite.startsWith('skewed');
  console.log(
    `\n${figures.suite}: ${figures.about}; ${figures.files} files, ${figures.passed} cases passed in every arm`,
  );
  console.log(`  ${figures.against}: ${list(figures.alone)}`);
  console.log(`  assay run, first:  ${list(figures.first)}  ratio ${ratio(figures.first)}`);
  console.log(
    `  assay run, later:  ${list(figures.later)}  ratio ${ratio(figures.later)}  (bar ${isSkewed ? '0.80' : '1.10'})`,
  );
}

const machine = describeMachine();
printMachine(machine);
const all: Figures[] = [];
for (const name of wanted) {
  const suites =
    name === 'vitest'
      ? [await zodSuite()]
      : name === 'pytest'
        ? [await networkxSuite()]
        : skewedSeeds(draws).map(skewedSuite);
  for (const suite of suites) {
    if (typeof suite === 'string') {
      console.log(`\n${name}: left out: ${suite}`);
      continue;
    }
    const figures = await measure(suite);
    print(figures);
    all.push(figures);
  }
}
writeResults('overhead', { machine, runs, suites: all });
