// Commands as whole processes: how long from start to exit, bounded, ended by their own group.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export type Ran = { seconds: number; code: number | null; stdout: string };
export type Command = { command: string; args: readonly string[]; cwd: string; env?: Record<string, string> };

const timeoutMs = 600_000;

/** Groups that run now: they are of their own, so a benchmark that is ended takes them along. */
const groups = new Set<number>();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    for (const group of groups) process.kill(-group, 'SIGTERM');
    process.exit(1);
  });

/** Runs one command; `codes` are the exit codes that a complete run of its suite may have. */
export async function runWhole(what: Command, codes: readonly number[]): Promise<Ran> {
  const startedMs = performance.now();
  const child = spawn(what.command, what.args, {
    cwd: what.cwd,
    env: { ...process.env, ...what.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  if (child.pid !== undefined) groups.add(child.pid);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = `${stderr}${text}`.slice(-4_000)));
  const end = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  const timer = setTimeout(end, timeoutMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (ended) => resolve(ended));
  });
  clearTimeout(timer);
  if (child.pid !== undefined) groups.delete(child.pid);
  const seconds = (performance.now() - startedMs) / 1_000;
  if (code === null || !codes.includes(code))
    throw new Error(
      `${what.command} ${what.args.slice(0, 6).join(' ')} ended with ${code}\n${stdout.slice(-2_000)}\n${stderr}`,
    );
  return { seconds, code, stdout };
}

/** Runs commands at the same time; the seconds are the slowest one's. */
export async function runTogether(commands: readonly Command[], codes: readonly number[]): Promise<Ran> {
  const ran = await Promise.all(commands.map((command) => runWhole(command, codes)));
  return {
    seconds: Math.max(...ran.map(({ seconds }) => seconds)),
    code: 0,
    stdout: ran.map(({ stdout }) => stdout).join('\n'),
  };
}

/**
 * Processor seconds, user and system, of all children of this process that have ended, with the children that they waited for
 * (proc(5), stat, fields 16 and 17; a tick is 10 ms). Null where there is no /proc. The difference of two readings around a
 * command is what its whole tree took, which a busy machine distorts less than the time on the clock.
 */
export function endedChildrenCpuSeconds(): number | null {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return null;
  }
}
