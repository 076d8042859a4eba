// The messages between an agent and its coordinator, in JSON frames over one WebSocket. A frame is an array of messages.
//
// Agent to coordinator: `hello` first, then `heartbeat`, `report` and `output`. Reports are durable: each has a sequence
// number that counts up over the whole life of the worker id, is spooled by the agent until the coordinator has
// acknowledged it, and is accepted once. The coordinator acknowledges only what is in its journal. `output` is for
// those who watch and may be lost.
// Coordinator to agent: `welcome` or `refused` first, then `assign`, `takeBack`, `cancel`, `ack`, `heartbeat`, `drain`,
// `certify`, `recover`.
// Every attempt is named by its task and its number: the number is the fence, and a report for any other is dropped.
import { z } from 'zod';
import { CheckResult, CheckSpec, CheckOutcome, DeviceName, RequestNumber, Rung, RungResult } from './checks.ts';
import { AssignmentId, RunId, SessionId, TaskId, WorkerId } from './ids.ts';
import { limit } from './limits.ts';
import { Profile } from './profile.ts';
import { Readings } from './readings.ts';
import { AttemptOutcome, Case } from './results.ts';
import { Source, Suite } from './submission.ts';

/** One execution of a task under a lease; `attempt` counts from 1 and is the fence. */
export const AttemptRef = z.strictObject({ task: TaskId, attempt: z.number().int().min(1).max(10_000) });
export type AttemptRef = z.infer<typeof AttemptRef>;

const seq = z.number().int().min(0);
const attempts = z.array(AttemptRef).max(100_000);

/** Durable facts about attempts, in the order in which they happened on the worker. */
export const Report = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('started'), seq, ...AttemptRef.shape, atMs: z.number().min(0) }),
  /** `from` is the ordinal of the first case in its attempt, so that a repeated report is seen as one. */
  z.strictObject({
    kind: z.literal('cases'),
    seq,
    ...AttemptRef.shape,
    from: z.number().int().min(0),
    cases: z.array(Case).min(1).max(limit('casesPerReport')),
  }),
  z.strictObject({ kind: z.literal('finished'), seq, ...AttemptRef.shape, outcome: AttemptOutcome }),
  /** Attempts that were never started here and go back to the queue without spending anything. */
  z.strictObject({
    kind: z.literal('returned'),
    seq,
    attempts: z.array(AttemptRef).min(1).max(limit('batchTasksMax')),
    reason: z.enum(['takenBack', 'draining', 'misfit', 'runnerDied', 'restarted']),
    message: z.string().max(limit('messageChars')).optional(),
  }),
  /** The machine changed: another driver, browser or limit. Work in hand goes on. */
  z.strictObject({ kind: z.literal('profileChanged'), seq, profile: Profile, profileDigest: z.string().max(64) }),
  /** The agent takes no new work and leaves when it is done. */
  z.strictObject({ kind: z.literal('draining'), seq, reason: z.string().max(500) }),
  /** What a check of the machine or of one of its devices found; `request` where it was asked for by `certify`. */
  z.strictObject({ kind: z.literal('checked'), seq, ...CheckResult.shape, request: RequestNumber.optional() }),
  /** A `certify` is answered: every check of the device ran. `notRun` where the worker has no check for it, or none could run. */
  z.strictObject({
    kind: z.literal('certified'),
    seq,
    request: RequestNumber,
    device: DeviceName.optional(),
    outcome: CheckOutcome,
    message: z.string().max(limit('messageChars')),
  }),
  /** A `recover` is answered. */
  z.strictObject({ kind: z.literal('recovered'), seq, request: RequestNumber, ...RungResult.shape }),
]);
export type Report = z.infer<typeof Report>;

/** The first message of a link. `held` are the attempts that the agent has (running or waiting) and has not finished. */
export const Hello = z.strictObject({
  kind: z.literal('hello'),
  protocolVersion: z.number().int(),
  agentVersion: z.string().max(50),
  worker: WorkerId,
  /** New for every start of the agent's process. */
  incarnation: z.string().min(1).max(80),
  name: z.string().min(1).max(limit('nameChars')),
  pool: z.string().min(1).max(80),
  slots: z.number().int().min(1).max(limit('slotsMax')),
  profile: Profile,
  profileDigest: z.string().max(64),
  /** Labels that the operator declared, as opposed to what was measured. */
  declared: z.record(z.string().max(100), z.union([z.string().max(1_000), z.number(), z.boolean()])),
  held: attempts,
  /** The lowest report sequence that the agent still holds unacknowledged, or the next one it will use. */
  nextReportSeq: seq,
  isDraining: z.boolean(),
});
export type Hello = z.infer<typeof Hello>;

