// `assay what-if`: reads what a run's tasks really took from the coordinator's results, and plays the run again in virtual time
// under other policies and with more workers, side by side. It changes nothing, and computes here rather than in the coordinator.
// Workers that left are not in it: their tasks count where they would be placed now.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Client } from '@assay/client';
import { policyNames, simulateWhatIf, type Outcome, type PolicyName, type Recorded } from '@assay/coordinator';
import { AssayError, type TaskView } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { duration, plural } from '../render/style.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions, wholeNumber } from './options.ts';

type WhatIfOptions = ConnectionOptions & {
  run: string;
  policy?: PolicyName[];
  addWorkers?: number;
  like?: string;
  json?: boolean;
};

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
  const recorded = await readRecord(client, options.run);
  const policies = options.policy ?? policyNames;
  const outcomes = policies.map((policy) => simulateWhatIf(recorded, { policy }));
  const like = recorded.workers.find(({ worker, name }) => worker === options.like || name === options.like)?.worker;
  if (options.like !== undefined && like === undefined)
    throw new AssayError('BAD_REQUEST', `no connected worker is ${options.like}`);
  if (options.addWorkers !== undefined && like !== undefined) {
    const add = { like, count: options.addWorkers };
    outcomes.push(...policies.map((policy) => simulateWhatIf(recorded, { policy, add })));
  }
  process.stdout.write(options.json ? `${JSON.stringify(outcomes, null, 2)}\n` : `${textOf(recorded, outcomes)}\n`);
  return 0;
}

async function readRecord(client: Client, run: string): Promise<Recorded> {
  const { project } = await client.readRun(run);
  const views: TaskView[] = [];
  for (let after: string | undefined; ;) {
    const page = await client.listTasks(run, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    views.push(...page.tasks);
    if (page.next === null) break;
    after = page.next;
  }
  const workers = [];
  for (const { worker } of (await client.listWorkers()).workers) {
    const { name, pool, slots, profile, profileDigest, declared } = await client.readWorker(worker);
    if (profile !== undefined) workers.push({ worker, name, pool, slots, profile, profileDigest, declared });
  }
  return { project, workers, ...tasksOf(views) };
}

/** The attempt that decided each task, where it took any time; tasks that never ran are left out. */
function tasksOf(views: readonly TaskView[]): Pick<Recorded, 'suites' | 'tasks' | 'startupMs'> {
  const suites: { name: string; requires: string; batching: 'single' | 'shared' }[] = [];
  const tasks: Recorded['tasks'][number][] = [];
  const startups: number[] = [];
  for (const view of views) {
    const attempt = view.attempts.findLast(({ costMs, worker }) => costMs !== undefined && worker !== null);
    if (attempt?.costMs === undefined || attempt.worker === null) continue;
    let suite = suites.findIndex(({ name }) => name === view.suite);
    if (suite < 0) suite = suites.push({ name: view.suite, requires: view.requires, batching: 'single' }) - 1;
    if ((attempt.placement?.batch ?? 1) > 1) suites[suite]!.batching = 'shared';
    if (attempt.startupMs !== undefined) startups.push(attempt.startupMs);
    const { target, expectedMs } = view;
    const costMs = Math.max(1, Math.round(attempt.costMs));
    tasks.push({ suite, target, costMs, worker: attempt.worker, ...(expectedMs === undefined ? {} : { expectedMs }) });
  }
  const startupMs = Math.round(startups.toSorted((a, b) => a - b)[Math.floor(startups.length / 2)] ?? 0);
  return { suites, tasks, startupMs };
}

function textOf(recorded: Recorded, outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((one) => [
    one.policy,
    String(one.workers),
    duration(one.makespanMs),
    duration(one.waitMedianMs),
    duration(one.waitLongestMs),
    `${Math.round(one.utilisation * 100)} %`,
  ]);
  const heads = ['policy', 'workers', 'makespan', 'median wait', 'longest wait', 'in use'];
  return [
    `${plural(recorded.tasks.length, 'task')} with what they really took, on the workers that are connected now:`,
    table(heads, rows, 0),
  ].join('\n');
}
