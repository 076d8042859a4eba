// The commands that only read: runs, tasks, workers, explain, report. Tables on a terminal, the API's own shapes with --json.
import { AssayError } from '@assay/protocol';
import { Option, type Command } from 'commander';
import { connect, type ConnectionOptions } from '../connection.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { readReport } from '../report/read.ts';
import { duration, paintFor, plural } from '../render/style.ts';
import { table } from '../render/table.ts';
import { troublesOf } from './condition.ts';
import { exportFormats, type ExportFormat, exportReport } from './export-report.ts';
import { action, addConnectionOptions, wholeNumber } from './options.ts';
import { workerDetail } from './worker-detail.ts';
import { type ReportOptions, writeReports } from './write-reports.ts';
import { faultText } from '../report/attribution.ts';

type Shared = ConnectionOptions & { json?: boolean };
const width = (): number => (process.stdout.isTTY ? process.stdout.columns : 0);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
const clock = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);

export function addInspectCommands(program: Command): void {
  addConnectionOptions(program.command('runs').description('List runs, newest first.'))
    .option('--limit <n>', 'how many', wholeNumber(1, 500), 20)
    .option('--json', 'print JSON')
    .action(action(listRuns));
  addConnectionOptions(program.command('tasks <run>').description('List the tasks of a run.'))
    .option('--state <state>', 'queued, assigned, running or settled')
    .option('--verdict <verdict>', 'passed, failed, errored, timedOut, skipped, inconclusive, lost, canceled')
    .option('--json', 'print JSON')
    .action(action(listTasks));
  addConnectionOptions(program.command('workers [worker]').description('List workers and what they do, or show one.'))
    .option('--json', 'print JSON')
    .action(action(listWorkers));
  addConnectionOptions(
    program.command('explain <task>').description('Say why a task waits, or why it was placed where it was.'),
  )
    .option('--json', 'print JSON')
    .action(action(explain));
  addConnectionOptions(program.command('report <run>').description('Print and write the report of a run.'))
    .option('--json', 'print JSON')
    .option('--junit <file>', 'write JUnit XML')
    .option('--ctrf <file>', 'write CTRF JSON')
    .option('--markdown <file>', 'write Markdown')
    .addOption(
      new Option('--format <format>', 'write the run for other tools, instead of printing it').choices(exportFormats),
    )
    .option('--output <path>', 'where --format writes: a file, for allure a directory')
    .addHelpText(
      'after',
      '\nExamples:\n  assay report r-abc --junit out/junit.xml\n  assay report r-abc --format parquet --output out/cases.parquet\n  assay report r-abc --format allure --output allure-results',
    )
    .action(action(report));
}

async function listRuns(options: Shared & { limit: number }): Promise<number> {
  const { client } = await connect(options);
  const { runs } = await client.listRuns({ limit: options.limit });
  if (options.json) printJson(runs);
  else if (runs.length === 0) print('No runs yet.');
  else {
    const rows = runs.map((run) => [
      run.run,
      run.verdict ?? run.state,
      `${run.tasks.settled}/${run.tasks.total}`,
      `${run.cases.passed} passed, ${run.cases.failed} failed`,
      clock(run.submittedAtMs),
      run.name,
    ]);
    print(table(['run', 'verdict', 'files', 'cases', 'submitted (UTC)', 'name'], rows, width()));
  }
  return 0;
}

