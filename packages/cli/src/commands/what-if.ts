// `assay what-if`: reads a run from the coordinator's journal (or its stored results, where that no longer has it), and plays it
// again in virtual time under other policies and with more workers, beside what was recorded. It changes nothing, and computes
// here rather than in the coordinator.
import type { Command } from 'commander';
import { Option } from 'commander';
import { type Measures, type Outcome, policyNames, type PolicyName, simulateWhatIf } from '@assay/coordinator';
import { AssayError } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { duration, plural } from '../render/style.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions, wholeNumber } from './options.ts';
import { readRecord, type Record } from './what-if-record.ts';

type WhatIfOptions = ConnectionOptions & {
  run: string;
  policy?: readonly PolicyName[];
  addWorkers?: number;
  like?: string;
  json?: boolean;
};

type Wanted = Pick<WhatIfOptions, 'policy' | 'addWorkers' | 'like'>;

export function addWhatIfCommand(program: Command): void {
  addConnectionOptions(
    program
      .command('what-if')
      .description('Play a recorded run again under other placement policies, or with more workers, in virtual time.'),
  )
    .requiredOption('--run <run>', 'the run')
    .addOption(new Option('--policy <policy...>', 'policies to compare; all where none is named').choices(policyNames))
    .option('--add-workers <count>', 'with so many more workers', wholeNumber(1, 10_000))
    .option('--like <worker>', 'the worker, by id or name, that those are like')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  assay what-if --run r-0abc123def\n  assay what-if --run r-0abc123def --policy expected-finish --add-workers 4 --like w-gpu1',
    )
    .action(action(whatIf));
}

async function whatIf(options: WhatIfOptions): Promise<number> {
  if ((options.addWorkers === undefined) !== (options.like === undefined))
    throw new AssayError('BAD_REQUEST', '--add-workers and --like go together');
  const { client } = await connect(options);
  const record = await readRecord(client, options.run);
  const outcomes = outcomesOf(record, options);
  const { recorded, measured, used, leftOut } = record;
  if (options.json) {
    const found = {
      run: options.run,
      used,
      tasks: recorded.tasks.length,
      leftOut,
      recorded: measured,
      simulated: outcomes,
    };
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  } else process.stdout.write(`${textOf(record, outcomes)}\n`);
  return 0;
}

function outcomesOf(
  { recorded }: Record,
  { policy: policies = policyNames, like: wanted, addWorkers }: Wanted,
): Outcome[] {
  const like = recorded.workers.find(({ worker, name }) => worker === wanted || name === wanted)?.worker;
  if (wanted !== undefined && like === undefined) {
    const known = recorded.workers.map(({ worker, name }) => name ?? worker).join(', ');
    throw new AssayError('BAD_REQUEST', `no worker of the run is ${wanted}; there are: ${known || 'none'}`);
  }
  try {
    const outcomes = policies.map((policy) => simulateWhatIf(recorded, { policy }));
    if (addWorkers === undefined || like === undefined) return outcomes;
    const add = { like, count: addWorkers };
    return [...outcomes, ...policies.map((policy) => simulateWhatIf(recorded, { policy, add }))];
  } catch (error) {
    throw new AssayError('BAD_REQUEST', error instanceof Error ? error.message : String(error), undefined, error);
  }
}

function textOf({ recorded, measured, used, leftOut }: Record, outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((one) => rowOf(one.policy, one));
  if (measured !== null) rows.unshift(rowOf('as recorded', measured));
  const heads = ['policy', 'workers', 'makespan', 'median wait', 'p95 wait', 'longest wait', 'in use'];
  const from =
    used.kind === 'journal'
      ? `from the journal (entries ${used.first} to ${used.last}), on the workers as they were while it was on:`
      : `from the stored results, on the workers that are connected now (${used.reason}):`;
  const never =
    leftOut === 0 ? [] : [`${plural(leftOut, 'task')} never ran and ${leftOut === 1 ? 'is' : 'are'} left out.`];
  return [
    `${plural(recorded.tasks.length, 'task')} with what they really took, ${from}`,
    table(heads, rows, 0),
    ...never,
  ].join('\n');
}

function rowOf(title: string, one: Measures): string[] {
  return [
    title,
    String(one.workers),
    duration(one.makespanMs),
    duration(one.waitMedianMs),
    duration(one.waitP95Ms),
    duration(one.waitLongestMs),
    `${Math.round(one.utilisation * 100)} %`,
  ];
}
