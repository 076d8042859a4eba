// Journal entries for tests and benchmarks of the results store: a run of `tasks` tasks through one worker, in the order
// in which the engine journals them, with retries, returns, losses and refused reports where asked.
// The engine's own entries are tested too (see live-and-stored.test.ts); these are for shapes that it makes rarely.
import type { Event, Input } from '@assay/core';
import {
  runIdOf,
  taskIdOf,
  type Case,
  type CaseCounts,
  type Digest,
  type Profile,
  type Report,
  type RunId,
  type RunSpec,
  type SessionId,
  type TaskId,
  type Verdict,
  type WorkerId,
  type AssignmentId,
} from '@assay/protocol';
import type { JournalEntry } from '../ports/journal.ts';

export const storyProfile: Profile = {
  os: { family: 'linux', arch: 'x64' },
  cpu: { count: 2 },
  memory: {},
  runtimes: {},
  runners: {},
  browsers: [],
  drivers: {},
  unknown: [],
};

export function storySpec(name: string): RunSpec {
  const suite = {
    name: 'unit',
    runner: 'vitest' as const,
    directory: '',
    arguments: [],
    env: { PASSWORD: 'not to be stored' },
    secrets: ['PASSWORD'],
    timeoutMs: 60_000,
    noOutputTimeoutMs: 0,
    requires: 'cpu.count >= 2',
    retries: 1,
    batching: 'shared' as const,
  };
  return {
    name,
    project: 'story',
    priority: 5,
    source: { kind: 'directory', path: 'project' },
    suites: [suite, { ...suite, name: 'browser', requires: '' }],
    failFast: false,
    unplaceable: 'wait',
    labels: { branch: 'main' },
  };
}

/** Writes entries with consecutive sequences and a clock that moves a millisecond an entry. */
export class JournalStory {
  readonly entries: JournalEntry[] = [];
  #reportSeq = 0;
  #assignment = 0;

  get atMs(): number {
    return 1_700_000_000_000 + this.entries.length;
  }

  entry(input: Input, events: Event[]): void {
    this.entries.push({ seq: this.entries.length + 1, atMs: this.atMs, input, events });
  }

  join(worker: WorkerId, name: string): void {
    const about = {
      worker,
      session: `s-${name}` as SessionId,
      token: 't-story',
      incarnation: 'one',
      name,
      pool: 'default',
      slots: 2,
      agentVersion: '0.1.0',
      profile: storyProfile,
      profileDigest: 'digest-1',
      declared: { rack: 7 },
      isDraining: false,
    };
    this.entry({ kind: 'workerConnected', ...about, held: [], nextReportSeq: 0 }, [
      { kind: 'workerJoined', ...about, ackedSeq: -1, isReturning: false, abandon: [] },
    ]);
  }

  submit(run: RunId, targets: readonly string[]): void {
    const spec = storySpec(`run ${run}`);
    const tasks = targets.map((target, index) => ({
      suite: index % 2,
      target,
      ...(index % 3 === 0 ? { expectedMs: 10 } : {}),
    }));
    const about = { run, submitter: 'someone', idempotencyKey: `key-${run}`, contentDigest: 'd', spec };
    this.entry({ kind: 'submitRun', ...about, tasks, sealed: true }, [
      { kind: 'runSubmitted', ...about },
      { kind: 'tasksQueued', run, chunk: 0, first: 0, tasks, sealed: true },
    ]);
  }

  assign(run: RunId, worker: WorkerId, tasks: readonly { index: number; attempt: number }[]): void {
    this.#assignment += 1;
    this.entry({ kind: 'timePassed' }, [
      {
        kind: 'tasksAssigned',
        run,
        suite: 0,
        assignment: `a-${this.#assignment}` as AssignmentId,
        worker,
        session: 's-story' as SessionId,
        tasks: tasks.map((task) => ({ ...task, expectedMs: 12.5 })),
        // Every number differs, so that none can be taken for another.
        placement: { rule: 'longestFirst', fittingWorkers: 5, freeWorkers: 4, expectedMs: 12.5 * tasks.length },
      },
    ]);
  }

  /** A run that was executed elsewhere, a list of cases a file. */
  import(run: RunId, project: string, files: Case[][]): void {
    const tasks = files.map((cases, at) => ({ suite: 0, target: `file-${at}`, cases }));
    const verdicts = files.map((cases) => (cases.some(({ status }) => status === 'failed') ? 'failed' : 'passed'));
    const verdict = verdicts.includes('failed') ? 'failed' : 'passed';
    const suites = [{ name: 'imported', format: 'junit' }];
    const content = { project, suites, tasks, startedAtMs: 1_600_000_000_000 };
    this.entry({ kind: 'importRun', run, submitter: 'someone', name: 'imported', labels: {}, content }, [
      { kind: 'runImported', run, project, submitter: 'someone', tasks: tasks.length, verdicts, verdict },
    ]);
  }

