// What an earlier incarnation that was killed left running: every process of a batch has a directory of this agent's
// scratch in its environment (its TMPDIR), and inherits it to its children, also to those that left the process group.
// Found by that on Linux; elsewhere the runner's host ends by itself when the agent's end of its input closes.
import { readdir, readFile } from 'node:fs/promises';

/** Kills what has the directory in its start environment, until there is none; returns how many were killed. */
export async function killLeftovers(scratchDir: string): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const mark = Buffer.from(`=${scratchDir}/`);
  const killed = new Set<number>();
  // Bounded: something that forks faster than it is killed is not chased for ever.
  for (let round = 0; round < 20; round += 1) {
    const found = await marked(mark);
    if (found.length === 0) break;
    for (const pid of found) {
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  }
  return killed.size;
}

async function marked(mark: Buffer): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = await readFile(`/proc/${pid}/environ`);
      if (!environment.includes(mark)) continue;
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
      if (state !== 'Z' && state !== 'X') found.push(pid);
    } catch {
      // It ended while we looked, or belongs to another user.
    }
  }
  return found;
}
