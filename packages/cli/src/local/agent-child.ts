// Starts one agent as a child process of this one, with its settings on standard input (a token does not belong in arguments),
// and ends it. The first SIGTERM lets it finish what runs and deliver what it has to say: a slow machine must not lose a result.
// Only when that takes longer than the agent itself is patient is it asked to end at once, which clears up after its tests; and
// only one that does not answer that either is killed. The child leaves by itself when its parent is gone.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { AgentSettings, Measured } from '@assay/agent';
import { AssayError } from '@assay/protocol';

/** Above the agent's own patience with undelivered reports (30 s): it gives up before we do, and keeps them for its next start. */
const finishMs = 40_000;
/** Ending processes by force takes the agent some seconds at most. */
const endMs = 10_000;
const readyTimeoutMs = 30_000;
const entry = fileURLToPath(new URL('agent-process.mjs', import.meta.resolve('@assay/agent')));

export type AgentChild = { name: string; pid: number; stop(): Promise<void> };

/** A process that has begun to load and perhaps to measure the machine, and waits for its settings. */
export type AgentProcess = {
  /** What it found this machine to be; null where it ended before, or was not to measure. */
  readonly measured: Promise<Measured | null>;
  /** Gives it its settings and waits until it is ready to connect; its log goes to `<stateDir>/agent.log`. */
  start(settings: AgentSettings & { name: string; measured?: Measured }): Promise<AgentChild>;
  /** Ends it without ever having been started. */
  discard(): void;
};

/**
 * Begins an agent before its settings are known, so that its loading overlaps what they depend on. One agent of a machine need
 * measure it; the others, launched with `measures` false, are given what it found with their settings.
 */
export function launchAgent(measures = true, browsers = false): AgentProcess {
  const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'];
  const child = spawn(
    process.execPath,
    [...flags, entry, measures ? '--remember' : '--given-measured', ...(browsers ? ['--measure-browsers'] : [])],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const told = listen(child, measures);
  return {
    measured: told.measured,
    discard: () => void child.kill('SIGKILL'),
    start: async (settings) => {
      await mkdir(settings.stateDir, { recursive: true, mode: 0o700 });
      const log = createWriteStream(join(settings.stateDir, 'agent.log'), { flags: 'a' });
      child.stdout.pipe(log);
      child.stderr.pipe(log);
      child.stdin.end(JSON.stringify({ ...settings, parentPid: process.pid }));
      await ready(told.ready, settings.name);
      return { name: settings.name, pid: child.pid ?? -1, stop: () => stop(child, exited) };
    },
  };
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), finishMs),
    setTimeout(() => child.kill('SIGKILL'), finishMs + endMs),
  ];
  await exited;
  for (const timer of timers) clearTimeout(timer);
}

function didNotStart(name: string, why: string): AssayError {
  return new AssayError('COORDINATOR_UNREACHABLE', `The local worker "${name}" did not start: ${why}.`);
}

type Line =
  | { kind: 'measured'; measured: Measured }
  | { kind: 'ready' }
  | { kind: 'note'; text: string }
  | { kind: 'ended'; reason: string };

/** What an agent says of itself, read once, from its start on. */
type Told = {
  /** Null when it ends without having measured. */
  measured: Promise<Measured | null>;
  /** Null when it is ready; else why it never will be. */
  ready: Promise<string | null>;
};

function listen(child: ChildProcess & { stdout: Readable }, measures: boolean): Told {
  const measured = Promise.withResolvers<Measured | null>();
  const isReady = Promise.withResolvers<string | null>();
  if (!measures) measured.resolve(null);
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parseLine(text);
    if (line?.kind === 'measured') measured.resolve(line.measured);
    if (line?.kind === 'ready') isReady.resolve(null);
    if (line?.kind === 'ended') isReady.resolve(line.reason);
  });
  child.once('error', (error) => isReady.resolve(error.message));
  // Only when its output is read to the end: its own last words say more than its exit code.
  child.once('close', (code, signal) => {
    measured.resolve(null);
    isReady.resolve(`it ended with ${signal ?? `code ${code}`}`);
  });
  return { measured: measured.promise, ready: isReady.promise };
}

async function ready(told: Promise<string | null>, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not ready within ${readyTimeoutMs / 1_000} s`), readyTimeoutMs);
  });
  const why = await Promise.race([told, late]);
  clearTimeout(timer);
  if (why !== null) throw didNotStart(name, why);
}

function parseLine(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
