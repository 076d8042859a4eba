// What a client submits: a run of suites and tasks. A suite says how its tasks are executed; a task names only its target,
// so that a hundred thousand tasks stay small in memory and on the wire.
import { z } from 'zod';
import { CustomFailureRules } from './failure-rules/rule.ts';
import { Digest } from './ids.ts';
import { limit } from './limits.ts';

const name = z.string().min(1).max(limit('nameChars'));
/** A relative path with forward slashes that stays inside its directory. */
export const RelativePath = z
  .string()
  .max(limit('targetChars'))
  .refine(
    (path) => !path.startsWith('/') && !/^[A-Za-z]:/.test(path) && !path.split(/[\\/]/).includes('..'),
    'must be a relative path inside the project',
  );

/** Outputs of benchmark tools that are read back as cases with measurements. */
export const benchmarkFormats = ['tinybench', 'pytest-benchmark', 'google-benchmark', 'hyperfine', 'go-bench'] as const;
export const BenchmarkFormat = z.enum(benchmarkFormats);
export type BenchmarkFormat = z.infer<typeof BenchmarkFormat>;

/** The runners that an agent knows. */
export const runnerNames = ['vitest', 'node:test', 'pytest', 'browser', 'cts', 'wpt', 'command'] as const;
export const RunnerName = z.enum(runnerNames);
export type RunnerName = z.infer<typeof RunnerName>;

/**
 * What will also do, once a task has waited `afterMs` since it was ready: choices before it stay open and are preferred.
 * "A real NVIDIA GPU with at least 8 GiB; after 5 minutes any WebGPU adapter; never a software one" is
 * `requires: 'devices.exists(d, d.class == "gpu" && d.vendor == "nvidia" && d.memory >= GiB(8))'` with the alternative
 * `{requires: 'devices.exists(d, d.class == "webgpu" && !d.software)', afterMs: 300000}`: what never will do is in neither.
 */
export const Alternative = z.strictObject({
  requires: z.string().max(limit('requirementChars')),
  afterMs: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400_000),
});
export type Alternative = z.infer<typeof Alternative>;

/**
 * What a task takes of its worker's devices while it runs: one device for which the expression over `d` is true
 * (`d.class == "gpu" && d.memory >= GiB(8)`), `share` 1 for itself alone, less beside others up to 1 in all.
 * Two claims of one task may share a device where their shares allow it.
 */
export const Claim = z.strictObject({
  device: z.string().min(1).max(limit('requirementChars')),
  share: z.number().gt(0).max(1),
});
export type Claim = z.infer<typeof Claim>;

/**
 * A named resource that at most `max` slots hold at once, over all runs that the coordinator has: a licence, a database, a test
 * account. A task holds it from being given to a worker until it is over; a batch in one slot holds it once. Where suites name
 * one key with different `max`, each looks at its own; the coordinator's policy may set a lower one for all.
 */
export const ConcurrencyKey = z.strictObject({
  key: z.string().min(1).max(200),
  max: z.number().int().min(1).max(100_000),
});
export type ConcurrencyKey = z.infer<typeof ConcurrencyKey>;

/**
 * Tasks that only make sense together: each `size` tasks of the suite, in their order, start at once or not at all. With
 * `spread: 'workers'` each is on a worker of its own. A suite that is sealed has whole gangs.
 */
export const Gang = z.strictObject({
  size: z.number().int().min(2).max(limit('gangTasksMax')),
  spread: z.enum(['slots', 'workers']),
});
export type Gang = z.infer<typeof Gang>;

/**
 * Another configuration of a suite that may be tried where its own failed for want of memory or the like, "batch 16 instead
 * of 32". What it shows is stored under its label, and is never the result of the configuration that was asked for.
 */
export const Variant = z.strictObject({
  label: z.string().min(1).max(100),
  /** Set over the suite's own. */
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(4_000)),
  /** Failure codes after which it may be tried; absent is out of memory, on the host or a device. */
  after: z
    .array(z.string().regex(/^[A-Z][A-Z0-9_]{2,60}$/))
    .min(1)
    .max(20)
    .optional(),
});
export type Variant = z.infer<typeof Variant>;

