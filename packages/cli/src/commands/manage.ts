// The commands that act on a fleet: watch, cancel, drain, token.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { openAuthority, type StoredAuthority } from '@assay/coordinator';
import { AssayError, Scope } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';
import { table } from '../render/table.ts';
import { stateRoot } from '../local/state-directory.ts';
import { action, addConnectionOptions } from './options.ts';
import { watchRun } from './watch-run.ts';
import { type ReportOptions, writeReports } from './write-reports.ts';

type Shared = ConnectionOptions & { json?: boolean };
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const actor = (): string => userInfo().username;

export function addManageCommands(program: Command): void {
  addConnectionOptions(
    program.command('watch <run>').description('Follow a run to its end; Ctrl-C stops watching, not the run.'),
  )
    .option('--json', 'print JSON')
    .option('--junit <file>', 'write JUnit XML')
    .option('--ctrf <file>', 'write CTRF JSON')
    .option('--markdown <file>', 'write Markdown')
    .action(action(watch));
  addConnectionOptions(program.command('cancel <run> [tasks...]').description('Cancel a run, or some of its tasks.'))
    .option('--reason <text>', 'why', 'asked for on the command line')
    .option('--json', 'print JSON')
    .action(action(cancel));
  addConnectionOptions(
    program.command('drain <worker>').description('Give a worker no new work; it leaves when it is done.'),
  )
    .option('--reason <text>', 'why', 'asked for on the command line')
    .option('--json', 'print JSON')
    .action(action(drain));
  addTokenCommands(program.command('token').description('Create, list and revoke tokens.'));
}

async function watch(run: string, options: Shared & ReportOptions): Promise<number> {
  const { client } = await connect(options);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    const report = await watchRun(client, run, { isQuiet: options.json === true, signal: stop.signal });
    for (const path of await writeReports(report, options)) if (!options.json) print(`wrote ${path}`);
    return exitCodeOf(report.run.verdict);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    print(`Stopped watching; the run goes on: assay watch ${run}`);
    return exitCodes.inconclusive.code;
  }
}

async function cancel(run: string, tasks: string[], options: Shared & { reason: string }): Promise<number> {
  const { client } = await connect(options);
  const view = await client.cancelRun(run, {
    reason: `${actor()}: ${options.reason}`,
    ...(tasks.length === 0 ? {} : { tasks: tasks as never }),
  });
  print(
    options.json
      ? JSON.stringify(view, null, 2)
      : `${run}: ${tasks.length === 0 ? 'canceled' : `${tasks.length} tasks canceled`} (${view.tasks.settled}/${view.tasks.total} settled)`,
  );
  return 0;
}

async function drain(worker: string, options: Shared & { reason: string }): Promise<number> {
  const { client } = await connect(options);
  const view = await client.drainWorker(worker, { reason: `${actor()}: ${options.reason}` });
  print(
    options.json
      ? JSON.stringify(view, null, 2)
      : `${view.name} (${view.worker}) takes no new work; ${view.running} running.`,
  );
  return 0;
}

type TokenOptions = Shared & { state?: string; name: string; scope: string[] };

function addTokenCommands(token: Command): void {
  const withState = (command: Command): Command =>
    addConnectionOptions(command)
      .option('--state <dir>', 'act on this state directory itself, with no coordinator in between')
      .option('--json', 'print JSON');
  withState(token.command('create').description('Create a token; its secret is shown once.'))
    .requiredOption('--scope <scope...>', 'read, submit, operate, admin, worker:POOL, trust:TIER')
    .option('--name <name>', 'what it is for', 'unnamed')
    .addHelpText(
      'after',
      '\nExamples:\n  assay token create --state /var/lib/assay --scope admin --name first\n  assay token create --scope worker:default --name lab-7',
    )
    .action(action(createToken));
  withState(token.command('list').description('List tokens (never their secrets).')).action(action(listTokens));
  withState(token.command('revoke <token>').description('Revoke a token at once.')).action(action(revokeToken));
}

async function createToken(options: TokenOptions): Promise<number> {
  const scopes = options.scope.map((scope) => {
    const parsed = Scope.safeParse(scope);
    if (!parsed.success)
      throw new AssayError(
        'USAGE',
        `"${scope}" is not a scope: read, submit, operate, admin, worker:POOL or trust:TIER.`,
      );
    return parsed.data;
  });
  const authority = await localAuthority(options);
  const created =
    authority === null
      ? await (await connect(options)).client.createToken({ name: options.name, scopes })
      : await authority.create(options.name, scopes);
  if (options.json) print(JSON.stringify(created, null, 2));
  else {
    print(created.secret);
    process.stderr.write(
      `Token ${created.token.token} (${scopes.join(', ')}). The secret above is shown once: keep it.\n`,
    );
  }
  return 0;
}

async function listTokens(options: TokenOptions): Promise<number> {
  const authority = await localAuthority(options);
  const tokens =
    authority === null ? (await (await connect(options)).client.listTokens()).tokens : await authority.list();
  const day = (ms: number | null): string => (ms === null ? 'never' : new Date(ms).toISOString().slice(0, 10));
  if (options.json) print(JSON.stringify(tokens, null, 2));
  else if (tokens.length === 0) print('No tokens yet: assay token create --scope admin --state DIR');
  else
    print(
      table(
        ['token', 'name', 'scopes', 'created', 'last used', 'state'],
        tokens.map((token) => [
          token.token,
          token.name,
          token.scopes.join(' '),
          day(token.createdAtMs),
          day(token.lastUsedAtMs),
          token.isRevoked ? 'revoked' : 'valid',
        ]),
        process.stdout.isTTY ? process.stdout.columns : 0,
      ),
    );
  return 0;
}

async function revokeToken(token: string, options: TokenOptions): Promise<number> {
  const authority = await localAuthority(options);
  if (authority === null) await (await connect(options)).client.revokeToken(token);
  else if (!(await authority.revoke(token))) throw new AssayError('NOT_FOUND', `There is no token ${token}.`);
  print(`Token ${token} is revoked.`);
  return 0;
}

/** The token store of a state directory that was named with --state (or "default": this user's own). */
async function localAuthority(options: TokenOptions): Promise<StoredAuthority | null> {
  if (options.state === undefined) return null;
  return openAuthority(options.state === 'default' ? `${stateRoot()}/coordinator` : options.state);
}
