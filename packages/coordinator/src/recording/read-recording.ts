// Makes the recording of one run out of the journal's files: its tasks as they arrived, the workers as they were while it was on,
// and what each attempt really took. Runs in a thread of its own (recording-thread.ts); it reads durable entries only, and only
// what concerns the run is parsed. Workers that joined before the oldest entry kept are taken from the oldest snapshot.
// What always holds: the whole run or nothing of it, with the reason; no more is read and kept than the bounds say.
import { restore, viewWorker, type Event } from '@assay/core';
import { RunId, type RecordedAttempt, type RecordedTask, type RunRecording } from '@assay/protocol';
import { listSegments } from '../adapters/journal-sqlite/segment-file.ts';
import { SegmentReader } from '../adapters/journal-sqlite/segment-reader.ts';
import { listSnapshots, readLatestSnapshot } from '../adapters/journal-sqlite/snapshot-files.ts';

export type RecordingTask = {
  journalDirectory: string;
  snapshotDirectory: string;
  run: string;
  throughSeq: number;
  /** Tasks of the run, and text of the journal, at most. */
  tasksMax: number;
  bytesMax: number;
};
type Recorded = Extract<RunRecording, { kind: 'recorded' }>;
type Worker = { -readonly [Key in keyof Recorded['workers'][number]]: Recorded['workers'][number][Key] };
type Attempt = { -readonly [Key in keyof RecordedAttempt]: RecordedAttempt[Key] };

/** Events of workers that are looked at whatever the run; matched as text before anything is parsed. */
const workerMarks = ['"kind":"workerJoined"', '"kind":"workerLost"', '"kind":"workerLeft"', '"kind":"profileChanged"'];

const absent = (reason: string): RunRecording => ({ kind: 'absent', reason });

export function readRecording(task: RecordingTask): RunRecording {
  const firstSeq = listSegments(task.journalDirectory)[0]?.first ?? 1;
  const reader = new SegmentReader(task.journalDirectory);
  const story = new Story(task.run);
  // Ends with a quote or a dot, so that no other run's name begins alike.
  const marks = [`"${task.run}"`, `"${task.run}.`, ...workerMarks];
  let next = firstSeq;
  let bytes = 0;
  try {
    while (!story.isOver && next <= task.throughSeq) {
      const rows = reader.read(next, {
        entriesMax: Math.min(2_000, task.throughSeq - next + 1),
        bytesMax: 8 * 1024 * 1024,
      });
      if (rows.length === 0) break;
      for (const { seq, atMs, events, input } of rows) {
        bytes += events.length + input.length;
        if (story.isOver || !marks.some((mark) => events.includes(mark))) continue;
        story.hear(seq, atMs, JSON.parse(events) as Event[]);
      }
      next += rows.length;
      if (story.tasks.length > task.tasksMax) return absent(`the run has more than ${task.tasksMax} tasks`);
      if (bytes > task.bytesMax) return absent(`the journal is longer than the ${task.bytesMax} bytes that are read`);
    }
  } finally {
    reader.close();
  }
  if (story.submittedSeq === null) return absent(`the journal, kept from entry ${firstSeq} on, does not hold the run`);
  if (!story.isOver) return absent('the run is not over');
  if (firstSeq > 1) addEarlier(story, task.snapshotDirectory, firstSeq);
  return story.recording(firstSeq);
}

/** Workers that said hello before the oldest entry kept, as the oldest snapshot that reaches it has them. */
function addEarlier(story: Story, directory: string, firstSeq: number): void {
  const usable = listSnapshots(directory).filter((seq) => seq >= firstSeq - 1);
  if (usable.length === 0) return;
  const stored = readLatestSnapshot(directory, Math.min(...usable) + 1, () => undefined);
  if (stored === null) return;
  const state = restore(stored.state);
  for (const { worker } of state.workers.values()) {
    const view = viewWorker(state, worker);
    if (view?.profile === undefined || story.workers.has(worker)) continue;
    const isThere = view.state !== 'lost';
    if (!isThere && !story.hasWorked(worker)) continue;
    const { name, pool, slots, profile, profileDigest, declared } = view;
    story.workers.set(worker, {
      worker,
      name,
      pool,
      slots,
      profile,
      profileDigest,
      declared,
      fromMs: 0,
      untilMs: null,
    });
  }
}

/** What the entries said so far. Until the run is submitted only workers are followed. */
class Story {
  readonly tasks: (Omit<RecordedTask, 'attempts'> & { attempts: Attempt[] })[] = [];
  readonly workers = new Map<string, Worker>();
  submittedSeq: number | null = null;
  isOver = false;
  readonly #run: string;
  readonly #over = new Set<Attempt>();
  #spec: Extract<Event, { kind: 'runSubmitted' }>['spec'] | null = null;
  #submittedAtMs = 0;
  #settledMs = 0;
  #lastSeq = 0;

  constructor(run: string) {
    this.#run = run;
  }

  hasWorked(worker: string): boolean {
    return this.tasks.some(({ attempts }) => attempts.some((attempt) => attempt.worker === worker));
  }