/** How the tasks of one suite are executed. */
export const Suite = z.strictObject({
  name,
  runner: RunnerName,
  /** Where the runner starts, relative to the project; "" is the project itself. */
  directory: RelativePath,
  /** Arguments for the runner after its own; for `command` the whole argument vector, `{target}` replaced by the task's target. */
  arguments: z.array(z.string().max(4_000)).max(200),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(32_000)),
  /** Names of variables in `env`, or of the worker, whose values are masked in every log. */
  secrets: z.array(z.string().max(200)).max(100),
  /** Hard limit of one task's execution; queueing never counts. */
  timeoutMs: z
    .number()
    .int()
    .min(1)
    .max(7 * 86_400_000),
  /** Longest silence (no case, no output) of a running task; 0 is no limit. */
  noOutputTimeoutMs: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400_000),
  /** A CEL expression over the worker's profile; "" fits every worker that has the runner. */
  requires: z.string().max(limit('requirementChars')),
  /** In the order in which they come to be allowed: `afterMs` never falls. */
  alternatives: z
    .array(Alternative)
    .max(8)
    .refine(
      (list) => list.every((entry, at) => at === 0 || entry.afterMs >= (list[at - 1]?.afterMs ?? 0)),
      'afterMs must not fall along the list',
    )
    .optional(),
  /** Devices that each task holds while it runs. */
  claims: z.array(Claim).max(8).optional(),
  /** External dependencies of the coordinator's settings that its tasks need: while the circuit of one is open they wait. */
  uses: z.array(z.string().min(1).max(100)).max(20).optional(),
  /** Named resources that its tasks hold while they run; no key twice. */
  concurrency: z
    .array(ConcurrencyKey)
    .max(8)
    .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'a key is named twice')
    .optional(),
  gang: Gang.optional(),
  /** Whether an idle worker may run a duplicate of a late task near the end: the first result counts. Default: the fleet's. */
  hedge: z.enum(['tail', 'never']).optional(),
  /** How often a failed task is repeated because its user asked for it. */
  retries: z.number().int().min(0).max(limit('retriesMax')),
  /** Whether tasks of this suite may share one runner process. */
  batching: z.enum(['shared', 'single']),
  /** Configurations to try in this order where the suite's own cannot be run to its end. */
  variants: z
    .array(Variant)
    .max(5)
    .refine((list) => new Set(list.map(({ label }) => label)).size === list.length, 'a label is named twice')
    .optional(),
  /** The project's own failure rules, read before the built-in ones. */
  failureRules: CustomFailureRules.optional(),
  /** A JUnit XML file, relative to `directory`, that a `command` writes and that is read back. */
  junit: RelativePath.optional(),
  /** A benchmark tool's output, relative to `directory`, that a `command` writes and that is read back; not beside `junit`. */
  benchmark: z.strictObject({ format: BenchmarkFormat, file: RelativePath }).optional(),
});
export type Suite = z.infer<typeof Suite>;

/** One unit of placement. */
export const Task = z.strictObject({
  /** Index into the run's suites. */
  suite: z.number().int().min(0),
  /** A test file relative to the suite's directory; "" for a suite that is one command. */
  target: RelativePath,
  /** The submitter's own estimate, used only while there is no history. */
  expectedMs: z.number().min(0).max(1e9).optional(),
  /**
   * Indexes in the run of tasks that must have passed before this one starts. Each is lower than its own index, so that no
   * cycle can be. Where one does not pass, this one is settled without being run: skipped, or inconclusive where that one's
   * verdict says nothing of what was tested.
   */
  after: z.array(z.number().int().min(0)).min(1).max(limit('dependenciesPerTask')).optional(),
});
export type Task = z.infer<typeof Task>;

/** Where a worker finds the project: a directory it can see itself, or a bundle (gzipped tar) in the blob store. */
export const Source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('directory'), path: z.string().min(1).max(4_000) }),
  z.strictObject({
    kind: z.literal('bundle'),
    digest: Digest,
    setup: z.array(z.array(z.string().max(4_000)).min(1).max(100)).max(20),
  }),
]);
export type Source = z.infer<typeof Source>;

/** What one run is, without its tasks. */
export const RunSpec = z.strictObject({
  name,
  /** Names the history that durations are learned from. */
  project: name,
  /** Higher goes first among the runs of one submitter; a point is worth a stated time of waiting, so that none waits for ever. */
  priority: z.number().int().min(-100).max(100),
  /** The pool whose workers may run it; absent is any pool that the coordinator's policy does not reserve. */
  pool: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,80}$/)
    .optional(),
  /** Wall time that is aimed at: as few workers are used as are predicted to reach it. A goal, never a reason to fail. */
  finishWithinMs: z
    .number()
    .int()
    .min(1)
    .max(7 * 86_400_000)
    .optional(),
  source: Source,
  suites: z.array(Suite).min(1).max(limit('suitesPerRun')),
  /** Cancel what is left after the first task that did not pass. */
  failFast: z.boolean(),
  /** What becomes of a task that no connected worker can do: wait for such a worker, or settle it as inconclusive at once. */
  unplaceable: z.enum(['wait', 'settle']),
  /** Revision, branch, build number and the like. */
  labels: z.record(z.string().max(100), z.string().max(1_000)).optional(),
});
export type RunSpec = z.infer<typeof RunSpec>;

const tasks = z.array(Task).max(limit('tasksPerRequest'));

/** POST /runs. The same key again, by the same submitter, returns the run that it made the first time. */
export const RunSubmission = z.strictObject({
  idempotencyKey: z.string().min(8).max(200),
  run: RunSpec,
  tasks,
  /** True when no more tasks follow. */
  sealed: z.boolean(),
});
export type RunSubmission = z.infer<typeof RunSubmission>;

/** POST /runs/:run/tasks. `chunk` counts from 1; a repeated chunk is accepted once. */
export const TasksAddition = z.strictObject({ chunk: z.number().int().min(1), tasks, sealed: z.boolean() });
export type TasksAddition = z.infer<typeof TasksAddition>;
