// `assay worker`: an agent on a lab machine. The first SIGTERM or Ctrl-C drains it (what runs is finished, the rest goes back),
// a second one ends it at once.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { startAgent } from '@assay/agent';
import type { Command } from 'commander';
import { AssayError, WorkerSettings } from '@assay/protocol';
import { readWorkerSettings } from '../config/worker-settings.ts';
import { exitCodes } from '../exit-codes.ts';
import { stateRoot } from '../local/state-directory.ts';
import { action, wholeNumber } from './options.ts';
import { stopSignal } from './stop-signal.ts';

type WorkerOptions = {
  join: string;
  token?: string;
  name?: string;
  pool: string;
  slots?: number;
  state?: string;
  declare?: string[];
  ca?: string;
  gates?: boolean;
  allowDirectories?: boolean;
  checks?: string;
  builtInChecks: boolean;
  browsers?: boolean;
};

const say = (text: string): void => void process.stderr.write(`${text}\n`);

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('Offer this machine to a coordinator.')
    .requiredOption('--join <url>', 'the coordinator')
    .option('--token <token>', 'a token with the scope worker:POOL (default: ASSAY_TOKEN)')
    .option('--name <name>', 'how people call it', hostname())
    .option('--pool <pool>', 'the pool that it serves', 'default')
    .option('--slots <n>', 'how many files at once (default: usable processors)', wholeNumber(1, 1_024))
    .option('--state <dir>', "its state directory (default: the user's own, by name)")
    .option('--declare <key=value...>', 'labels declared by you, as opposed to measured')
    .option('--ca <file>', 'certificate authority (PEM) of the coordinator')
    .option('--checks <file>', 'JSON settings: checks of this machine and its devices, hooks to repair it')
    .option('--no-built-in-checks', 'run no checks but those of --checks and of the fleet')
    .option('--no-gates', 'tell nothing of heat, GPU memory and battery, so that they hold back no new work')
    .option(
      '--browsers',
      'start each browser once to measure what its pages get, so that browser tests can be placed here',
    )
    .option('--allow-directories', 'run projects that are named by a directory of this machine')
    .addHelpText(
      'after',
      '\nExample:\n  assay worker --join https://assay.example:7420 --declare rack=7 --declare accelerator=none',
    )
    .action(action(worker));
}

async function worker(options: WorkerOptions): Promise<number> {
  const token = options.token ?? process.env.ASSAY_TOKEN;
  if (token === undefined) throw new AssayError('UNAUTHORIZED', 'A worker needs a token: --token or ASSAY_TOKEN.');
  const name = options.name ?? hostname();
  const agent = await startAgent({
    url: options.join,
    token,
    name,
    pool: options.pool,
    ...(options.slots === undefined ? {} : { slots: options.slots }),
    stateDir: resolve(options.state ?? join(stateRoot(), 'workers', name.replace(/[^A-Za-z0-9._-]/g, '_'))),
    allowDirectories: options.allowDirectories === true,
    measureBrowsers: options.browsers === true,
    ...(options.gates === false ? { readingsMs: 0 } : {}),
    soundness: await soundnessOf(options),
    canRestart: process.execve !== undefined,
    say: (level, text) => say(`${level}: ${text}`),
    declared: parseDeclared(options.declare ?? []),
    ...(options.ca === undefined ? {} : { caFile: options.ca }),
  });
  say(`worker ${agent.workerId} (${name}) joins ${options.join}`);
  let isAskedToStop = false;
  void stopSignal().then(() => {
    isAskedToStop = true;
    say('draining; again to stop at once');
    agent.drain('asked to stop');
    return stopSignal().then(() => agent.kill('asked to stop at once'));
  });
  const end = await agent.done;
  if (end.isRestart === true && !isAskedToStop) return startAnew();
  if (end.error === null) return exitCodes.passed.code;
  say(`${end.error.code} ${end.error.message}`);
  return exitCodes.unreachable.code;
}

/** Puts a fresh process in this one's place, with the same arguments: what hung or leaked in the old one is gone with it. */
function startAnew(): number {
  say('starting anew');
  const { execPath, execArgv, argv, env } = process;
  const defined = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], Object.fromEntries(defined));
  return exitCodes.passed.code;
}

async function soundnessOf({ checks, builtInChecks }: WorkerOptions): Promise<WorkerSettings> {
  const settings = checks === undefined ? WorkerSettings.parse({}) : await readWorkerSettings(checks);
  return builtInChecks ? settings : { ...settings, builtIn: [] };
}

/** `rack=7` is a number, `virtual=true` a truth value, everything else a string. */
export function parseDeclared(pairs: readonly string[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new AssayError('USAGE', `"${pair}" is not key=value.`);
      const text = pair.slice(at + 1);
      const value =
        text === 'true' || text === 'false'
          ? text === 'true'
          : text !== '' && Number.isFinite(Number(text))
            ? Number(text)
            : text;
      return [pair.slice(0, at), value];
    }),
  );
}
