// What goes before a waiting task: queued tasks of lanes before its own that want workers which it could have too, and those of its
// own lane that are longer. A look at now: fair shares and retries move it.
import type { EngineConfig } from '../engine/config.ts';
import type { State, TaskRecord } from '../engine/state.ts';
import type { Lane, RequirementGroup } from './index-types.ts';
import { isLaneBefore } from './order.ts';
import { predict } from './predict.ts';

/** Queued tasks that go first and want workers of the same requirement. */
export function countAhead(state: State, config: EngineConfig, lane: Lane, task: TaskRecord): number {
  let ahead = 0;
  for (const other of lane.group.lanes)
    if (other !== lane && other.group === lane.group && isLaneBefore(other, lane)) ahead += other.queued;
  for (const _ of aheadInLane(state, config, lane, task)) ahead += 1;
  return ahead;
}

/** Predicted work before it, over all lanes that compete for a class that fits it. */
export function workAheadMs(state: State, config: EngineConfig, lane: Lane, task: TaskRecord): number {
  let sumMs = 0;
  for (const group of state.index.waitingGroups) {
    if (!areRivals(group, lane.group)) continue;
    for (const other of group.lanes) {
      if (other === lane || other.group !== group || !isLaneBefore(other, lane)) continue;
      const first = other.unknown.peek();
      const unknownMs = first === undefined ? 0 : predict(state, config, other, first);
      sumMs += other.knownMs + other.unknown.size * unknownMs;
    }
  }
  for (const other of aheadInLane(state, config, lane, task)) sumMs += predict(state, config, lane, other);
  return sumMs;
}

function areRivals(a: RequirementGroup, b: RequirementGroup): boolean {
  if (a === b) return true;
  for (const capability of a.fitting) if (b.fitting.has(capability)) return true;
  return false;
}

function* aheadInLane(state: State, config: EngineConfig, lane: Lane, task: TaskRecord): Generator<TaskRecord> {
  const expectedMs = predict(state, config, lane, task);
  for (const other of lane.run.tasks) {
    if (other === task || other.suite !== task.suite || other.state.kind !== 'queued' || lane.held.has(other)) continue;
    const otherMs = predict(state, config, lane, other);
    if (otherMs > expectedMs || (otherMs === expectedMs && other.index < task.index)) yield other;
  }
}
