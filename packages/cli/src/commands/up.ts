// `assay up`: a coordinator that stays, and `assay worker`: an agent on a lab machine. Both run until SIGTERM or Ctrl-C; the
// coordinator needs no goodbye (its journal is durable), the worker finishes what it runs.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AssayError } from '@assay/protocol';
import { exitCodes } from '../exit-codes.ts';
import { removeEndpoint, writeEndpoint } from '../local/endpoint.ts';
import { stateRoot } from '../local/state-directory.ts';
import { paintFor } from '../render/style.ts';
import { action, wholeNumber } from './options.ts';

type UpOptions = { host: string; port: number; state?: string; tlsCert?: string; tlsKey?: string; quiet?: boolean };
type WorkerOptions = {
  join: string;
  token?: string;
  name?: string;
  pool: string;
  slots?: number;
  state?: string;
  declare?: string[];
  ca?: string;
  allowDirectories?: boolean;
};

const say = (text: string): void => void process.stderr.write(`${text}\n`);

export function addFleetCommands(program: Command): void {
  program
    .command('up')
    .description('Start a coordinator.')
    .option('--host <address>', 'where to listen; beyond loopback a token must exist', '127.0.0.1')
    .option('--port <n>', 'port, 0 for any', wholeNumber(0, 65_535), 7_420)
    .option('--state <dir>', "state directory (default: the user's own)")
    .option('--tls-cert <file>', 'certificate (PEM), with --tls-key')
    .option('--tls-key <file>', 'private key (PEM)')
    .option('--quiet', 'log only trouble')
    .addHelpText(
      'after',
      '\nExamples:\n  assay up\n  assay token create --state /var/lib/assay --scope admin && assay up --state /var/lib/assay --host 0.0.0.0 --tls-cert c.pem --tls-key k.pem',
    )
    .action(action(up));
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
    .option('--allow-directories', 'run projects that are named by a directory of this machine')
    .addHelpText(
      'after',
      '\nExample:\n  assay worker --join https://assay.example:7420 --declare rack=7 --declare accelerator=none',
    )
    .action(action(worker));
}

async function up(options: UpOptions): Promise<number> {
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined))
    throw new AssayError('USAGE', '--tls-cert and --tls-key go together.');
  const stateDir = resolve(options.state ?? join(stateRoot(), 'coordinator'));
  const { createLog, silentLog, startCoordinator } = await import('@assay/coordinator');
  const ownerSecret = `assay_owner_${randomBytes(32).toString('base64url')}`;
  const tls =
    options.tlsCert === undefined || options.tlsKey === undefined
      ? {}
      : { tls: { cert: await readFile(options.tlsCert), key: await readFile(options.tlsKey) } };
  const coordinator = await startCoordinator({
    stateDir,
    host: options.host,
    port: options.port,
    ...tls,
    ownerSecret,
    log: options.quiet ? silentLog : createLog(),
  });
  await writeEndpoint({ url: coordinator.url, token: ownerSecret, pid: process.pid });
  const paint = paintFor(process.stderr);
  say(`${paint('bold', 'assay coordinator')} at ${paint('cyan', coordinator.url)}  (state in ${stateDir})`);
  say(
    `  a worker:  assay worker --join ${coordinator.url} --token "$(assay token create --scope worker:default --name ${hostname()})"`,
  );
  say('  a run:     assay run --coordinator ' + coordinator.url);
  await stopSignal();
  say('stopping');
  await removeEndpoint(process.pid);
  await coordinator.stop();
  return exitCodes.passed.code;
}

async function worker(options: WorkerOptions): Promise<number> {
  const token = options.token ?? process.env.ASSAY_TOKEN;
  if (token === undefined) throw new AssayError('UNAUTHORIZED', 'A worker needs a token: --token or ASSAY_TOKEN.');
  const name = options.name ?? hostname();
  const { startAgent } = await import('@assay/agent');
  const agent = await startAgent({
    url: options.join,
    token,
    name,
    pool: options.pool,
    ...(options.slots === undefined ? {} : { slots: options.slots }),
    stateDir: resolve(options.state ?? join(stateRoot(), 'workers', name.replace(/[^A-Za-z0-9._-]/g, '_'))),
    allowDirectories: options.allowDirectories === true,
    say: (level, text) => say(`${level}: ${text}`),
    declared: parseDeclared(options.declare ?? []),
    ...(options.ca === undefined ? {} : { caFile: options.ca }),
  });
  say(`worker ${agent.workerId} (${name}) serves ${options.join}`);
  void stopSignal().then(() => {
    say('draining; again to stop at once');
    agent.drain('asked to stop');
    return stopSignal().then(() => agent.kill('asked to stop at once'));
  });
  const end = await agent.done;
  if (end.error === null) return exitCodes.passed.code;
  say(`${end.error.code} ${end.error.message}`);
  return exitCodes.unreachable.code;
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

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}
