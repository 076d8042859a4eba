// One look at an external dependency: an HTTP address, a TCP port or a command. Resolves when it is well and rejects with why
// it is not; obeys its signal, and leaves neither a process nor a connection behind.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { DependencySetting } from '../settings.ts';

export type Probe = (signal: AbortSignal) => Promise<void>;

export function probeOf({ url, command }: Pick<DependencySetting, 'url' | 'command'>): Probe {
  if (command !== undefined) return (signal) => runCommand(command, signal);
  const target = new URL(url ?? '');
  return target.protocol === 'tcp:' ? (signal) => openPort(target, signal) : (signal) => askUrl(target, signal);
}

async function askUrl(url: URL, signal: AbortSignal): Promise<void> {
  // A kept connection would hide that nothing listens any more.
  const headers = { connection: 'close' };
  const response = await fetch(url, { signal, redirect: 'manual', headers }).catch((error: unknown) => {
    throw new Error(networkReason(error), { cause: error });
  });
  await response.body?.cancel();
  if (response.status >= 400) throw new Error(`HTTP ${response.status}`);
}

function openPort(url: URL, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => reject(new Error(networkReason(error), { cause: error })));
  });
}

const stderrCharsMax = 2_000;

function runCommand([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // In a group of its own, so that what it started is ended with it.
    const isGrouped = process.platform !== 'win32';
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: isGrouped });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-stderrCharsMax)));
    const end = (): void => {
      if (isGrouped && child.pid !== undefined) endGroup(child.pid);
      else child.kill('SIGKILL');
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    child.once('error', (error) => {
      signal.removeEventListener('abort', end);
      reject(new Error(`${program}: ${networkReason(error)}`, { cause: error }));
    });
    child.once('exit', (code, endedBy) => {
      signal.removeEventListener('abort', end);
      // What it left running must not hold the pipe open, and with it this process.
      end();
      if (code === 0) resolve();
      else reject(new Error(exitReason(code, endedBy, stderr)));
    });
  });
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function exitReason(code: number | null, endedBy: string | null, stderr: string): string {
  const how = code === null ? `ended by ${endedBy ?? 'a signal'}` : `exit code ${code}`;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return said === '' ? how : `${how}: ${said}`;
}

/** fetch says "fetch failed"; what happened is in its cause, and of several addresses that were tried in the first. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  if (!(first instanceof Error)) return String(first);
  return first.message === '' && 'code' in first ? String(first.code) : first.message;
}
