// A fault that a test itself has: its process is watched from outside while it does what it is named for, and the proof is what the
// operating system shows of it. Its undo is the product's: the process has to be gone when its task is settled.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Proof, proof, type TaskFault, type World } from '../faults/fault.ts';
import { pause, until } from '../until.ts';
import { isGone, readProcess } from '../world/processes.ts';
import type { DrillWork } from '../world/work.ts';

const markTimeoutMs = 60_000;
const goneTimeoutMs = 30_000;
/** Over which a process is watched for what it does with the processor. */
const watchMs = 800;
/** Shares of the looks at it. */
const busyShare = 0.7;
const idleShare = 0.3;

export type Mark = { readonly pid: number; readonly text: string };

export async function performTask(
  fault: TaskFault,
  index: number,
  { signal }: World,
  work: DrillWork,
): Promise<{ injected: Proof; undone: Proof }> {
  const mark = await until(`the mark of ${fault.id}`, () => markOf(work.marks, fault.id), {
    timeoutMs: markTimeoutMs,
    signal,
    everyMs: 10,
  });
  const injected = await shown(fault, mark, signal);
  await until(
    `task ${index} is settled`,
    async () => {
      const view = await work.fleet.client.readTask(`${work.run}.${index}`).catch(() => null);
      return view?.state === 'settled' ? true : null;
    },
    { timeoutMs: markTimeoutMs, signal, everyMs: 50 },
  );
  await until(`process ${mark.pid} is gone`, () => (isGone(mark.pid) ? true : null), {
    timeoutMs: goneTimeoutMs,
    signal,
  });
  return { injected, undone: proof(`/proc/${mark.pid}`, 'gone after its task was settled') };
}

/** A mark is taken away when it was read: the next step of the same fault has its own. */
function markOf(marks: string, id: string): Mark | null {
  const found = readdirSync(marks).find((name) => name.startsWith(`${id}-`) && /^-\d+$/.test(name.slice(id.length)));
  if (found === undefined) return null;
  const file = join(marks, found);
  const [pid = '', ...text] = readFileSync(file, 'utf8').split(' ');
  if (pid === '') return null;
  rmSync(file);
  return { pid: Number(pid), text: text.join(' ') };
}

/** What the system shows of the process; throws where it does not show what the fault is named for. */
export async function shown(
  fault: TaskFault,
  { pid, text }: Mark,
  signal: AbortSignal,
  goneMs = 10_000,
): Promise<Proof> {
  switch (fault.shows) {
    case 'said':
      if (text !== fault.says) throw new Error(`process ${pid} said "${text}" instead of "${fault.says ?? ''}"`);
      return proof(`process ${pid}`, `its test met ${text}`);
    case 'gone':
      await until(`process ${pid} is gone`, () => (isGone(pid) ? true : null), {
        timeoutMs: goneMs,
        signal,
        everyMs: 5,
      });
      return proof(`/proc/${pid}`, `gone after it said that it ${text}`);
    case 'burning':
    case 'idle': {
      const { running, cpuMs } = await watched(pid, signal);
      const share = Math.round(running * 100);
      const isSo = fault.shows === 'burning' ? running > busyShare && cpuMs > 0 : running < idleShare;
      if (!isSo) throw new Error(`process ${pid} was running in ${share} % of the looks at it`);
      return proof(
        `/proc/${pid}/stat`,
        `state R in ${share} % of the looks over ${watchMs} ms, ${cpuMs} ms of processor`,
      );
    }
  }
}

/** How often the process was running or ready to, which a busy machine does not change, and the processor time that it got. */
async function watched(pid: number, signal: AbortSignal): Promise<{ running: number; cpuMs: number }> {
  const before = readProcess(pid);
  const endMs = performance.now() + watchMs;
  let looks = 0;
  let running = 0;
  for (let now = before; performance.now() < endMs; now = readProcess(pid)) {
    if (now === null) throw new Error(`process ${pid} was gone before it was watched`);
    looks += 1;
    if (now.state === 'R') running += 1;
    await pause(20, signal);
  }
  return { running: running / Math.max(1, looks), cpuMs: (readProcess(pid)?.cpuMs ?? 0) - (before?.cpuMs ?? 0) };
}
