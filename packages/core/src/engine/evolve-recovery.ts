// How events change what recovery remembers: retries that wait for their time, failures that are alike, troubles of the
// fleet, and what speaks against a worker. Part of evolve.
import type { TaskId, WorkerId } from '@assay/protocol';
import type { Suspicion } from '../recovery/suspicion.ts';
import { present } from '../kernel/assert.ts';
import { signaturesMax, troublesMax } from '../recovery/shield.ts';
import { enqueue, dequeue, laneOf } from '../scheduling/lanes.ts';
import type {
  DiagnosisRevised,
  OutageClosed,
  OutageOpened,
  OutageProbed,
  RetriesDue,
  TaskSettled,
  TroubleNoted,
} from './events.ts';
import { findTask } from './lookup.ts';
import type { RunRecord, State, TaskRecord } from './state.ts';

/** What speaks against one worker is remembered so far back. */
const suspicionsMax = 32;
const suspectsMax = 1_000;

export function diagnosisRevised(state: State, { task: id, diagnosis }: DiagnosisRevised): void {
  const { task } = present(findTask(state, id), 'task that is diagnosed again');
  if (task.state.kind === 'settled') task.state = { ...task.state, diagnosis };
}

export function retriesDue(state: State, { tasks }: RetriesDue): void {
  for (const id of tasks) {
    const { run, task } = present(findTask(state, id), 'task whose retry is due');
    setTime(state, run, task, null);
  }
}

/** Gives a queued task another time, or none: it then waits in line. It stays excused by what excused it. */
function setTime(state: State, run: RunRecord, task: TaskRecord, notBeforeMs: number | null): void {
  if (task.state.kind !== 'queued') return;
  dequeue(state.index, run, task);
  const { notBeforeMs: _, ...queued } = task.state;
  task.state = notBeforeMs === null ? queued : { ...queued, notBeforeMs };
  enqueue(state, run, task);
  state.index.unchecked.add(laneOf(run, task.suite).group);
}

export function troubleNoted(state: State, { signature, trouble, keptFromMs }: TroubleNoted): void {
  const { troubles } = state.recovery;
  const kept = (troubles.get(signature) ?? []).filter(({ atMs }) => atMs > keptFromMs);
  kept.push(trouble);
  // Taken out and put in: the signature that was quiet longest is forgotten first.
  troubles.delete(signature);
  troubles.set(signature, kept.slice(-troublesMax));
  for (const [oldest, entries] of troubles) {
    const isStale = (entries.at(-1)?.atMs ?? 0) <= keptFromMs;
    if (!isStale && troubles.size <= signaturesMax) break;
    troubles.delete(oldest);
  }
}

export function outageOpened(state: State, { signature, name, evidence }: OutageOpened, atMs: number): void {
  state.recovery.outages.set(signature, { signature, name, sinceMs: atMs, lastAtMs: atMs, excused: 0, probe: null });
  for (const { task: id, attempt: number } of evidence) {
    const found = findTask(state, id);
    const attempt = found?.task.attempts.find((one) => one.attempt === number);
    if (found === null || attempt?.state.kind !== 'settled' || found.task.state.kind === 'settled') continue;
    if (attempt.state.spent === 'userRetry') found.task.userRetries -= 1;
    if (attempt.state.spent === 'infrastructureRetry') found.task.infrastructureRetries -= 1;
    attempt.state = { ...attempt.state, spent: 'nothing', outage: name };
  }
}

/** A failure that the trouble excuses; the first one that comes with a near time looks whether it is over. */
export function failureExcused(state: State, signature: string, task: TaskId, atMs: number): void {
  const outage = state.recovery.outages.get(signature);
  if (outage === undefined) return;
  outage.excused += 1;
  outage.lastAtMs = atMs;
  outage.probe ??= task;
}

export function outageProbed(state: State, { signature, task: id, notBeforeMs }: OutageProbed): void {
  const outage = present(state.recovery.outages.get(signature), 'outage that is probed');
  const { run, task } = present(findTask(state, id), 'task that probes');
  outage.probe = id;
  setTime(state, run, task, notBeforeMs);
}

export function outageClosed(state: State, { signature }: OutageClosed): void {
  state.recovery.outages.delete(signature);
  state.recovery.troubles.delete(signature);
  for (const { lane, task } of [...state.index.delayed.inOrder()]) {
    if (task.state.kind === 'queued' && task.state.outage === signature) setTime(state, lane.run, task, null);
  }
}

/** A task that is over: what it says of workers is kept, and it looks for no trouble any more. */
export function taskJudged(state: State, { task, contradicts }: TaskSettled, atMs: number): void {
  const { outages } = state.recovery;
  if (outages.size > 0) for (const outage of outages.values()) if (outage.probe === task) outage.probe = null;
  if (contradicts === undefined) return;
  for (const worker of contradicts.workers)
    suspect(state, worker, { ...contradicts.of, atMs, class: classOf(state, worker), isMeasured: false });
}

/** A failure of the hardware speaks against its worker. */
export function hardwareFailed(
  state: State,
  worker: WorkerId,
  of: Pick<Suspicion, 'key' | 'usesDevice' | 'named'>,
  atMs: number,
): void {
  suspect(state, worker, { ...of, atMs, class: classOf(state, worker), isMeasured: true });
}

function classOf(state: State, worker: WorkerId): string | null {
  return state.workers.get(worker)?.class.id ?? null;
}

function suspect(state: State, worker: WorkerId, suspicion: Suspicion): void {
  const { suspicions } = state.recovery;
  const others = (suspicions.get(worker) ?? []).filter(({ key, isMeasured }) => key !== suspicion.key || isMeasured);
  suspicions.delete(worker);
  suspicions.set(worker, [...others, suspicion].slice(-suspicionsMax));
  for (const oldest of suspicions.keys()) {
    if (suspicions.size <= suspectsMax) break;
    suspicions.delete(oldest);
  }
}
