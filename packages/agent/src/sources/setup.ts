// Runs a bundle's set-up commands, one after the other, in the unpacked project: in a process group of their own, with a
// deadline, their output kept within bounds for the message of a failure.
import { spawn } from 'node:child_process';
import { AssayError } from '@assay/protocol';
import { signalGroup } from '../execute/process-tree.ts';

export type SetupOptions = {
  directory: string;
  commands: readonly (readonly string[])[];
  env: Readonly<Record<string, string | undefined>>;
  /** For all commands together. */
  timeoutMs: number;
  signal: AbortSignal;
};

const outputCharsMax = 12_000;
const killGraceMs = 2_000;

/** Throws SETUP_FAILED with the command, how it ended and the end of its output. Returns the kept output of all. */
export async function runSetup(options: SetupOptions): Promise<string> {
  const deadlineMs = performance.now() + options.timeoutMs;
  let kept = '';
  for (const command of options.commands) {
    const ended = await runOne(options, command, Math.max(1, deadlineMs - performance.now()));
    kept = tail(`${kept}$ ${command.join(' ')}\n${ended.output}`);
    if (ended.trouble !== null)
      throw new AssayError(
        'SETUP_FAILED',
        tail(`set-up command ${JSON.stringify(command.join(' '))} ${ended.trouble}\n${ended.output}`),
      );
  }
  return kept;
}

type Ended = { output: string; trouble: string | null };

function runOne(options: SetupOptions, command: readonly string[], timeoutMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const [name, ...rest] = command;
    const child = spawn(name!, rest, {
      cwd: options.directory,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    let output = '';
    let stopped: string | null = null;
    let force: NodeJS.Timeout | undefined;
    const end = (why: string): void => {
      stopped ??= why;
      if (child.pid === undefined) return;
      const { pid } = child;
      signalGroup(pid, 'SIGTERM');
      force ??= setTimeout(() => signalGroup(pid, 'SIGKILL'), killGraceMs);
    };
    const timer = setTimeout(() => end(`ran longer than ${options.timeoutMs} ms and was ended`), timeoutMs);
    const onAbort = (): void => end('was stopped with the agent');
    options.signal.addEventListener('abort', onAbort);
    const settle = (trouble: string | null): void => {
      clearTimeout(timer);
      clearTimeout(force);
      options.signal.removeEventListener('abort', onAbort);
      // What the command left running in its group ends with it.
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ output, trouble: stopped ?? trouble });
    };
    const take = (chunk: Buffer): void => void (output = tail(output + chunk.toString('utf8')));
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => settle(`could not be started: ${error.message}`));
    // Output that is already in the pipe is read; a grandchild that keeps the pipe open is not waited for.
    child.on('exit', (code, signal) => {
      const trouble = code === 0 ? null : signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
      const late = setTimeout(() => settle(trouble), 500);
      child.on('close', () => {
        clearTimeout(late);
        settle(trouble);
      });
    });
  });
}

function tail(text: string): string {
  if (text.length <= outputCharsMax) return text;
  return `[assay: the start was left out]\n${text.slice(-outputCharsMax).toWellFormed()}`;
}
