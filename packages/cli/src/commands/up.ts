// `assay up`: a coordinator that stays until SIGTERM or Ctrl-C. It needs no goodbye: its journal is durable.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type CoordinatorOptions,
  createLog,
  isLoopbackHost,
  type RunningCoordinator,
  silentLog,
  startCoordinator,
} from '@assay/coordinator';
import { createClient } from '@assay/client';
import { dashboardDir } from '@assay/dashboard/built';
import { AssayError } from '@assay/protocol';
import { loadCoordinatorSettings } from '../config/coordinator-settings.ts';
import { exitCodes } from '../exit-codes.ts';
import { openInBrowser, signInLink } from '../local/open-page.ts';
import { removeEndpoint, writeEndpoint } from '../local/endpoint.ts';
import { stateRoot } from '../local/state-directory.ts';
import { paintFor } from '../render/style.ts';
import { action, wholeNumber } from './options.ts';
import { stopSignal } from './stop-signal.ts';
import { readPolicy } from '../config/policy.ts';
import { readWorkerSettings } from '../config/worker-settings.ts';

type UpOptions = {
  checks?: string;
  settings?: string;
  host: string;
  port: number;
  state?: string;
  tlsCert?: string;
  tlsKey?: string;
  policy?: string;
  quiet?: boolean;
  open?: boolean;
};
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** A port that is taken, or not allowed, is the user's to change. */
async function startListening(options: CoordinatorOptions): Promise<RunningCoordinator> {
  try {
    return await startCoordinator(options);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    throw new AssayError('LISTEN_FAILED', `${options.host ?? ''}:${options.port ?? 0}: ${String(code)}`);
  }
}

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('Start a coordinator.')
    .option('--host <address>', 'where to listen; beyond loopback a token must exist', '127.0.0.1')
    .option('--port <n>', 'port, 0 for any', wholeNumber(0, 65_535), 7_420)
    .option('--state <dir>', "state directory (default: the user's own)")
    .option('--tls-cert <file>', 'certificate (PEM), with --tls-key')
    .option('--tls-key <file>', 'private key (PEM)')
    .option('--checks <file>', 'JSON settings whose checks every worker of the fleet runs, beside its own')
    .option('--settings <file>', 'settings of the coordinator (JSON): docs/reference/settings.md')
    .option('--policy <file>', 'JSON: weights of submitters, quotas, reserved pools, caps of concurrency keys')
    .option('--open', 'show the dashboard in the browser, signed in')
    .option('--quiet', 'log only trouble')
    .addHelpText(
      'after',
      '\nExamples:\n  assay up\n  assay up --open\n  assay up --settings /etc/assay/settings.json\n  assay token create --state /var/lib/assay --scope admin && assay up --state /var/lib/assay --host 0.0.0.0 --tls-cert c.pem --tls-key k.pem',
    )
    .action(action(up));
}

async function up(options: UpOptions): Promise<number> {
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined))
    throw new AssayError('USAGE', '--tls-cert and --tls-key go together.');
  const settings = options.settings === undefined ? {} : loadCoordinatorSettings(options.settings);
  const stateDir = resolve(options.state ?? join(stateRoot(), 'coordinator'));
  const ownerSecret = `assay_owner_${randomBytes(32).toString('base64url')}`;
  const tls =
    options.tlsCert === undefined || options.tlsKey === undefined
      ? {}
      : { tls: { cert: await readFile(options.tlsCert), key: await readFile(options.tlsKey) } };
  const pages = dashboardDir();
  const coordinator = await startListening({
    stateDir,
    host: options.host,
    port: options.port,
    ...tls,
    ...settings,
    ...(options.checks === undefined ? {} : { fleetChecks: (await readWorkerSettings(options.checks)).checks }),
    ...(options.policy === undefined ? {} : { policy: await readPolicy(options.policy) }),
    ...(pages === undefined ? {} : { dashboardDir: pages }),
    ownerSecret,
    log: options.quiet ? silentLog : createLog(),
  });
  // Before the greeting: whoever reads that it serves may ask it to end at once.
  const stopped = stopSignal();
  await writeEndpoint({ url: coordinator.url, token: ownerSecret, pid: process.pid });
  const paint = paintFor(process.stderr);
  say(`${paint('bold', 'assay coordinator')} at ${paint('cyan', coordinator.url)}  (state in ${stateDir})`);
  say(
    `  a worker:  assay worker --join ${coordinator.url} --token "$(assay token create --scope worker:default --name ${hostname()})"`,
  );
  if (options.tlsCert === undefined && !isLoopbackHost(options.host))
    say(
      `${paint('yellow', 'warning')}: it listens on ${options.host} without TLS: tokens, sources and results cross the network in the clear (--tls-cert, --tls-key)`,
    );
  say('  a run:     assay run --coordinator ' + coordinator.url);
  if (pages === undefined) say(`  ${paint('yellow', 'no dashboard')}: it is not built (assay up builds it; see above)`);
  else if (options.open) await showDashboard(coordinator.url, ownerSecret);
  await stopped;
  say('stopping');
  await removeEndpoint(process.pid);
  await coordinator.stop();
  return exitCodes.passed.code;
}

async function showDashboard(url: string, token: string): Promise<void> {
  const link = await signInLink(createClient({ url, token }), url);
  const isOpen = await openInBrowser(link);
  say(`  dashboard: ${link}${isOpen ? '' : '\n  (no browser could be opened: open it yourself)'}`);
  say('  the link signs in once, within a minute; later: assay token create --scope read');
}
