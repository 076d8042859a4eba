// The live feed: what those who watch are told, as a projection of journalled events. `seq` is the journal's sequence
// number and the resume point (`Last-Event-ID`); several items may share one. `output` alone has no place in the
// journal: it is sent to whoever listens at that moment.
import { z } from 'zod';
import { CheckOutcome, CheckResult, Rung } from './checks.ts';
import { CircuitScope, CircuitStateName } from './circuits.ts';
import { AssignmentId, RunId, TaskId, WorkerId } from './ids.ts';
import { AttemptFailure, Case, CaseCounts, Diagnosis, Verdict } from './results.ts';

const at = { atMs: z.number() };
const attempt = { run: RunId, task: TaskId, attempt: z.number().int() };

/** How many tasks of a run are where. `settled` is the sum over `verdicts`. */
export const TaskCounts = z.object({
  total: z.number().int(),
  queued: z.number().int(),
  assigned: z.number().int(),
  running: z.number().int(),
  settled: z.number().int(),
  verdicts: z.partialRecord(Verdict, z.number().int()),
});
export type TaskCounts = z.infer<typeof TaskCounts>;

export const FeedItem = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('runSubmitted'), ...at, run: RunId, name: z.string(), project: z.string() }),
  z.object({ kind: z.literal('tasksQueued'), ...at, run: RunId, count: z.number().int(), sealed: z.boolean() }),
  z.object({
    kind: z.literal('runUnplaceable'),
    ...at,
    run: RunId,
    requires: z.string(),
    tasks: z.number().int(),
    reasons: z.array(z.string()),
  }),
  /** Tasks waited as long as the next alternative asks: any of the choices in `requires` will do from now on. */
  z.object({
    kind: z.literal('alternativeOpened'),
    ...at,
    run: RunId,
    requires: z.string(),
    waitedMs: z.number(),
    tasks: z.number().int(),
  }),
  /** One of a gang has to be repeated: all of it starts again. */
  z.object({ kind: z.literal('gangRestarted'), ...at, run: RunId, reason: z.string() }),
  z.object({
    kind: z.literal('tasksAssigned'),
    ...at,
    run: RunId,
    worker: WorkerId,
    assignment: AssignmentId,
    tasks: z.array(TaskId),
  }),
  z.object({ kind: z.literal('attemptStarted'), ...at, ...attempt, worker: WorkerId, target: z.string() }),
  z.object({
    kind: z.literal('casesRecorded'),
    ...at,
    ...attempt,
    worker: WorkerId,
    /** The ordinal of the first of them within the attempt; absent from coordinators that did not say it yet. */
    from: z.number().int().optional(),
    cases: z.array(Case),
  }),
  z.object({
    kind: z.literal('attemptSettled'),
    ...at,
    ...attempt,
    worker: WorkerId.nullable(),
    target: z.string(),
    verdict: Verdict,
    failure: AttemptFailure.optional(),
    counts: CaseCounts.optional(),
    costMs: z.number().optional(),
    willRetry: z.boolean(),
  }),
  z.object({
    kind: z.literal('taskSettled'),
    ...at,
    run: RunId,
    task: TaskId,
    target: z.string(),
    verdict: Verdict,
    /** Whose fault its trouble was; absent where there was none. */
    diagnosis: Diagnosis.optional(),
    /** The configuration that the verdict is of, where that is not the one asked for. */
    variant: z.string().optional(),
  }),
  /** Alike failures of unrelated tests, at once, are one trouble: it spends nobody's retries. */
  z.object({
    kind: z.literal('outageOpened'),
    ...at,
    name: z.string(),
    tasks: z.number().int(),
    workers: z.number().int(),
  }),
  z.object({
    kind: z.literal('outageClosed'),
    ...at,
    name: z.string(),
    reason: z.enum(['over', 'expired', 'nobodyWaits']),
    excused: z.number().int(),
  }),
  z.object({ kind: z.literal('runSettled'), ...at, run: RunId, verdict: Verdict, counts: TaskCounts }),
  z.object({ kind: z.literal('runCancelRequested'), ...at, run: RunId, actor: z.string(), reason: z.string() }),
  z.object({
    kind: z.literal('workerJoined'),
    ...at,
    worker: WorkerId,
    name: z.string(),
    slots: z.number().int(),
    /** Where its profile is not the one with which it was here last: the differences in words. */
    profileChanges: z.array(z.string()).optional(),
  }),
  /** The machine became another one: a new driver, browser or limit. */
  z.object({ kind: z.literal('profileChanged'), ...at, worker: WorkerId, changes: z.array(z.string()) }),
  z.object({ kind: z.literal('workerDisconnected'), ...at, worker: WorkerId }),
  z.object({ kind: z.literal('workerLost'), ...at, worker: WorkerId, attempts: z.number().int() }),
  z.object({ kind: z.literal('workerDraining'), ...at, worker: WorkerId, reason: z.string() }),
  z.object({ kind: z.literal('workerLeft'), ...at, worker: WorkerId }),
  z.object({ kind: z.literal('workerChecked'), ...at, worker: WorkerId, ...CheckResult.shape }),
  /** `device` is null for the worker as a whole. */
  z.object({
    kind: z.literal('gateFlipped'),
    ...at,
    worker: WorkerId,
    gate: z.string(),
    device: z.string().nullable(),
    isShut: z.boolean(),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('conditionChanged'),
    ...at,
    worker: WorkerId,
    device: z.string().nullable(),
    condition: z.string(),
    previous: z.string(),
    actor: z.string(),
    reason: z.string(),
  }),
  z.object({ kind: z.literal('certificationRequested'), ...at, worker: WorkerId, device: z.string().nullable() }),
  z.object({
    kind: z.literal('workerCertified'),
    ...at,
    worker: WorkerId,
    device: z.string().nullable(),
    outcome: CheckOutcome,
    message: z.string(),
  }),
  z.object({
    kind: z.literal('recoveryRequested'),
    ...at,
    worker: WorkerId,
    device: z.string().nullable(),
    rung: Rung,
  }),
  z.object({
    kind: z.literal('recoveryReported'),
    ...at,
    worker: WorkerId,
    device: z.string().nullable(),
    rung: Rung,
    outcome: z.string(),
    durationMs: z.number(),
  }),
  z.object({
    kind: z.literal('operatorNeeded'),
    ...at,
    worker: WorkerId,
    device: z.string().nullable(),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('circuitMoved'),
    ...at,
    circuit: z.string(),
    scope: CircuitScope,
    from: CircuitStateName,
    to: CircuitStateName,
    cause: z.string(),
    untilMs: z.number().nullable(),
    actor: z.string().optional(),
    reason: z.string().optional(),
    evidence: z.array(z.number().int()),
  }),
  z.object({ kind: z.literal('output'), ...at, ...attempt, stream: z.enum(['stdout', 'stderr']), text: z.string() }),
]);
export type FeedItem = z.infer<typeof FeedItem>;

/** One item with its place in the journal. As a server-sent event its data is the item, and its id `seq` or `seq.index`. */
export const FeedEvent = z.object({ seq: z.number().int(), item: FeedItem });
export type FeedEvent = z.infer<typeof FeedEvent>;

/** What a listener missed is no longer kept: it reads the current state and goes on from `fromSeq`. */
export const FeedGap = z.object({ fromSeq: z.number().int() });
export type FeedGap = z.infer<typeof FeedGap>;
