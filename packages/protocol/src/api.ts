// The shapes of the HTTP API under /api/v1. The committed OpenAPI document is generated from these schemas.
//
//   POST   /runs                     RunSubmission -> RunAccepted            submit
//   POST   /imports                  ImportRequest -> RunAccepted            submit
//   POST   /results/backups          BackupRequest -> BackupView             admin
//   POST   /results/restore          BackupRequest -> BackupView             admin
//   POST   /projects/erase           EraseRequest -> Erased                  admin
//   POST   /runs/:run/tasks          TasksAddition -> RunAccepted            submit
//   GET    /runs?limit=&before=      -> RunList                              read
//   GET    /runs/:run                -> RunView                              read
//   POST   /runs/:run/cancel         CancelRequest -> RunView                submit
//   GET    /runs/:run/tasks?state=&verdict=&limit=&after=   -> TaskList      read
//   GET    /runs/:run/cases?status=&limit=&after=           -> CaseList      read
//   GET    /tasks/:task              -> TaskView                             read
//   GET    /tasks/:task/explain      -> Explanation                          read
//   GET    /workers                  -> WorkerList                           read
//   GET    /workers/:worker          -> WorkerView                           read
//   POST   /workers/:worker/drain    DrainRequest -> WorkerView              operate
//   POST   /workers/:worker/condition  ConditionRequest -> WorkerView        operate
//   POST   /workers/:worker/certify  CertifyRequest -> WorkerView            operate
//   GET    /recovery                 -> RecoveryHistory                      read
//   GET    /calibration              -> CalibrationReport                    read
//   GET    /runs/:run/recording      -> RunRecording                         read
//   GET    /analysis/flakes, /failures, /changes -> FlakeReport, FailureReport, ChangeReport   read
//   POST   /analysis/culprit         CulpritRequest -> CulpritReport             read
//   GET|POST /quarantines           QuarantineRequest -> QuarantineList      read (POST: operate)
//   POST   /quarantines/:quarantine/release  ReleaseRequest -> QuarantineList   operate
//   GET    /feed?run=&after=         -> text/event-stream of FeedEvent       read
//   HEAD|GET|PUT /blobs/:digest                                              read (PUT: submit or worker)
//   GET|POST /tokens, DELETE /tokens/:token                                  admin
//   GET    /health                   -> Health                               none
//   GET    /api/v1/worker            WebSocket, see worker-wire.ts           worker:POOL
import { z } from 'zod';
import { CheckResult, DeviceName, Rung } from './checks.ts';
import { CircuitStateName } from './circuits.ts';
import { TaskCounts } from './feed.ts';
import { RunId, TaskId, TokenId, WorkerId } from './ids.ts';
import { Profile } from './profile.ts';
import { QuarantineNote } from './quarantine.ts';
import { AttemptFailure, BlobRef, Case, CaseCounts, Diagnosis, Verdict } from './results.ts';

/** Scopes of a token; `worker:POOL` lets an agent serve one pool, `trust:TIER` is what requirements see as `enforced.trust` of it. */
export const Scope = z.union([
  z.enum(['read', 'submit', 'operate', 'admin']),
  z.string().regex(/^worker:[A-Za-z0-9._-]{1,80}$/),
  z.string().regex(/^trust:[A-Za-z0-9._-]{1,80}$/),
]);
export type Scope = z.infer<typeof Scope>;

export const RunAccepted = z.object({ run: RunId, tasks: z.number().int(), isRepeat: z.boolean() });
export type RunAccepted = z.infer<typeof RunAccepted>;

/** queued: nothing started yet; running; settled: every task has its verdict. */
export const RunState = z.enum(['queued', 'running', 'settled']);

/** Work that no connected worker can do, by requirement, with the number of workers each reason excludes. */
export const Unplaceable = z.object({
  requires: z.string(),
  tasks: z.number().int(),
  reasons: z.array(z.object({ reason: z.string(), workers: z.number().int() })),
});
export type Unplaceable = z.infer<typeof Unplaceable>;

export const RunView = z.object({
  run: RunId,
  name: z.string(),
  project: z.string(),
  submitter: z.string(),
  priority: z.number(),
  state: RunState,
  verdict: Verdict.optional(),
  isSealed: z.boolean(),
  isCanceled: z.boolean(),
  submittedAtMs: z.number(),
  startedAtMs: z.number().optional(),
  settledAtMs: z.number().optional(),
  tasks: TaskCounts,
  cases: CaseCounts,
  /** Of a live run that aims at a wall time; with `earliestEndMs`, all workers that fit would not reach it. */
  goal: z.object({ targetMs: z.number(), earliestEndMs: z.number().optional() }).optional(),
  unplaceable: z.array(Unplaceable),
  labels: z.record(z.string(), z.string()),
});
export type RunView = z.infer<typeof RunView>;
export const RunList = z.object({ runs: z.array(RunView), next: z.string().nullable() });
export type RunList = z.infer<typeof RunList>;

