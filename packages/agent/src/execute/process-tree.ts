// Ending processes for good: a whole process group with grace, then by force; and on Linux also those that left the
// group, found by a mark that every process of the batch inherited in its environment.
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';

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

export type MarkedProcess = { readonly pid: number; readonly parent: number; readonly command: string };

/** Processes whose start environment has `name=value`; empty where /proc is not there. Zombies are not counted. */
export async function markedProcesses(name: string, value: string): Promise<MarkedProcess[]> {
  if (process.platform !== 'linux') return [];
  const wanted = Buffer.from(`${name}=${value}\0`);
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    names.filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid).map(async (pid) => marked(pid, wanted)),
  );
  return found.filter((entry) => entry !== null);
}

async function marked(pid: string, wanted: Buffer): Promise<MarkedProcess | null> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`);
    if (!environment.includes(wanted)) return null;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return null;
    const command = await readlink(`/proc/${pid}/exe`).catch(() => '');
    return { pid: Number(pid), parent: Number(parent), command };
  } catch {
    // It ended while we looked, or it is not ours to read.
    return null;
  }
}

/** Kills the marked processes until there are none; the number that was found. Bounded: a fork bomb is not chased for ever. */
export async function killMarked(
  name: string,
  value: string,
  spare: (found: MarkedProcess) => boolean = () => false,
): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < 20; round += 1) {
    const found = (await markedProcesses(name, value)).filter((entry) => !spare(entry));
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
