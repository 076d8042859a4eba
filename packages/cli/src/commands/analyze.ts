// `assay flakes`, `assay analyze` and `assay bisect`: what the history of runs says of tests and metrics.
import type { Command } from 'commander';
import { AssayError, type CulpritReport } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { askGit } from '../project/git.ts';
import { changesText, clustersText, culpritText, flakesText } from '../render/analysis.ts';
import { action, addConnectionOptions, wholeNumber } from './options.ts';

type ScopeOptions = ConnectionOptions & { json?: boolean; project?: string; runs: number };

export function addAnalyzeCommands(program: Command): void {
  scoped(
    program
      .command('flakes')
      .description('Say which failing tests are flakes, how sure that is, and where each one fails.'),
  )
    .addHelpText(
      'after',
      '\nA flake both passes and fails at one revision on one class of hardware. A run tells its revision by\nitself where its files are exactly a commit, or by --label revision=...; one without is a revision of its own.\n\nExample:\n  assay flakes --runs 500',
    )
    .action(action(flakes));
  scoped(program.command('analyze').description('Say which measurements changed, and which failures are the same one.'))
    .option('--run <run>', 'say which failures this run brought, and which were known')
    .addHelpText('after', '\nExamples:\n  assay analyze\n  assay analyze --run r-0123456789')
    .action(action(analyze));
  scoped(
    program.command('bisect').description('Say after which revision a test fails, and which revision to run next.'),
  )
    .argument('<test>', 'part of its name, as "file > group > test"')
    .option('--between <good..bad>', 'a range of git in this directory: its revisions, also those that were never run')
    .addHelpText(
      'after',
      '\nIt starts no runs: check the revision out that it names, run it there, and ask again.\n\nExample:\n  assay bisect "adds two numbers" --between v1.2..main',
    )
    .action(action(bisect));
}

function scoped(command: Command): Command {
  return addConnectionOptions(command)
    .option('--project <name>', 'only of this project')
    .option('--runs <n>', 'the newest runs to look at', wholeNumber(1, 10_000), 200)
    .option('--json', 'print JSON');
}

const scopeOf = ({ project, runs }: ScopeOptions): { runs: number; project?: string } => ({
  runs,
  ...(project === undefined ? {} : { project }),
});

function print(value: unknown, text: string, isJson: boolean | undefined): number {
  process.stdout.write(isJson ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
  return 0;
}

async function flakes(options: ScopeOptions): Promise<number> {
  const { client } = await connect(options);
  const report = await client.flakes(scopeOf(options));
  return print(report, flakesText(report), options.json);
}

async function analyze(options: ScopeOptions & { run?: string }): Promise<number> {
  const { client } = await connect(options);
  const scope = scopeOf(options);
  if (options.run !== undefined) await client.readRun(options.run);
  const changes = await client.changes(scope);
  const failures = await client.failures({ ...scope, ...(options.run === undefined ? {} : { run: options.run }) });
  return print({ changes, failures }, `${changesText(changes)}\n\n${clustersText(failures)}`, options.json);
}

async function bisect(test: string, options: ScopeOptions & { between?: string }): Promise<number> {
  const revisions = options.between === undefined ? undefined : await revisionsOf(options.between);
  const { client } = await connect(options);
  const request = { ...scopeOf(options), test, ...(revisions === undefined ? {} : { revisions }) };
  const report: CulpritReport = await client.culprit(request);
  return print(report, culpritText(report), options.json);
}

const revisionsMax = 5_000;

/** Oldest first, with the good one in front: it is where the change had not happened yet. */
async function revisionsOf(range: string): Promise<string[]> {
  const [good, bad] = range.split('..');
  if (good === undefined || bad === undefined || good === '' || bad === '' || range.startsWith('-'))
    throw new AssayError('BAD_REQUEST', `"${range}" is no range: write GOOD..BAD`);
  const git = async (...args: string[]): Promise<string[]> => {
    try {
      return (await askGit('.', args)).split('\n').filter((line) => line !== '');
    } catch (error) {
      throw new AssayError('BAD_REQUEST', `git cannot tell the revisions of ${range}`, undefined, error);
    }
  };
  const first = await git('rev-parse', '--verify', '--end-of-options', `${good}^{commit}`);
  const rest = await git('rev-list', '--reverse', '--first-parent', '--end-of-options', `${good}..${bad}`);
  if (rest.length >= revisionsMax)
    throw new AssayError(
      'BAD_REQUEST',
      `${range} holds ${rest.length} revisions; at most ${revisionsMax - 1} are taken`,
    );
  return [...first, ...rest];
}
