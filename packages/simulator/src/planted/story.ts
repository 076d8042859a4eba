// What became of a plant: every attempt with its true cause beside what the engine made of it, what was stopped and when. Made
// from the engine's events alone; scored in score.ts.
import type { Event } from '@assay/core';
import type { CircuitScope, Diagnosis, TaskId, Verdict } from '@assay/protocol';
import type { Cause } from './behave.ts';

/** Something was taken out of service, by a circuit that opened or by a quarantine. */
export type Stop = {
  readonly scope: CircuitScope;
  readonly atMs: number;
  readonly by: 'circuit' | 'condition';
  readonly reason: string;
};

export type SettledAttempt = {
  readonly task: TaskId;
  readonly attempt: number;
  readonly worker: string | null;
  readonly verdict: Verdict;
  readonly spends: 'userRetry' | 'infrastructureRetry' | 'nothing' | 'settles';
  readonly atMs: number;
  readonly run: number;
};

export type Story = {
  /** Runs that are over. */
  runs: number;
  isOver: boolean;
  endedAtMs: number;
  readonly stops: Stop[];
  readonly attempts: SettledAttempt[];
  readonly tasks: Map<
    TaskId,
    { readonly verdict: Verdict; readonly diagnosis: Diagnosis | null; readonly run: number }
  >;
  /** By task and attempt, as "r-1.4#2". */
  readonly causes: Map<string, Cause>;
  /** Ids of the capability classes in circuits, by the plant's names for them. */
  readonly classIds: Map<string, string>;
  readonly deaths: { readonly worker: string; readonly atMs: number }[];
  /** Settled attempts a worker, in order, with whether they failed: how soon a black hole was stopped. */
  readonly byWorker: Map<string, { readonly atMs: number; readonly isFailure: boolean }[]>;
};

export function emptyStory(): Story {
  return {
    runs: 0,
    isOver: false,
    endedAtMs: 0,
    stops: [],
    attempts: [],
    tasks: new Map(),
    causes: new Map(),
    classIds: new Map(),
    deaths: [],
    byWorker: new Map(),
  };
}

export function hear(story: Story, event: Event, atMs: number, run: number): void {
  switch (event.kind) {
    case 'attemptSettled': {
      const { task, attempt, worker, verdict, next } = event;
      const spends = next.kind === 'settle' ? 'settles' : next.kind === 'yield' ? 'nothing' : next.spends;
      story.attempts.push({ task, attempt, worker, verdict, spends, atMs, run });
      if (worker === null) return;
      const own = story.byWorker.get(worker) ?? [];
      story.byWorker.set(worker, own);
      own.push({ atMs, isFailure: verdict !== 'passed' && verdict !== 'skipped' && verdict !== 'canceled' });
      return;
    }
    case 'taskSettled': {
      const { diagnosis } = event as { diagnosis?: Diagnosis };
      story.tasks.set(event.task, { verdict: event.verdict, diagnosis: diagnosis ?? null, run });
      return;
    }
    case 'diagnosisRevised': {
      const known = story.tasks.get(event.task);
      if (known !== undefined) story.tasks.set(event.task, { ...known, diagnosis: event.diagnosis });
      return;
    }
    case 'conditionChanged': {
      if (event.to.kind !== 'quarantined' || event.from === 'quarantined') return;
      const scope: CircuitScope =
        event.device === null
          ? { kind: 'worker', worker: event.worker }
          : { kind: 'device', worker: event.worker, device: event.device };
      story.stops.push({ scope, atMs, by: 'condition', reason: event.reason });
      return;
    }
    case 'circuitMoved': {
      if (event.transition.to !== 'open') return;
      story.stops.push({ scope: event.scope, atMs, by: 'circuit', reason: event.transition.cause });
      return;
    }
    default:
      return;
  }
}
