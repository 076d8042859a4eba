// `assay circuits advise`: reads the attempts of recorded runs from the coordinator's results, and shows what each of a grid of
// settings would have done with them. It changes nothing, and computes here rather than in the coordinator.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Client } from '@assay/client';
import { type Advice, adviseCircuits, circuitsDefaults, type HistoricAttempt } from '@assay/coordinator';
import type { RunView, TaskView } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { duration, plural } from '../render/style.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions, durationOption } from './options.ts';

type AdviseOptions = ConnectionOptions & {
  run?: string;
  since: number;
  scope: 'worker' | 'workerTask';
  all?: boolean;
  json?: boolean;
};
const rowsMax = 12;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

export function addAdviseCommand(circuits: Command): void {
  addConnectionOptions(
    circuits
      .command('advise')
      .description(
        'Replay recorded attempts over a grid of settings: what each would have caught and wrongly stopped.',
      ),
  )
    .option('--run <run>', 'of one run')
    .option('--since <duration>', 'of the runs submitted within so long', durationOption, 7 * 86_400_000)
    .addOption(
      new Option('--scope <scope>', 'circuits of workers, or of kinds of work on them')
        .choices(['worker', 'workerTask'])
        .default('worker'),
    )
    .option('--all', 'every setting of the grid, also those that another one beats')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  assay circuits advise --since 30d\n  assay circuits advise --run r-0abc123def --scope workerTask --all',
    )
    .action(action(advise));
}

async function advise(options: AdviseOptions): Promise<number> {
  const { client } = await connect(options);
  const runs = options.run === undefined ? await runsSince(client, options.since) : [await client.readRun(options.run)];
  const history: HistoricAttempt[] = [];
  for (const run of runs) await readAttempts(client, run, history);
  const advice = adviseCircuits(history, options.scope, circuitsDefaults.breakers[options.scope]);
  if (options.json) print(JSON.stringify({ runs: runs.length, ...advice }, null, 2));
  else print(adviceText(advice, runs.length, options.all === true));
  return 0;
}

async function runsSince(client: Client, sinceMs: number): Promise<RunView[]> {
  const fromMs = Date.now() - sinceMs;
  const runs: RunView[] = [];
  for (let before: string | undefined; ;) {
    const page = await client.listRuns({ limit: 500, ...(before === undefined ? {} : { before }) });
    runs.push(...page.runs.filter(({ submittedAtMs }) => submittedAtMs >= fromMs));
    const last = page.runs.at(-1);
    if (page.next === null || (last !== undefined && last.submittedAtMs < fromMs)) return runs;
    before = page.next;
  }
}

async function readAttempts(client: Client, run: RunView, history: HistoricAttempt[]): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = await client.listTasks(run.run, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    for (const task of page.tasks) addAttempts(run.project, task, history);
    if (page.next === null) return;
    after = page.next;
  }
}

function addAttempts(project: string, { task, suite, attempts }: TaskView, history: HistoricAttempt[]): void {
  for (const { attempt, worker, assignedAtMs, startedAtMs, settledAtMs, verdict, failure } of attempts) {
    const beganAtMs = startedAtMs ?? assignedAtMs;
    if (worker === null || verdict === undefined || beganAtMs === undefined || settledAtMs === undefined) continue;
    const times = { startedAtMs: beganAtMs, endedAtMs: settledAtMs };
    history.push({
      task,
      attempt,
      worker,
      project,
      suite,
      ...times,
      verdict,
      ...(failure === undefined ? {} : { failure }),
    });
  }
}

function adviceText(advice: Advice, runs: number, isWhole: boolean): string {
  const { attempts, circuits, faults, good, shared, unproven } = advice;
  const lines = [
    `${plural(attempts, 'attempt')} of ${plural(runs, 'run')} in ${plural(circuits, 'circuit')}: ${faults} failed and passed elsewhere, ${good} were good, ${shared} failed elsewhere too, ${unproven} were never tried elsewhere.`,
    ...advice.thin.map((why) => `Too little history to decide by: ${why}.`),
  ];
  const shown = isWhole ? advice.grid : advice.rows.filter(({ isInUse }, at) => isInUse || at < rowsMax);
  const rows = shown.map(({ settings, isInUse, opened, caught, wronglyStopped, otherwiseStopped }) => [
    `${settings.consecutiveFailures ?? '-'}`,
    settings.failureRate === null ? '-' : `${settings.failureRate * 100} %`,
    duration(settings.openMs),
    String(opened),
    faults === 0 ? String(caught) : `${caught} of ${faults}`,
    `${wronglyStopped} of ${good}`,
    String(otherwiseStopped),
    isInUse ? 'the default' : '',
  ]);
  const header = ['in a row', 'share', 'open for', 'opened', 'caught', 'wrongly stopped', 'stopped otherwise', ''];
  lines.push('', table(header, rows, 0));
  if (!isWhole)
    lines.push(
      `${advice.grid.length - shown.length} others of the grid are not shown; most are beaten by one of these: --all`,
    );
  lines.push(
    '',
    'Breakers alone are replayed: the rules around them (several tasks, quorum, the last of its class) stop less.',
  );
  return lines.join('\n');
}
