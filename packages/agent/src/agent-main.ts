// An agent as a process of its own, started through agent-process.mjs by `assay worker` and by local mode. Its settings come as one JSON object on
// its standard input (secrets do not belong in arguments, which every user of the machine can read); it answers with JSON
// lines on its standard output: {kind: "measured", measured}, {kind: "ready", worker}, {kind: "note", level, text},
// {kind: "ended", reason, error}. With the argument `--given-measured` another agent on this machine measures it at this moment, and what that one
// found comes with the settings; without it in them, this one measures after all. With `--measure-browsers` each browser is started too.
// SIGTERM or SIGINT drains it; a second one ends it at once. It exits 0 when it ended as it was asked to, else 1.
import { AssayError } from '@assay/protocol';
import type { AgentOptions } from './options.ts';
import type { Measured } from './profile-watch.ts';
import { startAgent } from './main.ts';

type Settings = Omit<AgentOptions, 'measured'> & { measured?: Measured };
type Line =
  | { kind: 'measured'; measured: Measured }
  | { kind: 'ready'; worker: string }
  | { kind: 'note'; level: 'info' | 'warning'; text: string }
  | { kind: 'ended'; reason: string; error: { code: string; message: string } | null };

const settingsCharsMax = 1_000_000;

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function readSettings(): Promise<Settings> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > settingsCharsMax) throw new AssayError('USAGE', 'the agent settings are too long');
  }
  try {
    return JSON.parse(text) as Settings;
  } catch (error) {
    throw new AssayError('USAGE', `the agent settings on standard input are not JSON: ${String(error)}`);
  }
}

/** Measures the machine and says what was found; a failure is met by whoever awaits it. */
function measure(): Promise<Measured> {
  const measuring = process.argv.includes('--measure-browsers')
    ? import('./probe/page-measurements.ts').then(({ probeWithBrowsers }) => probeWithBrowsers())
    : process.argv.includes('--remember')
      ? probeRemembering()
      : import('./probe/index.ts').then(({ probeMachine }) => probeMachine());
  measuring.then(
    (measured) => print({ kind: 'measured', measured }),
    () => undefined,
  );
  return measuring;
}

async function probeRemembering(): Promise<Measured> {
  const [{ probeMachine, runCommand, thisMachine }, { rememberedRun, versionsFile }] = await Promise.all([
    import('./probe/index.ts'),
    import('./probe/remembered.ts'),
  ]);
  const remembered = rememberedRun(runCommand, versionsFile());
  const measured = await probeMachine(thisMachine({ run: remembered.run }));
  void remembered.save();
  return measured;
}

async function run(): Promise<number> {
  // Whoever reads us may be gone; the work goes on, and the orphan guard decides about ending.
  process.stdout.on('error', () => undefined);
  let signals = 0;
  let onSignal = (_name: string): void => process.exit(1);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => onSignal(name));
  // The machine is measured while whoever started us gets the settings ready.
  const isGiven = process.argv.includes('--given-measured');
  const begun = isGiven ? null : measure();
  const { measured: given, ...settings } = await readSettings();
  const measured = given === undefined ? (begun ?? measure()) : Promise.resolve(given);
  const agent = await startAgent({ ...settings, measured, say: (level, text) => print({ kind: 'note', level, text }) });
  onSignal = (name) => {
    signals += 1;
    if (signals === 1) agent.drain(`the agent received ${name}`);
    else agent.kill(`the agent received ${name} again`);
  };
  print({ kind: 'ready', worker: agent.workerId });
  const end = await agent.done;
  print({ kind: 'ended', ...end });
  return end.error === null ? 0 : 1;
}

/** The whole life of the process. */
export async function main(): Promise<void> {
  await run().then(
    (code) => process.stdout.write('', () => process.exit(code)),
    (error: unknown) => {
      const isNamed = error instanceof AssayError;
      if (!isNamed) console.error(error);
      print({
        kind: 'ended',
        reason: String(error),
        error: {
          code: isNamed ? error.code : 'INTERNAL',
          message: error instanceof Error ? error.message : String(error),
        },
      });
      process.stdout.write('', () => process.exit(1));
    },
  );
}
