// `assay requires`: the language of requirements. --check says whether an expression is sound, which workers satisfy it and why the
// others do not; --list prints everything that an expression may name. Both work without a coordinator: then this machine, measured
// just now, is the one worker that is asked.
import { probeMachine } from '@assay/agent/inspect';
import { createClient, type Client } from '@assay/client';
import {
  deviceRows,
  fieldRows,
  satisfiersOf,
  unitRows,
  type FieldRow,
  type Offered,
} from '@assay/coordinator/requirements';
import { AssayError, type Profile } from '@assay/protocol';
import type { Command } from 'commander';
import { namedCoordinator, type ConnectionOptions } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { readEndpoint } from '../local/endpoint.ts';
import { paintFor, plural } from '../render/style.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions } from './options.ts';

type Options = ConnectionOptions & { check?: string; list?: boolean; json?: boolean };

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

export function addRequiresCommand(program: Command): void {
  addConnectionOptions(
    program.command('requires').description('Check a requirement, or list what one may name.'),
    'the one that runs here, or none: then this machine is asked',
  )
    .option('--check <expression>', 'check its types, and say which workers satisfy it and why others do not')
    .option('--list', 'print the fields, devices and units of the language')
    .option('--json', 'print JSON')
    .action(action(requires));
}

async function requires(options: Options): Promise<number> {
  if ((options.check === undefined) === (options.list !== true))
    throw new AssayError('USAGE', 'Say one of --check EXPRESSION and --list.');
  if (options.check === undefined) return list(options);
  return check(options.check, options);
}

async function check(text: string, options: Options): Promise<number> {
  // Types first: a coordinator that is far away has nothing to say about a misspelt field.
  const sound = satisfiersOf(text, []);
  if (sound.kind === 'refused') {
    if (options.json) printJson({ expression: text, ...sound });
    else print(`${paintFor(process.stdout)('red', '✗')} ${sound.reason}`);
    return exitCodes.usage.code;
  }
  const { asked, workers } = await askable(options);
  const judged = satisfiersOf(text, workers);
  if (judged.kind === 'refused') throw new AssayError('INTERNAL', judged.reason);
  const fitting = judged.workers.filter(({ fits }) => fits).length;
  if (options.json) printJson({ expression: text, kind: 'ok', asked, workers: judged.workers });
  else {
    const paint = paintFor(process.stdout);
    print(`${paint('green', '✓')} the types are right`);
    print(
      `${fitting} of ${plural(judged.workers.length, 'worker')} of ${asked} ${fitting === 1 ? 'satisfies' : 'satisfy'} it`,
    );
    for (const { name, fits, reasons } of judged.workers) {
      print(`  ${fits ? paint('green', '✓') : paint('red', '✗')} ${name}`);
      for (const reason of reasons) print(`      ${reason}`);
    }
  }
  return fitting > 0 ? exitCodes.passed.code : exitCodes.inconclusive.code;
}

async function askable(options: Options): Promise<{ asked: string; workers: Offered[] }> {
  const target = (await namedCoordinator(options)) ?? (await readEndpoint());
  if (target === null) {
    const { profile } = await probeMachine();
    return { asked: 'this machine', workers: [{ name: 'this machine', pool: 'default', profile, declared: {} }] };
  }
  const client = createClient({ url: target.url, ...(target.token === undefined ? {} : { token: target.token }) });
  return { asked: target.url, workers: await offersOf(client) };
}

/** Workers of one profile share it, so that a fleet of thousands of equal workers is a few requests. */
async function offersOf(client: Client): Promise<Offered[]> {
  const { workers } = await client.listWorkers();
  const profiles = new Map<string, Profile | undefined>();
  const offers: Offered[] = [];
  for (const { worker, name, pool, declared, trust, profileDigest, state } of workers) {
    if (state === 'lost') continue;
    if (!profiles.has(profileDigest)) profiles.set(profileDigest, (await client.readWorker(worker)).profile);
    const profile = profiles.get(profileDigest);
    if (profile !== undefined) offers.push({ name, pool, profile, declared, trust });
  }
  return offers;
}

function list(options: Options): number {
  const [devices, fields, units] = [deviceRows(), fieldRows(), unitRows()];
  if (options.json) {
    printJson({ devices, fields, units });
    return exitCodes.passed.code;
  }
  const paint = paintFor(process.stdout);
  const width = process.stdout.isTTY ? process.stdout.columns : 0;
  const rows = (all: readonly FieldRow[]): string[][] => all.map(({ field, type, meaning }) => [field, type, meaning]);
  const others = fields.map(({ field, type, vouched, meaning }) => [field, type, sayVouched(vouched), meaning]);
  const unitLines = units.map(
    ({ dimension, meaning, units: names }) =>
      `  ${dimension}: ${names.map((name) => `${name}(n)`).join(' ')}\n      ${meaning}`,
  );
  print(
    [
      paint('bold', 'Devices: devices.exists(d, d.class == "gpu" && d.memory >= GiB(8))'),
      table(['field', 'type', 'meaning'], rows(devices), width),
      paint('bold', '\nEverything else'),
      table(['field', 'type', 'vouched for by', 'meaning'], others, width),
      paint('bold', '\nUnits'),
      ...unitLines,
    ].join('\n'),
  );
  return exitCodes.passed.code;
}

function sayVouched(vouched: string): string {
  return vouched === 'measured' ? 'a probe' : vouched === 'declared' ? 'the operator' : 'the server';
}