export const Heartbeat = z.strictObject({
  kind: z.literal('heartbeat'),
  atMs: z.number().min(0),
  /** Running attempts by the agent's own count. */
  running: z.number().int().min(0).optional(),
  residentMiB: z.number().min(0).optional(),
  /** Of an agent: the last report sent on the link, or acknowledged; so that the loss of the very last one is noticed too. */
  after: z.number().int().min(-1).optional(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** Live output for those who watch; the whole output comes as a blob with the outcome. */
export const Output = z.strictObject({
  kind: z.literal('output'),
  ...AttemptRef.shape,
  stream: z.enum(['stdout', 'stderr']),
  text: z.string().max(65_536),
});
export type Output = z.infer<typeof Output>;

export const AgentMessage = z.discriminatedUnion('kind', [
  Hello,
  Heartbeat,
  /**
   * `after` is the report sent before this one on the link, or the last one acknowledged: numbers may leave gaps, so only
   * this tells a coordinator that does not have that one that a frame was lost. It then closes the link, and all come again.
   */
  z.strictObject({ kind: z.literal('report'), report: Report, after: z.number().int().min(-1).optional() }),
  Output,
  /** Of what moves by itself; not journalled. */
  Readings,
  /** A clean leave: everything was delivered and nothing is held. */
  z.strictObject({ kind: z.literal('goodbye'), reason: z.string().max(500) }),
]);
export type AgentMessage = z.infer<typeof AgentMessage>;
export const AgentFrame = z.array(AgentMessage).min(1).max(limit('messagesPerFrame'));

/** One task of an assignment. */
export const AssignedTask = z.strictObject({
  ...AttemptRef.shape,
  target: z.string().max(limit('targetChars')),
  expectedMs: z.number().min(0),
});
export type AssignedTask = z.infer<typeof AssignedTask>;

/** A batch for one slot: the tasks share one runner process where the suite allows it. */
export const Assign = z.strictObject({
  kind: z.literal('assign'),
  assignment: AssignmentId,
  run: RunId,
  source: Source,
  suite: Suite,
  /** The worker's devices that it may use, `gpu:0`, where it claims any. */
  devices: z
    .array(z.strictObject({ device: z.string().min(1).max(100), share: z.number().gt(0).max(1.000001) }))
    .max(8)
    .optional(),
  tasks: z.array(AssignedTask).min(1).max(limit('batchTasksMax')),
});
export type Assign = z.infer<typeof Assign>;

export const CoordinatorMessage = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('welcome'),
    protocolVersion: z.number().int(),
    session: SessionId,
    /** Reports up to and including this one are in the journal. */
    ackedSeq: z.number().int().min(-1),
    heartbeatMs: z.number().int().min(10),
    /** Silence of the coordinator after which the agent reconnects. */
    silentAfterMs: z.number().int().min(20),
    /** How many reports may be unacknowledged on the link. */
    reportWindow: z.number().int().min(1),
    /** Held attempts that are no longer this worker's: stop them and report nothing of them. */
    abandon: attempts,
    /** Checks that the fleet's settings give every worker; the worker's own ones of the same name go before them. */
    checks: z.array(CheckSpec).max(limit('checksPerWorker')).optional(),
  }),
  z.strictObject({
    kind: z.literal('refused'),
    code: z.string().max(80),
    message: z.string().max(2_000),
    isFinal: z.boolean(),
  }),
  Assign,
  z.strictObject({
    kind: z.literal('takeBack'),
    assignment: AssignmentId,
    attempts: z.array(AttemptRef).min(1).max(limit('batchTasksMax')),
  }),
  z.strictObject({
    kind: z.literal('cancel'),
    attempts: z.array(AttemptRef).min(1).max(limit('batchTasksMax')),
    reason: z.string().max(500),
  }),
  z.strictObject({ kind: z.literal('ack'), seq }),
  Heartbeat,
  z.strictObject({ kind: z.literal('drain'), reason: z.string().max(500) }),
  /** Run every check of the device (absent: of the whole worker) now and answer with `checked` for each and one `certified`. */
  z.strictObject({ kind: z.literal('certify'), request: RequestNumber, device: DeviceName.optional() }),
  /** Take one step of recovery and answer with `recovered`. `attempts` are those that the trouble concerns. */
  z.strictObject({
    kind: z.literal('recover'),
    request: RequestNumber,
    device: DeviceName.optional(),
    rung: Rung,
    attempts: z.array(AttemptRef).max(limit('batchTasksMax')),
    reason: z.string().max(500),
    /** Only of those that run past their time-out by the worker's own clock: the coordinator's may have jumped. Not applicable where none does. */
    onlyPastTimeout: z.boolean().optional(),
  }),
]);
export type CoordinatorMessage = z.infer<typeof CoordinatorMessage>;
export const CoordinatorFrame = z.array(CoordinatorMessage).min(1).max(limit('messagesPerFrame'));