  erase(project: string): void {
    this.entry({ kind: 'eraseProject', project, actor: 'someone' }, [
      { kind: 'projectErased', project, actor: 'someone' },
    ]);
  }

  /** A duplicate of a task that runs already. */
  hedge(run: RunId, worker: WorkerId, task: { index: number; attempt: number }): void {
    this.assign(run, worker, [task]);
    const event = this.entries.at(-1)?.events[0];
    if (event?.kind === 'tasksAssigned') event.isHedge = true;
  }

  dropHedge(task: TaskId, attempt: number, worker: WorkerId): void {
    this.entry({ kind: 'timePassed' }, [{ kind: 'hedgeDropped', task, attempt, worker, reason: 'cameSecond' }]);
  }

  /** Starts, runs and finishes an attempt in one frame of reports. */
  finish(
    task: TaskId,
    attempt: number,
    worker: WorkerId,
    cases: Case[],
    verdict: Exclude<Verdict, 'lost'>,
    next: 'settle' | 'requeue',
  ): void {
    const ref = { task, attempt };
    const counts = countsOf(cases);
    const [started, reported, finished] = [this.#seq(), this.#seq(), this.#seq()];
    const failure =
      verdict === 'passed'
        ? {}
        : {
            failure: {
              class: 'test' as const,
              code: 'TESTS_FAILED',
              message: 'some failed',
              evidence: { log: 'tail' },
            },
          };
    const outcome = {
      verdict,
      ...failure,
      counts,
      casesReported: cases.length,
      startedAtMs: this.atMs,
      endedAtMs: this.atMs + 3,
      costMs: 3.25,
      exit: { code: verdict === 'passed' ? 0 : 1, signal: null },
      blobs: [{ name: 'log', digest: 'a'.repeat(64) as Digest, bytes: 10, truncatedBytes: 0 }],
    };
    const reports: Report[] = [{ kind: 'started', seq: started, ...ref, atMs: this.atMs }];
    const events: Event[] = [{ kind: 'attemptStarted', ...ref, worker, atMs: this.atMs }];
    if (cases.length > 0) {
      reports.push({ kind: 'cases', seq: reported, ...ref, from: 0, cases });
      events.push({ kind: 'casesRecorded', ...ref, worker, reportSeq: reported, from: 0, count: cases.length, counts });
    }
    reports.push({ kind: 'finished', seq: finished, ...ref, outcome });
    const settled = { kind: 'attemptSettled' as const, ...ref, worker, verdict, ...failure, counts, costMs: 3.25 };
    if (next === 'settle') {
      events.push({ ...settled, next: { kind: 'settle' } }, { kind: 'taskSettled', task, verdict });
    } else {
      events.push({ ...settled, next: { kind: 'requeue', spends: 'userRetry', avoidWorker: null } });
    }
    this.reported(worker, reports, events);
  }

  /** A frame of reports as given, with the events as given. */
  reported(worker: WorkerId, reports: Report[], events: Event[]): void {
    const session = 's-story' as SessionId;
    const seq = reports.at(-1)?.seq ?? 0;
    this.entry({ kind: 'workerReported', worker, session, reports }, [
      ...events,
      { kind: 'reportsAccepted', worker, session, seq },
    ]);
  }

  start(task: TaskId, attempt: number, worker: WorkerId): void {
    const atMs = this.atMs - 5;
    this.reported(
      worker,
      [{ kind: 'started', seq: this.#seq(), task, attempt, atMs }],
      [{ kind: 'attemptStarted', task, attempt, worker, atMs }],
    );
  }

  /** Cases of an attempt under way; those of `report` that the engine had already are not recorded again. */
  cases(task: TaskId, attempt: number, worker: WorkerId, cases: Case[], from: number, known = 0): void {
    const seq = this.#seq();
    const fresh = cases.slice(known);
    this.reported(
      worker,
      [{ kind: 'cases', seq, task, attempt, from, cases }],
      [
        {
          kind: 'casesRecorded',
          task,
          attempt,
          worker,
          reportSeq: seq,
          from: from + known,
          count: fresh.length,
          counts: countsOf(fresh),
        },
      ],
    );
  }

  /** Reports of an attempt that is no longer this worker's: evidence, and no rows. */
  refused(task: TaskId, attempt: number, worker: WorkerId, cases: Case[]): void {
    const seq = this.#seq();
    this.reported(
      worker,
      [{ kind: 'cases', seq, task, attempt, from: 0, cases }],
      [{ kind: 'reportsRefused', worker, refused: [{ seq, task, attempt, reason: 'fenced' }] }],
    );
  }

  lose(task: TaskId, attempt: number, worker: WorkerId, counts: CaseCounts): void {
    this.entry({ kind: 'workerWentSilent', worker, session: 's-story' as SessionId }, [
      { kind: 'workerLost', worker, reason: 'silent', attempts: 1, forgetAtMs: this.atMs + 1_000 },
      {
        kind: 'attemptSettled',
        task,
        attempt,
        worker,
        verdict: 'lost',
        failure: { class: 'infrastructure', code: 'WORKER_LOST', message: 'silent' },
        counts,
        next: { kind: 'requeue', spends: 'infrastructureRetry', avoidWorker: worker },
      },
    ]);
  }

  giveBack(task: TaskId, attempt: number, worker: WorkerId): void {
    this.entry({ kind: 'timePassed' }, [
      { kind: 'tasksReturned', worker, attempts: [{ task, attempt }], reason: 'takenBack' },
    ]);
  }

  /** Cancels a task that waits in the queue. */
  cancelQueued(task: TaskId): void {
    const run = runIdOf(task);
    this.entry({ kind: 'cancelRun', run, tasks: [task], actor: 'someone', reason: 'not needed' }, [
      { kind: 'runCancelRequested', run, actor: 'someone', reason: 'not needed', cause: 'request', tasks: [task] },
      { kind: 'taskSettled', task, verdict: 'canceled' },
    ]);
  }

  settleRun(run: RunId, verdict: Verdict): void {
    this.entry({ kind: 'timePassed' }, [{ kind: 'runSettled', run, verdict }]);
  }

  #seq(): number {
    this.#reportSeq += 1;
    return this.#reportSeq;
  }
}

export function passed(title: string): Case {
  return { path: ['group', title], status: 'passed', durationMs: 0.125 };
}

export function failed(title: string): Case {
  return {
    path: [title],
    status: 'failed',
    durationMs: 7,
    failure: { message: 'expected 1, got 2', stack: 'at x:1' },
    line: 12,
    runnerRetries: 2,
  };
}

/** Two runs that between them meet every kind of event with rows, the second one cut off while it runs. */
export function fullStory(): JournalEntry[] {
  const story = new JournalStory();
  const [run, later] = ['r-first' as RunId, 'r-later' as RunId];
  const [worker, other] = ['w-one' as WorkerId, 'w-other' as WorkerId];
  const task = (index: number): TaskId => taskIdOf(run, index);
  story.join(worker, 'one');
  story.join(other, 'other');
  story.submit(run, ['a.test.ts', 'b.test.ts', 'c.test.ts', 'd.test.ts', 'e.test.ts']);
  story.assign(
    run,
    worker,
    [0, 1, 2, 3].map((index) => ({ index, attempt: 1 })),
  );
  story.finish(task(0), 1, worker, [passed('one'), passed('two')], 'passed', 'settle');
  story.finish(task(1), 1, worker, [passed('one'), failed('two')], 'failed', 'requeue');
  story.start(task(2), 1, worker);
  story.cases(task(2), 1, worker, [passed('one'), passed('two')], 0);
  story.cases(task(2), 1, worker, [passed('two'), { ...passed('three'), status: 'skipped' }], 1, 1);
  story.giveBack(task(3), 1, worker);
  story.lose(task(2), 1, worker, { passed: 2, failed: 0, skipped: 1, todo: 0 });
  story.assign(run, other, [
    { index: 2, attempt: 2 },
    { index: 1, attempt: 2 },
    { index: 3, attempt: 2 },
  ]);
  story.refused(task(2), 1, worker, [passed('late')]);
  story.finish(
    task(2),
    2,
    other,
    [passed('one'), passed('two'), { ...passed('three'), status: 'todo' }],
    'passed',
    'settle',
  );
  story.finish(task(1), 2, other, [passed('one'), passed('two')], 'passed', 'settle');
  story.finish(task(3), 2, other, [], 'inconclusive', 'settle');
  story.cancelQueued(task(4));
  story.settleRun(run, 'inconclusive');
  story.submit(later, ['x.test.ts', 'y.test.ts', 'z.test.ts']);
  story.assign(later, other, [
    { index: 0, attempt: 1 },
    { index: 1, attempt: 1 },
  ]);
  story.start(taskIdOf(later, 0), 1, other);
  story.cases(taskIdOf(later, 0), 1, other, [failed('first')], 0);
  return story.entries;
}

function countsOf(cases: readonly Case[]): CaseCounts {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  for (const one of cases) counts[one.status] += 1;
  return counts;
}