  hear(seq: number, atMs: number, events: readonly Event[]): void {
    this.#lastSeq = seq;
    for (const event of events) {
      this.#hearWorker(event, atMs);
      if ('run' in event && event.run === this.#run) this.#hearRun(event, seq, atMs);
      if ('task' in event && typeof event.task === 'string' && event.task.startsWith(`${this.#run}.`))
        this.#hearTask(event, atMs - this.#submittedAtMs);
      if (event.kind === 'tasksReturned') for (const { task, attempt } of event.attempts) this.#drop(task, attempt);
    }
  }

  #hearWorker(event: Event, atMs: number): void {
    if (event.kind === 'workerJoined') {
      const { worker, name, pool, slots, trust, profile, profileDigest, declared } = event;
      const fromMs = this.#spec === null ? 0 : atMs - this.#submittedAtMs;
      const earlier = this.workers.get(worker);
      const card = {
        worker,
        name,
        pool,
        slots,
        profile,
        profileDigest,
        declared,
        ...(trust === undefined ? {} : { trust }),
      };
      // A worker that is back during the run was there from when it first was.
      this.workers.set(worker, { ...card, fromMs: earlier?.fromMs ?? fromMs, untilMs: null });
    } else if (event.kind === 'profileChanged') {
      const known = this.workers.get(event.worker);
      if (known !== undefined && this.#spec === null)
        Object.assign(known, { profile: event.profile, profileDigest: event.profileDigest });
    } else if (event.kind === 'workerLost' || event.kind === 'workerLeft') {
      const known = this.workers.get(event.worker);
      if (known === undefined) return;
      if (this.#spec === null) this.workers.delete(event.worker);
      else known.untilMs = atMs - this.#submittedAtMs;
    }
  }

  #hearRun(event: Event, seq: number, atMs: number): void {
    if (event.kind === 'runSubmitted') {
      this.submittedSeq = seq;
      this.#submittedAtMs = atMs;
      this.#spec = event.spec;
    } else if (event.kind === 'tasksQueued') {
      for (const [at, { suite, target, expectedMs, after }] of event.tasks.entries())
        this.tasks[event.first + at] = {
          suite,
          target,
          arrivedMs: atMs - this.#submittedAtMs,
          ...(expectedMs === undefined ? {} : { expectedMs }),
          ...(after === undefined ? {} : { after }),
          attempts: [],
        };
    } else if (event.kind === 'tasksAssigned') {
      const assignedMs = atMs - this.#submittedAtMs;
      for (const { index, attempt, expectedMs } of event.tasks)
        this.tasks[index]?.attempts.push({
          attempt,
          worker: event.worker,
          assignedMs,
          endedMs: assignedMs,
          expectedMs,
          verdict: 'canceled',
        });
    } else if (event.kind === 'runSettled') {
      this.isOver = true;
      this.#settledMs = atMs - this.#submittedAtMs;
    }
  }

  #hearTask(event: Event, atMs: number): void {
    if (event.kind === 'attemptStarted') {
      const attempt = this.#attempt(event.task, event.attempt);
      if (attempt !== undefined) attempt.startedMs = atMs;
    } else if (event.kind === 'hedgeDropped') this.#end(event.task, event.attempt, atMs, 'canceled');
    else if (event.kind === 'attemptSettled') {
      const attempt = this.#end(event.task, event.attempt, atMs, event.verdict);
      if (attempt === undefined) return;
      if (event.costMs !== undefined) attempt.costMs = event.costMs;
      if (event.startupMs !== undefined) attempt.startupMs = event.startupMs;
    }
  }

  #end(task: string, number: number, atMs: number, verdict: RecordedAttempt['verdict']): Attempt | undefined {
    const attempt = this.#attempt(task, number);
    if (attempt === undefined) return undefined;
    Object.assign(attempt, { endedMs: atMs, verdict });
    this.#over.add(attempt);
    return attempt;
  }

  #indexOf(task: string): number {
    return task.startsWith(`${this.#run}.`) ? Number(task.slice(this.#run.length + 1)) : -1;
  }

  #attempt(task: string, number: number): Attempt | undefined {
    return this.tasks[this.#indexOf(task)]?.attempts.find(({ attempt }) => attempt === number);
  }

  /** Given back without having begun: it was no attempt. */
  #drop(task: string, number: number): void {
    const record = this.tasks[this.#indexOf(task)];
    if (record !== undefined) record.attempts = record.attempts.filter(({ attempt }) => attempt !== number);
  }

  recording(firstSeq: number): RunRecording {
    const spec = this.#spec;
    if (spec === null) throw new Error('a recording without its submission');
    return {
      kind: 'recorded',
      run: RunId.parse(this.#run),
      project: spec.project,
      ...(spec.pool === undefined ? {} : { pool: spec.pool }),
      submittedAtMs: this.#submittedAtMs,
      settledMs: this.#settledMs,
      suites: spec.suites.map(({ name, requires, batching, alternatives, claims, concurrency, hedge }) => ({
        name,
        requires,
        batching,
        ...(alternatives === undefined ? {} : { alternatives }),
        ...(claims === undefined ? {} : { claims }),
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(hedge === undefined ? {} : { hedge }),
      })),
      tasks: this.tasks.map(({ attempts, ...rest }) => ({
        ...rest,
        attempts: attempts.filter((attempt) => this.#over.has(attempt)),
      })),
      workers: [...this.workers.values()],
      entries: { first: firstSeq, last: this.#lastSeq },
    };
  }
}