export const TaskState = z.enum(['queued', 'assigned', 'running', 'settled']);

/** What was weighed when an attempt was given to its worker. `expectedMs` predicts this task; `batch` counts the tasks that came with it. */
export const PlacementView = z.object({
  worker: WorkerId,
  atMs: z.number(),
  rule: z.string(),
  fittingWorkers: z.number().int(),
  freeWorkers: z.number().int(),
  expectedMs: z.number(),
  batch: z.number().int(),
});
export type PlacementView = z.infer<typeof PlacementView>;

export const AttemptView = z.object({
  attempt: z.number().int(),
  worker: WorkerId.nullable(),
  workerName: z.string().nullable(),
  assignedAtMs: z.number().optional(),
  startedAtMs: z.number().optional(),
  settledAtMs: z.number().optional(),
  verdict: Verdict.optional(),
  failure: AttemptFailure.optional(),
  counts: CaseCounts.optional(),
  costMs: z.number().optional(),
  startupMs: z.number().optional(),
  /** Absent where no worker ever had it. */
  placement: PlacementView.optional(),
  /** The label of the configuration that ran instead of the suite's own. */
  variant: z.string().optional(),
  blobs: z.array(BlobRef),
});
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z.object({
  task: TaskId,
  run: RunId,
  suite: z.string(),
  target: z.string(),
  requires: z.string(),
  state: TaskState,
  verdict: Verdict.optional(),
  queuedAtMs: z.number().optional(),
  settledAtMs: z.number().optional(),
  expectedMs: z.number().optional(),
  /** Of a settled task: the label of the configuration that its verdict is of, where that is not the one asked for. */
  variant: z.string().optional(),
  /** Whose fault its trouble was; absent where there was none. */
  diagnosis: Diagnosis.optional(),
  /** What of it is in quarantine and did not count. */
  quarantined: z.array(QuarantineNote).optional(),
  attempts: z.array(AttemptView),
});
export type TaskView = z.infer<typeof TaskView>;
export const TaskList = z.object({ tasks: z.array(TaskView), next: z.string().nullable() });
export type TaskList = z.infer<typeof TaskList>;

/** A case with where it ran: the rows that reports are made of. */
export const CaseRow = z.object({
  task: TaskId,
  attempt: z.number().int(),
  ordinal: z.number().int(),
  suite: z.string(),
  target: z.string(),
  worker: WorkerId.nullable(),
  /** Whether this attempt settled its task; cases of earlier attempts are history. */
  isFinal: z.boolean(),
  case: Case,
});
export type CaseRow = z.infer<typeof CaseRow>;
export const CaseList = z.object({ cases: z.array(CaseRow), next: z.string().nullable() });
export type CaseList = z.infer<typeof CaseList>;

/** Why a task waits or was placed where it was. */
export const Explanation = z.object({
  task: TaskId,
  state: TaskState,
  summary: z.string(),
  /** For a waiting task: each reason with the workers that it excludes. */
  reasons: z.array(z.object({ reason: z.string(), workers: z.number().int() })),
  /** For a task that is placed or settled: the placement of its last attempt. */
  placement: PlacementView.optional(),
  /** For a settled one: whose fault its trouble was. */
  diagnosis: Diagnosis.optional(),
  aheadInQueue: z.number().int().optional(),
  /** Of a waiting task: when it is predicted to start; null where nothing that is known would ever let it. */
  expectedStartMs: z.number().nullable().optional(),
  /** Of a waiting task: single changes, each of which would let it start now, the smallest first; empty where one is not enough. */
  changes: z
    .array(
      z.object({
        kind: z.enum([
          'dependency',
          'key',
          'slot',
          'device',
          'quota',
          'gang',
          'circuit',
          'worker',
          'requirement',
          'time',
        ]),
        change: z.string(),
        worker: WorkerId.optional(),
      }),
    )
    .optional(),
});
export type Explanation = z.infer<typeof Explanation>;

/**
 * Whether a worker or one of its devices may be given work, apart from whether it is connected. `suspect`: something speaks
 * against it and is being looked into; `quarantined`: it failed, or was set aside, and is being repaired; `maintenance`: a
 * person works on it; `lost`: its worker is gone. `since` is when that began.
 */