async function listTasks(run: string, options: Shared & { state?: string; verdict?: string }): Promise<number> {
  const { client } = await connect(options);
  const rows: string[][] = [];
  for (let after: string | undefined; ;) {
    const page = await client.listTasks(run, {
      limit: 1_000,
      ...(options.state === undefined ? {} : { state: options.state }),
      ...(options.verdict === undefined ? {} : { verdict: options.verdict }),
      ...(after === undefined ? {} : { after }),
    });
    if (options.json) for (const task of page.tasks) print(JSON.stringify(task));
    for (const task of page.tasks) {
      const last = task.attempts.at(-1);
      const cost = last?.costMs === undefined ? '' : duration(last.costMs);
      rows.push([
        task.task,
        task.verdict ?? task.state,
        String(task.attempts.length),
        cost,
        last?.workerName ?? '',
        task.target || task.suite,
      ]);
    }
    if (page.next === null) break;
    after = page.next;
  }
  if (!options.json)
    print(
      rows.length === 0
        ? 'No such tasks.'
        : table(['task', 'state', 'attempts', 'cost', 'worker', 'target'], rows, width()),
    );
  return 0;
}

async function listWorkers(worker: string | undefined, options: Shared): Promise<number> {
  const { client } = await connect(options);
  if (worker !== undefined) {
    const view = await client.readWorker(worker);
    if (options.json) printJson(view);
    else print(workerDetail(view, paintFor(process.stdout)));
    return 0;
  }
  const { workers } = await client.listWorkers();
  if (options.json) printJson(workers);
  else if (workers.length === 0) print('No workers have joined. Start one: assay worker --join URL');
  else {
    const rows = workers.map((worker) => [
      worker.worker,
      worker.name,
      worker.state,
      worker.condition?.kind ?? '',
      `${worker.running}/${worker.slots}`,
      worker.pool,
      Object.entries(worker.declared)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ]);
    print(table(['worker', 'name', 'state', 'condition', 'slots', 'pool', 'declared'], rows, width()));
    for (const worker of workers) for (const trouble of troublesOf(worker)) print(`  ${worker.name}: ${trouble}`);
  }
  return 0;
}

async function explain(task: string, options: Shared): Promise<number> {
  const { client } = await connect(options);
  const explanation = await client.explainTask(task);
  if (options.json) {
    printJson(explanation);
    return 0;
  }
  const paint = paintFor(process.stdout);
  print(`${paint('bold', task)} ${explanation.state}: ${explanation.summary}`);
  for (const { reason, workers } of explanation.reasons)
    print(workers === 0 ? `  ${reason}` : `  ${plural(workers, 'worker')}: ${reason}`);
  if (explanation.aheadInQueue !== undefined) print(`  ${plural(explanation.aheadInQueue, 'task')} ahead`);
  if (explanation.expectedStartMs !== undefined && explanation.expectedStartMs !== null)
    print(`  expected to start about ${clock(explanation.expectedStartMs)} UTC`);
  if (explanation.expectedStartMs === null) print('  nothing that is known would let it start by itself');
  const { diagnosis } = explanation;
  if (diagnosis !== undefined) print(`  ${faultText(diagnosis)}: ${diagnosis.summary}`);
  for (const { change } of explanation.changes ?? []) print(`  could start now if ${change}`);
  if (explanation.placement !== undefined) {
    const { worker, rule, fittingWorkers, freeWorkers, expectedMs, batch, atMs } = explanation.placement;
    print(
      `  placed on ${worker} at ${clock(atMs)} UTC by ${rule}: ${fittingWorkers} workers fit, ${freeWorkers} had a free slot`,
    );
    print(`  predicted ${duration(expectedMs)}, in a batch of ${batch}`);
  }
  return 0;
}

type ExportOptions = { format?: ExportFormat; output?: string };

async function report(run: string, options: Shared & ReportOptions & ExportOptions): Promise<number> {
  const { format, output } = options;
  if ((format === undefined) !== (output === undefined))
    throw new AssayError('USAGE', '--format and --output go together: what is written, and where.');
  const { client } = await connect(options);
  if (format !== undefined && output !== undefined) {
    process.stderr.write(`${await exportReport(client, run, format, output)}\n`);
    return 0;
  }
  const result = await readReport(client, run, null);
  for (const path of await writeReports(result, options)) if (!options.json) print(`wrote ${path}`);
  return exitCodeOf(result.run.verdict);
}
