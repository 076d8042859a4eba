// Gangs: tasks that start together or not at all. Which tasks go together is their order in the suite. A gang waits in its lane
// only while it is whole: everyone is there, waits for nothing else, and none is at work; until then its tasks are held.
//
// Why there is no deadlock: all of a gang is placed in one step, or nothing of it; nobody ever holds slots while waiting for
// more. Why it does not starve: see `reservedFor` in admission.ts.
import type { Gang } from '@assay/protocol';
import type { TaskRecord } from '../engine/state.ts';

export type GangIndex = {
  readonly size: number;
  readonly spread: Gang['spread'];
  /** The lane's tasks in order, and the place of each by its index in the run. */
  readonly members: TaskRecord[];
  readonly places: Map<number, number>;
};

export function gangIndexOf({ size, spread }: Gang): GangIndex {
  return { size, spread, members: [], places: new Map() };
}

export function addMember(gang: GangIndex, task: TaskRecord): void {
  gang.places.set(task.index, gang.members.length);
  gang.members.push(task);
}

/** Those that start together with a task, itself among them; fewer than `size` while they are still coming. */
export function fellowsOf(gang: GangIndex, task: TaskRecord): TaskRecord[] {
  const first = Math.floor((gang.places.get(task.index) ?? 0) / gang.size) * gang.size;
  return gang.members.slice(first, first + gang.size);
}

/** The first of the gang that a task is of, by which the gang is named. */
export function firstOf(gang: GangIndex, index: number): number {
  const place = gang.places.get(index) ?? 0;
  return gang.members[place - (place % gang.size)]?.index ?? index;
}

/** Whether all are there and none is at work, so that those that wait may start. */
export function isWhole(gang: GangIndex, fellows: readonly TaskRecord[]): boolean {
  return (
    fellows.length === gang.size && fellows.every(({ state }) => state.kind === 'queued' || state.kind === 'settled')
  );
}
