// Processes as the operating system shows them in /proc: the proof that a fault happened, and that nothing was left behind.
// Linux only; elsewhere what needs it is "not run".
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from '../until.ts';

export type ProcessState = {
  /** R, S, D, T (stopped), Z (ended, not yet waited for). */
  readonly state: string;
  readonly parent: number;
  /** Processor time of all its threads so far. */
  readonly cpuMs: number;
  /** Tells a process from a later one of the same number. */
  readonly startTicks: number;
};

/** Clock ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const tickMs = 10;

/** Null where there is no such process (any more). */
export function readProcess(pid: number): ProcessState | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and parentheses: what counts follows the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '?',
      parent: Number(fields[1]),
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
      startTicks: Number(fields[19]),
    };
  } catch {
    return null;
  }
}

/** Gone, or ended and only its number is left until its parent looks. */
export function isGone(pid: number): boolean {
  const found = readProcess(pid);
  return found === null || found.state === 'Z' || found.state === 'X';
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0);
}

/** Those whose environment at their start names the text: a directory of the drill, which its processes hand on to theirs. */
export function processesNaming(text: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const pid of allProcesses()) {
    if (pid === process.pid || isGone(pid)) continue;
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text)) found.push({ pid, command: commandOf(pid) });
    } catch {
      // It ended meanwhile, or belongs to somebody else: not ours.
    }
  }
  return found;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim().slice(0, 200);
  } catch {
    return '';
  }
}

/** Sends a signal; false where there was nobody to get it. 0 and less would mean whole groups, our own among them. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends a child of ours by a signal and says how the system reports its end: waitpid's answer. Throws NotInTime, and where there was
 * no such process.
 */
export async function endChild(child: ChildProcess | null, name: NodeJS.Signals, timeoutMs: number): Promise<string> {
  const pid = child?.pid ?? 0;
  const before = readProcess(pid);
  if (child === null || before === null || isGone(pid)) throw new Error(`process ${pid} was not there`);
  signal(pid, name);
  const how = await until(
    `process ${pid} ends`,
    () => child.signalCode ?? (child.exitCode === null ? null : `exit code ${child.exitCode}`),
    { timeoutMs, everyMs: 5 },
  );
  return `state ${before.state} before, then ended by ${how}`;
}
