// What must hold of the circuits: part of checkInvariants, and of the simulator's checks after every step. O(state).
import type { Event, TasksAssigned } from '../engine/events.ts';
import { isHaltedBy } from '../engine/evolve-circuit.ts';
import { currentAttempt, findTask } from '../engine/lookup.ts';
import type { State } from '../engine/state.ts';
import { dueAtMs } from './breaker.ts';
import { isBlocking } from './registry.ts';
import { circuitIdOf } from './scope.ts';
import { circuitsOver } from './stops.ts';

/** What does not hold of the registry, in words; empty when all is well. */
export function circuitProblems(state: State): string[] {
  const problems: string[] = [];
  const { circuits: index } = state.index;
  let blocking = 0;
  let blockingClasses = 0;
  for (const [id, circuit] of state.circuits) {
    const { breaker, probes } = circuit;
    const expect = (condition: boolean, what: string): void => {
      if (!condition) problems.push(`circuit ${id} ${what}`);
    };
    if (isBlocking(circuit)) blocking += 1;
    if (isBlocking(circuit) && circuit.scope.kind.startsWith('class')) blockingClasses += 1;
    expect(id === circuitIdOf(circuit.scope), 'is named by its scope');
    const permits = breaker.state.kind === 'halfOpen' ? breaker.state.permits : [];
    const taken = new Set(probes.map(({ permit }) => permit));
    expect(permits.length === taken.size, 'has a permit out for each probe, and no other');
    expect(permits.length <= breaker.settings.probes, 'has no more permits than it may');
    for (const { task, attempt, permit } of probes) {
      expect(
        permits.some((out) => out.permit === permit),
        'knows the permit of each probe',
      );
      if (task === null) continue;
      const found = findTask(state, task);
      expect(
        found !== null && currentAttempt(found.task)?.attempt === attempt,
        `is probed by ${task}, which is at work`,
      );
      expect(index.probing.get(task)?.includes(circuit) === true, `is found by its probe ${task}`);
    }
    const dueMs = dueAtMs(breaker);
    expect(circuit.heapSlot >= 0 === (dueMs !== null), 'has a deadline exactly when time moves it');
    expect(dueMs === null || circuit.dueMs === dueMs, 'knows its deadline');
  }
  if (index.blocking !== blocking || index.blockingClasses !== blockingClasses)
    problems.push(`${blocking} circuits may refuse something, ${index.blocking} are counted`);
  for (const [task, circuits] of index.probing)
    for (const circuit of circuits)
      if (!circuit.probes.some((probe) => probe.task === task))
        problems.push(`${task} probes ${circuit.circuit} no more`);
  for (const worker of state.workers.values())
    if (worker.isHalted !== isHaltedBy(state, worker))
      problems.push(`${worker.worker} knows whether its circuit stops it`);
  return problems;
}

/**
 * A circuit that is open admits nothing but its probe: every assignment of a step goes past closed circuits only, or is the single
 * probe of those that are half-open. Read from the state right after the step, of which placement is the last act.
 */
export function unlawfulAssignments(state: State, events: readonly Event[]): string[] {
  if (state.index.circuits.blocking === 0) return [];
  const problems: string[] = [];
  for (const event of events) if (event.kind === 'tasksAssigned') problems.push(...unlawful(state, event));
  return problems;
}

function unlawful(state: State, { run, suite, worker, assignment, tasks, probes }: TasksAssigned): string[] {
  const lane = state.runs.get(run)?.lanes[suite];
  const record = state.workers.get(worker);
  if (lane === undefined || record === undefined) return [];
  const problems: string[] = [];
  for (const circuit of circuitsOver(state, lane, record)) {
    const { kind } = circuit.breaker.state;
    const isProbe = probes?.includes(circuit.circuit) === true;
    if (kind !== 'halfOpen' || !isProbe) problems.push(`${assignment} goes past ${circuit.circuit}, which is ${kind}`);
    else if (tasks.length !== 1) problems.push(`${assignment} probes ${circuit.circuit} with ${tasks.length} tasks`);
  }
  return problems;
}
