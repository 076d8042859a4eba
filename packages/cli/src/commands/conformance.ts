// `assay conformance FILE`: the counts of merged results, which `assay run --conformance FILE` writes, and with `--against` every
// subtest that ended otherwise in another run.
import { readFile, writeFile } from 'node:fs/promises';
import { AssayError } from '@assay/protocol';
import type { Command } from 'commander';
import { countsOf, differences, durationsOf, type Difference, type StatusCounts } from '../conformance/compare.ts';
import { MergedConformance } from '../conformance/merge.ts';
import { toWptReport } from '../conformance/wptreport.ts';
import { exitCodes } from '../exit-codes.ts';
import { action } from './options.ts';

type Options = { against?: string; durations?: string; wptreport?: string; json?: boolean };
const shownMax = 100;

export function addConformanceCommand(program: Command): void {
  program
    .command('conformance <file>')
    .description('Count results of a conformance suite by browser and adapter, and compare two runs of it.')
    .option('--against <file>', 'another run: exits 1 where a subtest ended otherwise')
    .option('--durations <file>', 'write what tests took, to cut the next run by')
    .option('--wptreport <file>', 'write results of web-platform-tests in the form that their own tools read')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  assay run --conformance new.json\n  assay conformance new.json --against old.json',
    )
    .action(action(conformance));
}

async function conformance(file: string, options: Options): Promise<number> {
  const merged = await read(file);
  const places = countsOf(merged);
  const changed = options.against === undefined ? null : differences(await read(options.against), merged);
  if (options.durations !== undefined)
    await writeFile(options.durations, `${JSON.stringify(durationsOf(merged), null, 2)}\n`);
  if (options.wptreport !== undefined)
    await writeFile(options.wptreport, `${JSON.stringify(toWptReport(merged, process.platform))}\n`);
  if (options.json === true) {
    const { run, date, missing } = merged;
    print(JSON.stringify({ run, date, places, missing, ...(changed === null ? {} : { changed }) }, null, 2));
  } else {
    for (const { suite, browser, adapter, tests, subtests } of places) {
      print(`${suite} on ${browser}, ${adapter}`);
      print(`  tests     ${shown(tests)}`);
      print(`  subtests  ${shown(subtests)}`);
    }
    for (const { target, verdict, reason } of merged.missing)
      print(`not all results of ${target} (${verdict}): ${reason}`);
    for (const one of changed?.slice(0, shownMax) ?? []) print(differenceLine(one));
    if (changed !== null)
      print(changed.length === 0 ? 'Every subtest ended as in the other run.' : `${changed.length} differences.`);
  }
  return merged.missing.length > 0 || (changed?.length ?? 0) > 0 ? exitCodes.failed.code : exitCodes.passed.code;
}

async function read(file: string): Promise<MergedConformance> {
  try {
    return MergedConformance.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AssayError('USAGE', `${file} is no file of "assay run --conformance": ${why.slice(0, 500)}`);
  }
}

function shown(counts: StatusCounts): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return `${total}: ${Object.entries(counts)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ')}`;
}

function differenceLine({ name, subtest, before, after }: Difference): string {
  return `${before ?? 'absent'} -> ${after ?? 'absent'}  ${name}${subtest === '' ? '' : ` [${subtest}]`}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
