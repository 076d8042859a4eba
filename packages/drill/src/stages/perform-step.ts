// One step of a drill on the fleet: work is given out, the fault is made and proved, held until the product noticed, taken back and
// proved again, and the work has to end. What goes wrong is kept in the record and stops only what depends on it.
import { type Act, type FleetFault, type Injected, type Proof, type World } from '../faults/fault.ts';
import type { Step } from '../plan.ts';
import { NotInTime, pause } from '../until.ts';
import type { DrillWork } from '../world/work.ts';
import type { StepRecord } from './record.ts';
import { performTask } from './perform-task.ts';
import { closesAgain, seesEffect } from './watch-effect.ts';

const workTimeoutMs = 60_000;

type Kept = { -readonly [Key in keyof StepRecord]: StepRecord[Key] } & { troubles: string[]; tasks: number[] };

/** Throws only where the drill is aborted, or the fleet cannot be used any more. */
export async function performStep(
  step: Step,
  world: World,
  work: DrillWork,
  settleTimeoutMs: number,
): Promise<StepRecord> {
  const { fault } = step;
  const worker = world.fleet.workers.find(({ name }) => name === step.worker) ?? world.fleet.workers[0];
  if (worker === undefined) throw new Error('a drill has at least one worker');
  const kept: Kept = {
    step,
    workerId: step.worker === null ? null : worker.id,
    tasks: [],
    startedAtMs: Date.now(),
    injectedAtMs: null,
    injected: null,
    undone: null,
    endedAtMs: 0,
    troubles: [],
  };
  kept.tasks.push(...(await work.give(step.number, 'unit', step.tasks)));
  const task = fault.kind === 'task' ? await work.giveFault(step.number, fault) : null;
  if (task !== null) kept.tasks.push(task);
  try {
    if (fault.kind === 'task') {
      kept.injectedAtMs = kept.startedAtMs;
      ({ injected: kept.injected, undone: kept.undone } = await performTask(fault, task ?? 0, world, work));
    } else await performFault(fault, kept, { ...world, worker }, work, settleTimeoutMs);
  } catch (error) {
    if (world.signal.aborted) throw error;
    kept.troubles.push(error instanceof Error ? error.message : String(error));
  }
  await end(kept, work, world.signal, settleTimeoutMs);
  return kept;
}

async function performFault(
  fault: FleetFault,
  kept: Kept,
  act: Act,
  work: DrillWork,
  settleTimeoutMs: number,
): Promise<void> {
  const { number } = kept.step;
  kept.tasks.push(...(await work.give(number, fault.work, fault.brings)));
  if (fault.needsWork) kept.tasks.push(...(await untilAtWork(act, number, work)));
  kept.injectedAtMs = Date.now();
  const injected = await fault.inject(act);
  kept.injected = injected.proof;
  const isSeen = await seesEffect(fault.effect, act.fleet, act.worker, kept.injectedAtMs);
  if (!isSeen) kept.troubles.push(`the product did not show it: ${fault.effect.kind}`);
  await giveDuring(fault, kept, work, settleTimeoutMs);
  await pause(fault.holdMs, act.signal);
  kept.undone = await undone(injected, kept);
  kept.tasks.push(...(await work.give(number, fault.work, fault.bringsAfter ?? 0)));
  if (!(await closesAgain(fault.effect, act.fleet, act.worker))) kept.troubles.push('its circuit did not close again');
}

/** What is given out while it lasts has to meet free workers: only then does it show whether anything keeps it. */
async function giveDuring(fault: FleetFault, kept: Kept, work: DrillWork, settleTimeoutMs: number): Promise<void> {
  const count = fault.bringsDuring ?? 0;
  if (count === 0) return;
  kept.tasks.push(...(await work.give(kept.step.number, fault.work, count)));
  await work.settled(settleTimeoutMs, count).catch((error: unknown) => {
    if (!(error instanceof NotInTime)) throw error;
    kept.troubles.push(`other work did not end while it lasted: ${error.message}`);
  });
}

async function undone(injected: Injected, kept: Kept): Promise<Proof | null> {
  try {
    return await injected.undo();
  } catch (error) {
    kept.troubles.push(`its undo: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** Gives out work until the target is at some: where it goes is the product's decision. Returns what was given. */
async function untilAtWork(act: Act, step: number, work: DrillWork): Promise<number[]> {
  const given: number[] = [];
  const endMs = performance.now() + workTimeoutMs;
  while (!(await isAtWork(act))) {
    if (performance.now() > endMs) throw new Error(`${act.worker.name} got no work within ${workTimeoutMs} ms`);
    const hasWaiting = (await act.fleet.client.readRun(work.run)).tasks.queued > 0;
    if (!hasWaiting) given.push(...(await work.give(step, 'unit', act.fleet.workers.length)));
    await pause(50, act.signal);
  }
  return given;
}

/** Whether a task was started there and is not over: one that was only assigned would lose nothing. */
async function isAtWork({ fleet, worker }: Act): Promise<boolean> {
  const view = await fleet.viewOf(worker);
  for (const { task, attempt } of view?.attempts ?? []) {
    const { attempts } = await fleet.client.readTask(task);
    const own = attempts.find((one) => one.attempt === attempt);
    if (own?.startedAtMs !== undefined && own.settledAtMs === undefined) return true;
  }
  return false;
}

async function end(kept: Kept, work: DrillWork, signal: AbortSignal, settleTimeoutMs: number): Promise<void> {
  try {
    await work.settled(settleTimeoutMs);
  } catch (error) {
    if (signal.aborted || !(error instanceof NotInTime)) throw error;
    kept.troubles.push(error.message);
  }
  kept.endedAtMs = Date.now();
}
