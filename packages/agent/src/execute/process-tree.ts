// Ending processes for good: a whole process group with grace, then by force; and on Linux also those that left the
// group, found by a mark that every process of the batch inherited in its environment.
import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

/** The variable that marks every process of a batch. */
export const batchMark = 'ASSAY_BATCH_MARK';
/** The variable that marks the processes of one file of it: `<batch mark>.<file's number>`. */
export const fileMark = 'ASSAY_FILE_MARK';

/** Sends a signal to a process group that this agent started (detached). False when nobody was there. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (process.platform === 'win32') {
    execFile('taskkill', ['/pid', String(pid), '/T', ...(signal === 'SIGKILL' ? ['/F'] : [])], () => {});
    return true;
  }
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

export type MarkedProcess = { readonly pid: number; readonly parent: number };

const anyBatch = Buffer.from(`${batchMark}=`);
const environBuffer = Buffer.allocUnsafe(256 * 1024);
/** Processes looked at in one go; the loop gets its turn between. */
const sliceSize = 200;

/**
 * Processes known to be of no batch. One whose environment names no batch starts none of a batch, so it need not be read again: on a
 * machine of many busy processes reading all their environments after every file holds an agent up for seconds. The number of one that is
 * gone is forgotten, and all are after a while, because numbers are given again.
 */
class Strangers {
  readonly #pids = new Set<string>();
  #sinceMs = -Infinity;

  /** Those that are to be read. */
  without(running: readonly string[]): string[] {
    if (performance.now() - this.#sinceMs > strangersMs) {
      this.#pids.clear();
      this.#sinceMs = performance.now();
    }
    const still = new Set(running);
    for (const pid of this.#pids) if (!still.has(pid)) this.#pids.delete(pid);
    return running.filter((pid) => !this.#pids.has(pid));
  }

  add(pid: string): void {
    this.#pids.add(pid);
  }
}

const strangersMs = 10_000;
const known = new Strangers();

/**
 * Processes whose start environment has `name=value`; empty where /proc is not there. Zombies are not counted. Read
 * synchronously, in slices: this runs after every file, and a promise for each process costs ten times the reading.
 */
export async function markedProcesses(
  name: string,
  value: string,
  read: 'all' | 'new' = 'all',
): Promise<MarkedProcess[]> {
  if (process.platform !== 'linux') return [];
  const wanted = Buffer.from(`${name}=${value}\0`);
  const running = (await readdir('/proc').catch(() => [])).filter(
    (entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid,
  );
  const pids = read === 'all' ? running : known.without(running);
  const found: MarkedProcess[] = [];
  for (const [index, pid] of pids.entries()) {
    if (index % sliceSize === sliceSize - 1) await new Promise((resolve) => setImmediate(resolve));
    const entry = marked(pid, wanted);
    if (entry) found.push(entry);
  }
  return found;
}

function marked(pid: string, wanted: Buffer): MarkedProcess | null {
  try {
    const environment = environmentOf(pid);
    if (!environment.includes(wanted)) {
      // Empty while a process becomes another program: it says nothing yet.
      if (environment.length > 0 && !environment.includes(anyBatch)) known.add(pid);
      return null;
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? null : { pid: Number(pid), parent: Number(parent) };
  } catch {
    // It ended while we looked, or it is not ours to read.
    return null;
  }
}

function environmentOf(pid: string): Buffer {
  const fd = openSync(`/proc/${pid}/environ`, 'r');
  try {
    return environBuffer.subarray(0, readSync(fd, environBuffer, 0, environBuffer.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Kills the marked processes until there are none; the number that was found. Bounded: a fork bomb is not chased for ever. */
export async function killMarked(
  name: string,
  value: string,
  spare: (found: MarkedProcess) => boolean = () => false,
  read: 'all' | 'new' = 'all',
): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < 20; round += 1) {
    const found = (await markedProcesses(name, value, read)).filter((entry) => !spare(entry));
    if (found.length === 0) break;
    for (const { pid } of found) {
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  }
  return killed.size;
}
