// The commands about the soundness of workers and devices (and, under one word with them, of tests): set aside, release, have checked, and what was learned of repairing them.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { ConditionRequest, ConditionView, WorkerView } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { causeText, stateNames } from '../render/circuits.ts';
import { duration } from '../render/style.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions } from './options.ts';
import { addTestQuarantineCommands } from './quarantine.ts';

type Shared = ConnectionOptions & { json?: boolean };
type About = Shared & { device?: string; reason: string };
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const said = (reason: string): string => `${userInfo().username}: ${reason}`.slice(0, 500);

export function addConditionCommands(program: Command): void {
  const about = (command: Command): Command =>
    addConnectionOptions(command)
      .option('--device <device>', 'one of its devices, such as gpu:0 (default: the worker as a whole)')
      .option('--reason <text>', 'why', 'asked for on the command line')
      .option('--json', 'print JSON');
  const set = (name: string, description: string, verb: ConditionRequest['action']): void => {
    worker(program.command(`${name} <worker>`).description(description), verb);
  };
  const worker = (command: Command, verb: ConditionRequest['action']): void => {
    about(command).action(action((name: string, options: About) => setCondition(name, options, verb)));
  };
  // Tests and workers are set aside by one word: what follows it is a verb about tests, or a worker.
  const quarantine = program
    .command('quarantine')
    .description('Set a test aside so that it does not count, or a worker so that it gets no new work.');
  addTestQuarantineCommands(quarantine);
  const aside = 'Give a worker or one of its devices no new work until it is released; the word may be left out.';
  worker(quarantine.command('worker <worker>', { isDefault: true }).description(aside), 'quarantine');
  set(
    'maintenance',
    'Say that somebody works on a worker or one of its devices: no new work until it is released.',
    'maintenance',
  );
  set(
    'release',
    'Let a worker or one of its devices work again; it is certified besides where it has checks.',
    'release',
  );
  about(
    program.command('certify <worker>').description('Have the checks of a worker or one of its devices run now.'),
  ).action(action(certify));
  addConnectionOptions(
    program.command('recovery').description('How often each step of recovery was taken and helped, by kind of device.'),
  )
    .option('--json', 'print JSON')
    .action(action(recovery));
}

async function setCondition(worker: string, options: About, verb: ConditionRequest['action']): Promise<number> {
  const { client } = await connect(options);
  const { device } = options;
  const request = { action: verb, reason: said(options.reason), ...(device === undefined ? {} : { device }) };
  return show(await client.setCondition(worker, request), options);
}

async function certify(worker: string, options: About): Promise<number> {
  const { client } = await connect(options);
  const { device } = options;
  const request = { reason: said(options.reason), ...(device === undefined ? {} : { device }) };
  return show(await client.certifyWorker(worker, request), options);
}

function show(view: WorkerView, options: About): number {
  const condition =
    options.device === undefined
      ? view.condition
      : view.devices?.find(({ device }) => device === options.device)?.condition;
  const what = options.device === undefined ? view.name : `${options.device} of ${view.name}`;
  print(
    options.json
      ? JSON.stringify(view, null, 2)
      : `${what} (${view.worker}) is ${condition === undefined ? 'ready' : inWords(condition)}; ${view.running} running.`,
  );
  return 0;
}

/** `quarantined: check rig failed (recovering: runner)`. */
export function inWords({ kind, reason, doing }: ConditionView): string {
  return `${kind}${reason === undefined ? '' : `: ${reason}`}${doing === undefined ? '' : ` (${doing})`}`;
}

/** What is not well with a worker or its devices, one sentence each; empty where all is. */
export function troublesOf(worker: WorkerView): string[] {
  const whole = worker.condition;
  const own = whole !== undefined && whole.kind !== 'ready' && whole.kind !== 'lost' ? [inWords(whole)] : [];
  const devices = (worker.devices ?? [])
    .filter(({ condition: { kind } }) => kind !== 'ready' && kind !== 'lost')
    .map(({ device, condition }) => `${device} ${inWords(condition)}`);
  const gates = (worker.gates ?? []).map(
    ({ gate, device, reason }) => `${device ?? 'worker'} gated by ${gate}: ${reason}`,
  );
  const circuits = (worker.circuits ?? []).map(
    ({ circuit, state, cause }) =>
      `${circuit} is ${stateNames[state]}: ${causeText(cause)} (assay circuits show ${circuit})`,
  );
  return [...own, ...devices, ...gates, ...circuits];
}

async function recovery(options: Shared): Promise<number> {
  const { client } = await connect(options);
  const { rungs } = await client.recoveryHistory();
  if (options.json) print(JSON.stringify(rungs, null, 2));
  else if (rungs.length === 0) print('No step of recovery was taken yet.');
  else {
    const rows = rungs.map(({ rung, deviceClass, taken, cured, meanMs, lastAtMs }) => [
      rung,
      deviceClass,
      String(taken),
      `${cured} (${Math.round((100 * cured) / taken)} %)`,
      duration(meanMs),
      new Date(lastAtMs).toISOString().replace('T', ' ').slice(0, 19),
    ]);
    print(table(['step', 'device', 'taken', 'helped', 'mean', 'last (UTC)'], rows, 0));
  }
  return 0;
}
