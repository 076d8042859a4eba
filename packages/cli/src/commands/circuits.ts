// `assay circuits`: what is stopped and why, the orders of people, and what other settings would have done.
import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { circuitScopeKinds, circuitStates, type CircuitView } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { circuitTable, circuitText, historyTable, stateNames } from '../render/circuits.ts';
import { paintFor } from '../render/style.ts';
import { addAdviseCommand } from './circuits-advise.ts';
import { action, addConnectionOptions, durationOption } from './options.ts';

type Shared = ConnectionOptions & { json?: boolean };
const width = (): number => (process.stdout.isTTY ? process.stdout.columns : 0);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

export function addCircuitsCommand(program: Command): void {
  const circuits = program
    .command('circuits')
    .description('Say what is stopped because it fails, why and until when; stop things by hand; weigh other settings.')
    .addHelpText('after', examples);
  addListCommand(circuits);
  addConnectionOptions(circuits.command('show <circuit>').description('Say everything about one circuit.'))
    .option('--json', 'print JSON')
    .action(action(show));
  addConnectionOptions(
    circuits.command('history <circuit>').description('List its transitions, with the evidence in the journal.'),
  )
    .option('--json', 'print JSON')
    .action(action(history));
  addOrderCommands(circuits);
  addAdviseCommand(circuits);
}

const examples = `
Examples:
  assay circuits
  assay circuits show worker:w-3x7oqobzr5
  assay circuits force worker:w-3x7oqobzr5 --for 2h --reason "fan is replaced"
  assay circuits release dependency:staging-db --reason "it is back"
  assay circuits advise --since 7d`;

function addListCommand(circuits: Command): void {
  addConnectionOptions(
    circuits.command('list', { isDefault: true }).description('List circuits, those that stop something first.'),
  )
    .option('--all', 'closed ones too')
    .addOption(new Option('--state <state>', 'only those in this state').choices(circuitStates))
    .addOption(new Option('--kind <kind>', 'only those of this kind').choices(circuitScopeKinds))
    .option('--worker <worker>', 'only those that concern this worker by itself')
    .option('--json', 'print JSON')
    .action(action(list));
}

type Wanted = Shared & { all?: boolean; state?: string; kind?: string; worker?: string };

async function list(options: Wanted): Promise<number> {
  const { client } = await connect(options);
  const { state, kind, worker } = options;
  const { circuits } = await client.listCircuits({
    ...(state === undefined ? {} : { state }),
    ...(kind === undefined ? {} : { kind }),
    ...(worker === undefined ? {} : { worker }),
  });
  const isAll = options.all === true || state !== undefined;
  const shown = isAll ? circuits : circuits.filter((circuit) => circuit.state !== 'closed');
  if (options.json) printJson(shown);
  else if (shown.length > 0) print(circuitTable(shown, Date.now(), width()));
  else
    print(
      circuits.length === 0
        ? 'Nothing has failed: there are no circuits.'
        : `Nothing is stopped; ${circuits.length} closed: --all`,
    );
  return 0;
}

async function show(circuit: string, options: Shared): Promise<number> {
  const view = await (await connect(options)).client.readCircuit(circuit);
  if (options.json) printJson(view);
  else print(circuitText(view, Date.now(), paintFor(process.stdout)));
  return 0;
}

async function history(circuit: string, options: Shared): Promise<number> {
  const view = await (await connect(options)).client.readCircuit(circuit);
  if (options.json) printJson(view.history);
  else if (view.history.length === 0) print(`${circuit} was never anything but closed.`);
  else print(historyTable(view.history, width()));
  return 0;
}

function addOrderCommands(circuits: Command): void {
  const ordering = (name: string, text: string): Command =>
    addConnectionOptions(circuits.command(`${name} <circuit>`).description(text))
      .requiredOption('--reason <text>', 'why; kept in the history', reasonOption)
      .option('--json', 'print JSON');
  ordering('force', 'Stop what a circuit is about, until released or for a time.')
    .addOption(
      new Option('--to <state>', 'open stops it; disabled and metricsOnly let everything through')
        .choices(['open', 'disabled', 'metricsOnly'])
        .default('open'),
    )
    .option('--for <duration>', 'for so long (90s, 2h); without it until released', durationOption)
    .action(action(force));
  ordering('release', 'End what a person ordered, or an open period: it is probed next.').action(action(release));
  ordering('reset', 'Close a circuit and forget what it has seen.').action(action(reset));
}

type ForceOptions = Shared & { reason: string; to: 'open' | 'disabled' | 'metricsOnly'; for?: number };
type OrderOptions = Shared & { reason: string };

async function force(circuit: string, options: ForceOptions): Promise<number> {
  const { client } = await connect(options);
  const { to } = options;
  const forMs = options.for === undefined ? {} : { forMs: options.for };
  return say(await client.forceCircuit(circuit, { to, ...forMs, reason: signed(options.reason) }), options);
}

async function release(circuit: string, options: OrderOptions): Promise<number> {
  const { client } = await connect(options);
  return say(await client.releaseCircuit(circuit, { reason: signed(options.reason) }), options);
}

async function reset(circuit: string, options: OrderOptions): Promise<number> {
  const { client } = await connect(options);
  return say(await client.resetCircuit(circuit, { reason: signed(options.reason) }), options);
}

function say(view: CircuitView, options: Shared): number {
  if (options.json) printJson(view);
  else print(`${view.circuit} (${view.label}) is ${stateNames[view.state]}.`);
  return 0;
}

/** A token is often shared: who sat there is said in the reason. */
const signed = (reason: string): string => `${userInfo().username}: ${reason}`.slice(0, 500);

function reasonOption(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must say why.');
  return text;
}
