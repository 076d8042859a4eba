// For tests: executes targets of a fixture project through the real door and records everything that the sink was told,
// checking what must always hold: every attempt ends exactly once, started comes first, cases come without gaps, and
// the outcome's counts are those of the cases.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AttemptOutcome, Case } from '@assay/protocol';
import type { AssignedTask, AttemptRef, RunnerName, Suite } from '@assay/protocol';
import type { MachineBrowsers } from '../browsers/choose.ts';
import { endSessions, executeBatch } from './execute-batch.ts';
import type { Batch, BatchSink } from './execute-batch.ts';
import type { WarmHosts } from './warm-hosts.ts';

export type Recorded = {
  readonly target: string;
  readonly cases: Case[];
  output: string;
  outcome: AttemptOutcome | null;
  returned: string | null;
  /** The kept logs, by name. */
  readonly logs: Record<string, string>;
  readonly truncatedBytes: Record<string, number>;
  startedCount: number;
  endCount: number;
};

export type RecordedBatch = {
  readonly byTarget: Record<string, Recorded>;
  readonly leftInScratch: string[];
  readonly peakOutputChars: number;
};

export type BatchOptions = {
  readonly suite?: Partial<Suite>;
  readonly env?: Record<string, string | undefined>;
  /** Called with the batch once it runs, and at every start of an attempt. */
  readonly steer?: (batch: Batch, started: Recorded | null) => void;
  readonly projectDir?: string;
  readonly machine?: MachineBrowsers;
  /** Where its host may wait for the next batch. */
  readonly warm?: WarmHosts;
  /** The run that the tasks belong to. */
  readonly run?: string;
  /** Kept by whoever gives it, and for several batches; else each has its own. */
  readonly scratchDir?: string;
};

export const fixturesDir = path.resolve(import.meta.dirname, '../../fixtures/runners');

export function suiteOf(runner: RunnerName, overrides: Partial<Suite> = {}): Suite {
  return {
    name: 'suite',
    runner,
    directory: '',
    arguments: [],
    env: {},
    secrets: [],
    timeoutMs: 60_000,
    noOutputTimeoutMs: 0,
    requires: '',
    retries: 0,
    batching: 'shared',
    ...overrides,
  };
}

export async function recordBatch(
  runner: RunnerName,
  targets: readonly string[],
  options: BatchOptions = {},
): Promise<RecordedBatch> {
  const scratchDir = options.scratchDir ?? (await mkdtemp(path.join(tmpdir(), 'assay-x-')));
  try {
    const records = targets.map(recordOf);
    const tasks = targets.map(
      (target, index) =>
        ({ task: `${options.run ?? 'r-test'}.${index}`, attempt: 1, target, expectedMs: 0 }) as AssignedTask,
    );
    const reading: Promise<void>[] = [];
    let batch: Batch | null = null;
    const sink = recordingSink(records, reading, (record) => batch && options.steer?.(batch, record));
    batch = executeBatch(
      {
        projectDir: options.projectDir ?? path.join(fixturesDir, runner.replace(':', '-')),
        suite: suiteOf(runner, options.suite),
        tasks,
        scratchDir,
        nowMs: () => Date.now(),
        killGraceMs: 300,
        ...(options.env ? { env: options.env } : {}),
        ...(options.machine ? { machine: options.machine } : {}),
        ...(options.warm ? { warm: options.warm } : {}),
      },
      sink.sink,
    );
    options.steer?.(batch, null);
    await batch.done;
    await Promise.all(reading);
    await endSessions();
    for (const record of records) check(record);
    const left = (await readdir(scratchDir)).filter((name) => name !== 'kept' && name !== 'browsers');
    return {
      byTarget: Object.fromEntries(records.map((record) => [record.target, record])),
      leftInScratch: left,
      peakOutputChars: sink.seen.peakOutputChars,
    };
  } finally {
    if (options.scratchDir === undefined) await rm(scratchDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function recordingSink(
  records: readonly Recorded[],
  reading: Promise<void>[],
  onStart: (record: Recorded) => void,
): { sink: BatchSink; seen: { peakOutputChars: number } } {
  const seen = { peakOutputChars: 0 };
  const find = (ref: AttemptRef): Recorded => records[Number(ref.task.split('.').at(-1))] as Recorded;
  const sink: BatchSink = {
    started(ref) {
      find(ref).startedCount += 1;
      onStart(find(ref));
    },
    cases(ref, from, cases) {
      const record = find(ref);
      if (from !== record.cases.length) throw new Error(`cases from ${from}, ${record.cases.length} were known`);
      record.cases.push(...cases.map((found) => Case.parse(found)));
    },
    output(ref, _stream, text) {
      find(ref).output += text;
      seen.peakOutputChars = Math.max(seen.peakOutputChars, text.length);
    },
    finished(ref, outcome, files) {
      const record = find(ref);
      record.outcome = AttemptOutcome.parse(outcome);
      record.endCount += 1;
      for (const file of files) {
        record.truncatedBytes[file.name] = file.truncatedBytes;
        reading.push(readFile(file.path, 'utf8').then((text) => void (record.logs[file.name] = text)));
      }
    },
    returned(refs, reason) {
      for (const ref of refs) {
        find(ref).returned = reason;
        find(ref).endCount += 1;
      }
    },
  };
  return { sink, seen };
}

function recordOf(target: string): Recorded {
  return {
    target,
    cases: [],
    output: '',
    outcome: null,
    returned: null,
    logs: {},
    truncatedBytes: {},
    startedCount: 0,
    endCount: 0,
  };
}

function check(record: Recorded): void {
  const { target, outcome } = record;
  if (record.endCount !== 1) throw new Error(`${target} ended ${record.endCount} times`);
  if (!outcome) {
    if (record.startedCount > 0) throw new Error(`${target} was returned after it had started`);
    return;
  }
  if (record.startedCount !== 1) throw new Error(`${target} started ${record.startedCount} times`);
  if (outcome.casesReported !== record.cases.length)
    throw new Error(`${target} reported ${record.cases.length} cases and said ${outcome.casesReported}`);
  for (const status of ['passed', 'failed', 'skipped', 'todo'] as const) {
    const counted = record.cases.filter((found) => found.status === status).length;
    if (counted !== outcome.counts[status])
      throw new Error(`${target}: ${counted} cases ${status}, ${outcome.counts[status]} in the outcome`);
  }
}

/** `passed outer > inner` of every case, in the order of their reports. */
export function titlesOf(record: Recorded | undefined): string[] {
  return (record?.cases ?? []).map((found) => `${found.status} ${found.path.join(' > ')}`);
}

/** The verdict, and the class and code behind it. */
export function endOf(record: Recorded | undefined): string {
  if (!record) return 'nothing';
  if (!record.outcome) return `returned ${record.returned ?? ''}`;
  const { verdict, failure } = record.outcome;
  return failure ? `${verdict} ${failure.class} ${failure.code}` : verdict;
}

/** Running processes with this word in their command line (Linux). */
export async function processesNamed(word: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.split('\0').includes(word));
}
