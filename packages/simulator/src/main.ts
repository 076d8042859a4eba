// npm run sim -- --seed N | --seeds A..B | --replay FILE_OR_STATE_DIRECTORY
//   --seed N      prints the faults of the seed, runs it twice, and says what came of it
//   --seeds A..B  every seed from A to B, each twice, over two threads; one line at the end
//   --replay P    makes the decisions of a journal again from its inputs and prints the first difference. P is a state
//                 directory (stop its coordinator first) or a file with one entry a line, as --export writes it
//   --export F    with --seed: writes the journal of the simulated coordinator
//   --config F    with --replay: the engine's settings as JSON, where they were not the defaults
//   --steps N     ends after so many moments   --verbose  prints the whole trace   --json  prints results as JSON
// Exit codes: 0 passed, 1 an invariant does not hold or a decision differs, 2 wrong usage.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describePlan, describeResult } from './report.ts';
import { readJournal, replayJournal } from './replay-journal.ts';
import { runSeedTwice } from './run-seed.ts';
import { runSeeds } from './run-seeds.ts';
import { exportSeed, type SimResult } from './simulate.ts';

const usage =
  'usage: sim --seed N | --seeds A..B | --replay PATH   [--steps N] [--verbose] [--json] [--export FILE] [--config FILE]';

function options() {
  return parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      replay: { type: 'string' },
      steps: { type: 'string' },
      export: { type: 'string' },
      config: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  }).values;
}
type Options = ReturnType<typeof options>;

async function main(): Promise<number> {
  let given: Options;
  try {
    given = options();
  } catch (error) {
    return wrong(String((error as Error).message));
  }
  const modes = [given.seed, given.seeds, given.replay].filter((mode) => mode !== undefined);
  if (modes.length !== 1) return wrong('give one of --seed, --seeds and --replay');
  if (given.replay !== undefined) return replay(given.replay, given);
  if (given.seeds !== undefined) return many(given.seeds, given);
  const seed = wholeNumber(given.seed);
  const stepsMax = given.steps === undefined ? undefined : wholeNumber(given.steps);
  if (seed === null || stepsMax === null) return wrong('--seed and --steps take a whole number');
  return one(seed, stepsMax, given);
}

async function one(seed: number, stepsMax: number | undefined, given: Options): Promise<number> {
  if (!given.json) print(describePlan(seed));
  const onTrace = given.verbose ? { onTrace: (line: string) => print([line]) } : {};
  const result = await runSeedTwice(seed, { ...onTrace, ...(stepsMax === undefined ? {} : { stepsMax }) });
  if (given.export !== undefined) writeFileSync(given.export, `${(await exportSeed(seed)).join('\n')}\n`);
  print(given.json ? [JSON.stringify(result)] : describeResult(result));
  return result.violation === null ? 0 : 1;
}

async function many(range: string, given: Options): Promise<number> {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(range) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to))
    return wrong('--seeds takes a range such as 1..200');
  const startedMs = performance.now();
  const total = Number(to) - Number(from) + 1;
  const results = await runSeeds(Number(from), Number(to), (result, done) => {
    if (given.json) return;
    if (result.violation !== null) print([...describePlan(result.seed), ...describeResult(result)]);
    else if (given.verbose) print(describeResult(result));
    else if (done % 50 === 0 && done < total) print([`${done} of ${total} seeds`]);
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  print(given.json ? [JSON.stringify(results)] : summary(results, seconds));
  return results.some(({ violation }) => violation !== null) ? 1 : 0;
}

function summary(results: readonly SimResult[], seconds: string): string[] {
  const failed = results.filter(({ violation }) => violation !== null);
  const sum = (of: (result: SimResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const hours = (sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1);
  return [
    ...failed.map(({ seed, violation }) => `seed ${seed}: ${violation?.invariant ?? ''}`),
    `sim: ${results.length - failed.length} passed, ${failed.length} failed (each seed twice; ${sum(({ tasks }) => tasks)} tasks, ${sum(({ steps }) => steps)} steps checked, ${hours} h of virtual time in ${seconds} s)`,
  ];
}

function replay(path: string, given: Options): number {
  const journal = readJournal(path, given.config);
  const { entries, difference } = replayJournal(journal);
  if (given.json) print([JSON.stringify({ entries, difference })]);
  else
    print([
      difference === null
        ? `replay: ${entries} entries decided again, all the same`
        : `replay: DIFFERS at ${difference}`,
    ]);
  return difference === null ? 0 : 1;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function wrong(message: string): number {
  process.stderr.write(`sim: ${message}\n${usage}\n`);
  return 2;
}

process.exitCode = await main();
