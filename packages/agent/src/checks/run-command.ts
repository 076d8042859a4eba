// Runs one of the operator's commands, a check or a hook: no shell, bounded in time and in output, and nothing of it is left
// running when it is over. Whatever happens is an ending; it never rejects.
import { spawn } from 'node:child_process';
import { signalGroup } from '../execute/process-tree.ts';

export type Ended =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'killed'; readonly signal: string; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'timedOut'; readonly stdout: string; readonly stderr: string }
  /** It never ran: the program is not there, or may not be run. */
  | { readonly kind: 'notStarted'; readonly reason: string };

export type CommandOptions = {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** Output beyond this is left out at its beginning: what went wrong is said last. */
const outputCharsMax = 4_000;
const outputLagMs = 500;

export function runCommand({ command, timeoutMs, directory, env }: CommandOptions): Promise<Ended> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: directory, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-outputCharsMax);
      });
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    }, timeoutMs);
    let isOver = false;
    const end = (ended: Ended): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      // What it started in the background goes with it; it holds our pipes open otherwise.
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(ended);
    };
    child.once('error', (error) => end({ kind: 'notStarted', reason: String(error.message) }));
    child.once('exit', (code, signal) => {
      const over = (): void => {
        if (isTimedOut) end({ kind: 'timedOut', ...output });
        else if (code === null) end({ kind: 'killed', signal: signal ?? 'unknown', ...output });
        else end({ kind: 'exited', code, ...output });
      };
      // What it wrote is read before the ending is told; pipes that a process in the background holds open are not waited for.
      const late = setTimeout(over, outputLagMs);
      child.once('close', () => {
        clearTimeout(late);
        over();
      });
    });
  });
}

/** What an ending says, as evidence. */
export function evidenceOf(ended: Ended, timeoutMs: number): Record<string, string> {
  switch (ended.kind) {
    case 'notStarted':
      return { message: ended.reason };
    case 'timedOut':
      return { message: `not over within ${timeoutMs} ms`, ...said(ended) };
    case 'killed':
      return { message: `ended by ${ended.signal}`, ...said(ended) };
    case 'exited':
      return { exitCode: String(ended.code), ...said(ended) };
  }
}

function said({ stdout, stderr }: { stdout: string; stderr: string }): Record<string, string> {
  return { ...(stdout === '' ? {} : { stdout }), ...(stderr === '' ? {} : { stderr }) };
}
