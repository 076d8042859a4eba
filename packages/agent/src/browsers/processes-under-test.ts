// For tests: the processes of the browsers that one process started, by what they are, so that a test kills its own and
// nobody else's. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

export type BrowserPart = 'browser' | 'gpu' | 'renderer' | 'driver';

/** Descendants of `root` that are this part of a browser. */
export function browserProcesses(part: BrowserPart, root = process.pid): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid)) parents.set(pid, parentOf(pid));
  }
  const isBelow = (pid: number): boolean => {
    let at = pid;
    for (let depth = 0; depth < 20 && at > 1; depth += 1) {
      at = parents.get(at) ?? 0;
      if (at === root) return true;
    }
    return false;
  };
  return [...parents.keys()].filter((pid) => partOf(pid) === part && isBelow(pid));
}

/** Sends SIGKILL to one such process as soon as there is one; bounded by 60 s. */
export async function killPart(part: BrowserPart, root = process.pid): Promise<number> {
  const until = performance.now() + 60_000;
  while (performance.now() < until) {
    const [pid] = browserProcesses(part, root);
    if (pid !== undefined) {
      process.kill(pid, 'SIGKILL');
      return pid;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no ${part} process in 60 s`);
}

function partOf(pid: number): BrowserPart | null {
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
  if (/^\S*chromedriver /.test(command)) return 'driver';
  if (!command.includes('--user-data-dir=') && !command.includes('--type=')) return null;
  if (command.includes('--type=gpu-process')) return 'gpu';
  if (command.includes('--type=renderer')) return 'renderer';
  return command.includes('--type=') || /^\S*sh /.test(command) ? null : 'browser';
}

function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
