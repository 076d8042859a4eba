// `assay quarantine add|list|release`: tests that are set aside. They run and do not count (mute), or their file is not run (skip),
// on somebody's word, for a reason, and until a time; a muted one comes back by itself once it passed often enough in a row.
import { userInfo } from 'node:os';
import type { Client } from '@assay/client';
import { AssayError, type FlakyTest, type QuarantineList, type QuarantineView } from '@assay/protocol';
import { type Command, Option } from 'commander';
import { connect, type ConnectionOptions } from '../connection.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions, durationOption } from './options.ts';

type Shared = ConnectionOptions & { json?: boolean };
type AddOptions = Shared & {
  project?: string;
  suite?: string;
  mode: 'mute' | 'skip';
  owner: string;
  reason: string;
  for: number;
};

const controls = /[\u0000-\u001f\u007f-\u009f]+/g;
const line = (text: string): string => text.replaceAll(controls, ' ');
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
/** The newest runs in which a test is looked for by its name. */
const searchedRuns = 1_000;

export function addTestQuarantineCommands(quarantine: Command): void {
  addConnectionOptions(
    quarantine.command('add <test>').description('Set a test aside: it does not count until it is released.'),
  )
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--for <duration>', 'how long at most: 14d, 12h; 90d is the most', durationOption)
    .option('--owner <name>', 'who sees to it that it comes back', userInfo().username)
    .addOption(
      new Option('--mode <mode>', 'mute: it runs and does not count; skip: its file is not run')
        .choices(['mute', 'skip'])
        .default('mute'),
    )
    .option('--project <name>', 'its project, where the test did not fail lately or its name is in several')
    .option('--suite <name>', 'its suite, likewise')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA test is named "file > group > test", a whole file by its path alone. One that failed in the newest runs is found by\nits name, and what is known of how often it fails says how many passes in a row bring it back; another needs --project and --suite.\n\nExamples:\n  assay quarantine add "a.test.ts > cart > adds twice" --for 14d --reason "races the clock, #412"\n  assay quarantine add slow.test.ts --mode skip --for 7d --reason "hangs on arm64" --project shop --suite unit',
    )
    .action(action(add));
  addConnectionOptions(quarantine.command('list').description('List tests that are set aside.'))
    .option('--project <name>', 'only of this project')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  assay quarantine list --project shop')
    .action(action(list));
  addConnectionOptions(quarantine.command('release <quarantine>').description('Let a test count again.'))
    .option('--reason <text>', 'why', 'asked for on the command line')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  assay quarantine release q-3 --reason "mended in 4f1c2d9"')
    .action(action(release));
}

async function add(name: string, options: AddOptions): Promise<number> {
  const { client } = await connect(options);
  const test = await testOf(client, name, options);
  const { mode, owner, reason } = options;
  const { project, suite, target, path, rate } = test;
  const expiresAtMs = Date.now() + options.for;
  const { quarantines } = await client.quarantineTest({
    ...{ project, suite, target, path, rate, mode, owner, reason, expiresAtMs },
  });
  const made = quarantines.find(
    (one) => one.project === project && one.suite === suite && nameOf(one) === nameOf(test),
  );
  if (made === undefined) throw new AssayError('NOT_FOUND', `${name} was set aside and is free again already.`);
  const back =
    made.mode === 'skip' ? 'it comes back then' : `it comes back then, or after ${made.passesNeeded} passes in a row`;
  const text = `${made.quarantine}: ${line(nameOf(made))} of ${line(project)}, ${line(suite)} is set aside (${mode}) until ${day(made.expiresAtMs)}; ${back}`;
  process.stdout.write(`${options.json ? JSON.stringify(made, null, 2) : text}\n`);
  return 0;
}

type Named = Pick<FlakyTest, 'project' | 'suite' | 'target' | 'path'>;
const nameOf = ({ target, path }: Pick<Named, 'target' | 'path'>): string => [target, ...path].join(' > ');

/** The test of this name among those that failed lately, or the one that the options say it is. */
async function testOf(client: Client, name: string, { project, suite }: AddOptions): Promise<Named & { rate: number }> {
  const scope = { runs: searchedRuns, ...(project === undefined ? {} : { project }) };
  const { tests } = await client.flakes(scope);
  const isOf = (one: Named): boolean => suite === undefined || one.suite === suite;
  // Variants of a test are one test: the highest rate is what its passes have to speak against.
  const found = tests.filter((one) => nameOf(one) === name && isOf(one));
  const places = new Set(found.map((one) => JSON.stringify([one.project, one.suite, one.target, one.path])));
  if (places.size > 1)
    throw new AssayError('USAGE', `${places.size} tests are called "${name}": say which with --project and --suite.`);
  const rate = Math.max(0, ...found.map((one) => one.rate?.low ?? 0));
  const [first] = found;
  if (first !== undefined) return { ...first, rate };
  if (project === undefined || suite === undefined)
    throw new AssayError('USAGE', `No test "${name}" failed in the newest runs: name it with --project and --suite.`);
  const [target = '', ...path] = name.split(' > ');
  // A file that is named whole fails as often as the likeliest of its tests.
  const within = tests.filter((one) => one.target === target && isOf(one) && path.length === 0);
  return { project, suite, target, path, rate: Math.max(0, ...within.map((one) => one.rate?.low ?? 0)) };
}

async function list(options: Shared & { project?: string }): Promise<number> {
  const { client } = await connect(options);
  const { quarantines } = await client.quarantines();
  const shown = quarantines.filter(({ project }) => options.project === undefined || project === options.project);
  return show({ quarantines: shown }, options);
}

async function release(quarantine: string, options: Shared & { reason: string }): Promise<number> {
  const { client } = await connect(options);
  return show(await client.releaseTest(quarantine, { reason: options.reason }), options);
}

function show(listed: QuarantineList, options: Shared): number {
  process.stdout.write(`${options.json ? JSON.stringify(listed, null, 2) : quarantinesText(listed.quarantines)}\n`);
  return 0;
}

export function quarantinesText(quarantines: readonly QuarantineView[]): string {
  if (quarantines.length === 0) return 'No test is in quarantine.';
  const rows = quarantines.map((one) => [
    one.quarantine,
    one.mode,
    line(one.owner),
    day(one.expiresAtMs),
    one.mode === 'skip' ? '' : `${one.passesInRow} of ${one.passesNeeded}`,
    line(`${one.project}, ${one.suite}: ${nameOf(one)}`),
    line(one.reason),
  ]);
  return table(['id', 'mode', 'owner', 'until (UTC)', 'passes in a row', 'test', 'reason'], rows, 0);
}