export const conditionKinds = ['ready', 'suspect', 'quarantined', 'maintenance', 'lost'] as const;
export const ConditionKind = z.enum(conditionKinds);
export type ConditionKind = z.infer<typeof ConditionKind>;
export const ConditionView = z.object({
  kind: ConditionKind,
  sinceMs: z.number(),
  reason: z.string().optional(),
  actor: z.string().optional(),
  /** What is being done about it: `certifying`, `recovering` with the step, or `operatorNeeded`. */
  doing: z.string().optional(),
  /** Steps of recovery taken so far. */
  tried: z.array(z.object({ rung: Rung, outcome: z.string(), durationMs: z.number() })).optional(),
});
export type ConditionView = z.infer<typeof ConditionView>;
export const DeviceView = z.object({ device: z.string(), condition: ConditionView });
export type DeviceView = z.infer<typeof DeviceView>;
/** The last result of one check. */
export const CheckView = z.object({ ...CheckResult.shape, atMs: z.number() });
export type CheckView = z.infer<typeof CheckView>;

export const WorkerState = z.enum(['ready', 'busy', 'draining', 'disconnected', 'lost']);
export const WorkerView = z.object({
  worker: WorkerId,
  name: z.string(),
  pool: z.string(),
  state: WorkerState,
  sinceMs: z.number(),
  slots: z.number().int(),
  running: z.number().int(),
  /** The tier that its token gives it: enforced by the server, whatever the worker says. */
  trust: z.string().optional(),
  profileDigest: z.string(),
  profile: Profile.optional(),
  declared: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  agentVersion: z.string(),
  attempts: z.array(z.object({ task: TaskId, attempt: z.number().int() })),
  /** What was different when its profile last changed: a driver, a browser, a limit. */
  profileChange: z.object({ atMs: z.number(), changes: z.array(z.string()) }).optional(),
  /** Of the worker as a whole. */
  condition: ConditionView.optional(),
  /** Those of which something is known: in the profile, checked, or set aside. */
  devices: z.array(DeviceView).optional(),
  checks: z.array(CheckView).optional(),
  /** Circuits of its own that keep something from it now. */
  circuits: z
    .array(z.object({ circuit: z.string(), state: CircuitStateName, cause: z.string().nullable() }))
    .optional(),
  /** Gates that are shut by what moves (heat, full GPU memory, battery): no new work until they open. `device` null: the worker. */
  gates: z
    .array(z.object({ gate: z.string(), device: z.string().nullable(), reason: z.string(), sinceMs: z.number() }))
    .optional(),
});
export type WorkerView = z.infer<typeof WorkerView>;
export const WorkerList = z.object({ workers: z.array(WorkerView) });
export type WorkerList = z.infer<typeof WorkerList>;

export const CancelRequest = z.strictObject({
  reason: z.string().max(500),
  tasks: z.array(TaskId).max(5_000).optional(),
});
export type CancelRequest = z.infer<typeof CancelRequest>;
export const DrainRequest = z.strictObject({ reason: z.string().max(500) });
export type DrainRequest = z.infer<typeof DrainRequest>;
/** `release` lets it work again, and has it certified where it has checks. */
export const ConditionRequest = z.strictObject({
  action: z.enum(['quarantine', 'maintenance', 'release']),
  device: DeviceName.optional(),
  reason: z.string().min(1).max(500),
});
export type ConditionRequest = z.infer<typeof ConditionRequest>;
export const CertifyRequest = z.strictObject({ device: DeviceName.optional(), reason: z.string().max(500) });
export type CertifyRequest = z.infer<typeof CertifyRequest>;

/** How often each step of recovery was taken on devices of a kind, and how often the device passed afterwards. */
export const RecoveryHistory = z.object({
  rungs: z.array(
    z.object({
      rung: Rung,
      deviceClass: z.string(),
      taken: z.number().int(),
      cured: z.number().int(),
      meanMs: z.number(),
      lastAtMs: z.number(),
    }),
  ),
});
export type RecoveryHistory = z.infer<typeof RecoveryHistory>;

export const TokenView = z.object({
  token: TokenId,
  name: z.string(),
  scopes: z.array(Scope),
  createdAtMs: z.number(),
  lastUsedAtMs: z.number().nullable(),
  isRevoked: z.boolean(),
});
export type TokenView = z.infer<typeof TokenView>;
export const TokenList = z.object({ tokens: z.array(TokenView) });
export const TokenCreation = z.strictObject({
  name: z.string().min(1).max(200),
  scopes: z.array(Scope).min(1).max(20),
});
export type TokenCreation = z.infer<typeof TokenCreation>;
/** The only time that the secret is shown. */
export const TokenCreated = z.object({ token: TokenView, secret: z.string() });
export type TokenCreated = z.infer<typeof TokenCreated>;

export const Health = z.object({
  status: z.enum(['ok', 'recovering', 'stopping']),
  version: z.string(),
  protocolVersion: z.number().int(),
  journalSeq: z.number().int(),
  resultsSeq: z.number().int(),
  /** Null where nothing was measured yet. */
  snapshotSeq: z.number().int().nullable(),
  resultsError: z.string().nullable(),
  workers: z.number().int(),
  queuedTasks: z.number().int(),
});
export type Health = z.infer<typeof Health>;
