// The journal of a drill, read by what a check asks of it: tasks with their attempts, workers with what befell them, circuits with
// their moves. Nothing is judged here; every fact keeps the sequence number of its entry, which is the evidence of whoever uses it.
import type { Event } from '@assay/core';
import type { JournalEntry } from './journal-entry.ts';

export type At = { readonly seq: number; readonly atMs: number };
export type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

export type AttemptStory = {
  readonly attempt: number;
  readonly worker: string;
  readonly assigned: At;
  readonly isHedge: boolean;
  readonly started: At[];
  /** Names of the cases in each accepted report, with the ordinal of the first. */
  readonly cases: (At & { readonly from: number; readonly names: readonly string[] })[];
  readonly settled: (At & { readonly event: EventOf<'attemptSettled'> })[];
  /** Back in the queue without having been started. */
  readonly returned: At[];
};

export type TaskStory = {
  readonly index: number;
  readonly target: string;
  readonly queued: At;
  readonly attempts: Map<number, AttemptStory>;
  readonly settled: (At & { readonly event: EventOf<'taskSettled'> })[];
};

export type WorkerStory = {
  readonly worker: string;
  readonly name: string;
  readonly declared: Readonly<Record<string, string | number | boolean>>;
  readonly events: (At & { readonly event: Event })[];
};

export type Move = At & { readonly event: EventOf<'circuitMoved'> };

export type History = {
  readonly run: string;
  readonly tasks: ReadonlyMap<number, TaskStory>;
  readonly workers: ReadonlyMap<string, WorkerStory>;
  readonly moves: readonly Move[];
  readonly runSettled: readonly At[];
  /** Entries in which the coordinator started. */
  readonly starts: readonly At[];
};

export function readHistory(entries: readonly JournalEntry[], run: string): History {
  const reader = new Reader(run);
  for (const entry of entries) for (const event of entry.events) reader.take(entry, event);
  for (const entry of entries) if (entry.input.kind === 'coordinatorRestarted') reader.starts.push(atOf(entry));
  return reader;
}

const atOf = ({ seq, atMs }: JournalEntry): At => ({ seq, atMs });

class Reader implements History {
  readonly run: string;
  readonly tasks = new Map<number, TaskStory>();
  readonly workers = new Map<string, WorkerStory>();
  readonly moves: Move[] = [];
  readonly runSettled: At[] = [];
  readonly starts: At[] = [];

  constructor(run: string) {
    this.run = run;
  }

  take(entry: JournalEntry, event: Event): void {
    const at = atOf(entry);
    if ('worker' in event && typeof event.worker === 'string') this.#worker(event.worker, at, event);
    switch (event.kind) {
      case 'tasksQueued':
        if (event.run === this.run)
          for (const [more, { target }] of event.tasks.entries())
            this.tasks.set(event.first + more, {
              index: event.first + more,
              target,
              queued: at,
              attempts: new Map(),
              settled: [],
            });
        return;
      case 'tasksAssigned':
        if (event.run === this.run)
          for (const { index, attempt } of event.tasks)
            this.tasks.get(index)?.attempts.set(attempt, {
              attempt,
              worker: event.worker,
              assigned: at,
              isHedge: event.isHedge === true,
              started: [],
              cases: [],
              settled: [],
              returned: [],
            });
        return;
      case 'tasksReturned':
        for (const attempt of event.attempts) this.#attempt(attempt)?.returned.push(at);
        return;
      case 'attemptStarted':
        this.#attempt(event)?.started.push(at);
        return;
      case 'casesRecorded':
        this.#attempt(event)?.cases.push({ ...at, from: event.from, names: namesIn(entry, event) });
        return;
      case 'attemptSettled':
        this.#attempt(event)?.settled.push({ ...at, event });
        return;
      case 'taskSettled':
        this.#task(event.task)?.settled.push({ ...at, event });
        return;
      case 'runSettled':
        if (event.run === this.run) this.runSettled.push(at);
        return;
      case 'circuitMoved':
        this.moves.push({ ...at, event });
        return;
      default:
    }
  }

  #worker(worker: string, at: At, event: Event): void {
    const known = this.workers.get(worker);
    if (event.kind === 'workerJoined' && known === undefined)
      this.workers.set(worker, { worker, name: event.name, declared: event.declared, events: [{ ...at, event }] });
    else known?.events.push({ ...at, event });
  }

  #task(task: string): TaskStory | undefined {
    const dot = task.lastIndexOf('.');
    return task.slice(0, dot) === this.run ? this.tasks.get(Number(task.slice(dot + 1))) : undefined;
  }

  #attempt({ task, attempt }: { task: string; attempt: number }): AttemptStory | undefined {
    return this.#task(task)?.attempts.get(attempt);
  }
}

/** The cases are in the input of the entry. */
function namesIn({ input }: JournalEntry, event: EventOf<'casesRecorded'>): string[] {
  if (input.kind !== 'workerReported') return [];
  for (const report of input.reports)
    if (report.kind === 'cases' && report.seq === event.reportSeq && report.task === event.task)
      return report.cases.map(({ path }) => path.join(' > '));
  return [];
}
