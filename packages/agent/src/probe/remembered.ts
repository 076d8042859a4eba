// Version questions answered from memory: asking every browser, driver and runtime for its version takes longer than the rest of the
// probes together, and a local run asks at each start. Only for local runs: a worker of a fleet always asks.
//
// What always holds: an answer counts only while the program that gave it, behind all links, has the path, size and time of change
// that it had then; a script is asked every time, because what it starts can change without it; so is every question but
// the version, and every program that did not answer well. A memory that cannot be read or written costs time, nothing else.
import { open, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { CommandOutcome, ProbeContext } from './context.ts';

const questions = new Set(['--version', '-version', 'version']);
const entriesMax = 200;
const answerCharsMax = 4_000;

const Answer = z.strictObject({
  real: z.string(),
  size: z.number(),
  changedMs: z.number(),
  stdout: z.string().max(answerCharsMax),
  stderr: z.string().max(answerCharsMax),
});
type Answer = z.infer<typeof Answer>;
const Memory = z.record(z.string(), Answer);
type Program = Pick<Answer, 'real' | 'size' | 'changedMs'>;

export type RememberedRun = {
  run: ProbeContext['run'];
  /** Writes down what was learned, if anything was. */
  save(): Promise<void>;
};

export function versionsFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'versions.json');
}

/** `run` as it is, but for version questions that a file remembers the answer of. */
export function rememberedRun(run: ProbeContext['run'], file: string): RememberedRun {
  const reading = readMemory(file);
  const learned = new Map<string, Answer>();
  return {
    run: async (command, args, timeoutMs) => {
      const isQuestion = args.length === 1 && questions.has(args[0] ?? '');
      const program = isQuestion ? await programAt(command) : null;
      if (program === null) return run(command, args, timeoutMs);
      const key = `${command} ${args[0]}`;
      const known = (await reading)[key];
      if (known && known.real === program.real && known.size === program.size && known.changedMs === program.changedMs)
        return { kind: 'ok', stdout: known.stdout, stderr: known.stderr };
      const outcome = await run(command, args, timeoutMs);
      if (isWorthKeeping(outcome)) learned.set(key, { ...program, stdout: outcome.stdout, stderr: outcome.stderr });
      return outcome;
    },
    save: async () => {
      if (learned.size === 0) return;
      const all = [...learned, ...Object.entries(await reading).filter(([key]) => !learned.has(key))];
      await writeMemory(file, Object.fromEntries(all.slice(0, entriesMax))).catch(() => undefined);
    },
  };
}

function isWorthKeeping(outcome: CommandOutcome): outcome is CommandOutcome & { kind: 'ok' } {
  return outcome.kind === 'ok' && Math.max(outcome.stdout.length, outcome.stderr.length) <= answerCharsMax;
}

/** Null where it is no file, or a script. */
async function programAt(command: string): Promise<Program | null> {
  try {
    const real = await realpath(command);
    const { size, mtimeMs } = await stat(real);
    const file = await open(real, 'r');
    try {
      const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return buffer.toString('latin1') === '#!' ? null : { real, size, changedMs: mtimeMs };
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

async function readMemory(file: string): Promise<Record<string, Answer>> {
  try {
    return Memory.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

/** By way of a file of its own, so that two who write at once leave one of the two. */
async function writeMemory(file: string, memory: Record<string, Answer>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, JSON.stringify(memory), { mode: 0o600 });
  await rename(fresh, file);
}
