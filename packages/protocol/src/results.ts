// What a test's execution is said to have been: verdicts, failure classes, cases, outcomes. The vocabulary of ARCHITECTURE.md,
// section 5, as schemas. A pass means that at least one case ran and none failed; zero tests run is never a pass.
import { z } from 'zod';
import { MatchedRule } from './failure-rules/rule.ts';
import { Digest } from './ids.ts';
import { limit } from './limits.ts';
import { Measurement } from './measurement.ts';

/** The verdict of an attempt, and of the task it settles. */
export const verdicts = [
  'passed',
  'failed',
  'errored',
  'timedOut',
  'skipped',
  'inconclusive',
  'lost',
  'canceled',
] as const;
export const Verdict = z.enum(verdicts);
export type Verdict = z.infer<typeof Verdict>;

/** Whose fault a failure is, as far as the evidence goes. */
export const failureClasses = [
  'test',
  'device',
  'driver',
  'browser',
  'infrastructure',
  'configuration',
  'timeout',
  'unknown',
] as const;
export const FailureClass = z.enum(failureClasses);
export type FailureClass = z.infer<typeof FailureClass>;

/** A failing case's own account, as the runner gave it; cut to the limits with a marker. */
export const CaseFailure = z.strictObject({
  message: z.string().max(limit('messageChars') + 100),
  stack: z
    .string()
    .max(limit('stackChars') + 100)
    .optional(),
});
export type CaseFailure = z.infer<typeof CaseFailure>;

/** One test inside a task. `path` holds the titles from the outermost group to the test itself. */
export const Case = z.strictObject({
  path: z
    .array(z.string().max(limit('nameChars')))
    .min(1)
    .max(50),
  status: z.enum(['passed', 'failed', 'skipped', 'todo']),
  durationMs: z.number().min(0).max(1e9),
  failure: CaseFailure.optional(),
  line: z.number().int().min(0).max(1e7).optional(),
  /** How often the runner itself repeated the case before this status (the project's own retries). */
  runnerRetries: z.number().int().min(0).max(1000).optional(),
  /** What a benchmark measured, in order of time. */
  measurements: z.array(Measurement).min(1).max(limit('measurementsPerCase')).optional(),
});
export type Case = z.infer<typeof Case>;

/** How many cases ended how. */
export const CaseCounts = z.strictObject({
  passed: z.number().int().min(0),
  failed: z.number().int().min(0),
  skipped: z.number().int().min(0),
  todo: z.number().int().min(0),
});
export type CaseCounts = z.infer<typeof CaseCounts>;

/** Why an attempt did not pass: a class, a stable code of the error catalogue, and the evidence that was read. */
export const AttemptFailure = z.strictObject({
  class: FailureClass,
  code: z.string().regex(/^[A-Z][A-Z0-9_]{2,60}$/),
  message: z.string().max(limit('messageChars') + 100),
  evidence: z.record(z.string().max(100), z.string().max(limit('messageChars') + 100)).optional(),
  /** The rule that gave class and code, and what it matched; absent where the coordinator itself says what failed. */
  rule: MatchedRule.optional(),
});
export type AttemptFailure = z.infer<typeof AttemptFailure>;

/**
 * Whose fault a task's trouble was, as its attempts together show. `device` is one unit, `driver` and `browser` a version of
 * it wherever it runs, `flaky` the same thing passing and failing in the same place.
 */
export const faults = [
  'test',
  'device',
  'driver',
  'browser',
  'infrastructure',
  'configuration',
  'flaky',
  'unknown',
] as const;
export const Fault = z.enum(faults);
export type Fault = z.infer<typeof Fault>;

/** The fault of a settled task that had trouble, with the attempts that show it. */
export const Diagnosis = z.object({
  fault: Fault,
  /** `proven`: attempts in different places tell it apart from the others; `likely`: they fit it best; `open`: nothing tells. */
  confidence: z.enum(['proven', 'likely', 'open']),
  /** The rule of the table of diagnoses that said so. */
  rule: z.string().max(100),
  /** What is at fault, by name: a worker, a device, a version, a dependency. */
  subject: z.string().max(300).optional(),
  /** In one sentence, for people. */
  summary: z.string().max(1_000),
  /** The attempts that show it, by number. */
  attempts: z.array(z.number().int().min(1)).max(100),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

/** In what a hallmark says of itself where the adapter was imitated by a CPU: reports show it beside the pass. */
export const softwareAdapter = 'software adapter';

/** A stored file of an attempt: its log, its output, an artefact. `truncatedBytes` were left out, 0 when whole. */
export const BlobRef = z.strictObject({
  name: z.string().max(300),
  digest: Digest,
  bytes: z.number().int().min(0),
  truncatedBytes: z.number().int().min(0),
  /** What it shows, in one line for people: of a hallmark, the browser and the adapter. */
  says: z.string().max(300).optional(),
});
export type BlobRef = z.infer<typeof BlobRef>;

/** What an agent says of one finished attempt. Times are the worker's own clock, milliseconds since the epoch. */
export const AttemptOutcome = z.strictObject({
  verdict: Verdict.exclude(['lost']),
  failure: AttemptFailure.optional(),
  counts: CaseCounts,
  /** Cases reported before this outcome; the coordinator checks that it has them all. */
  casesReported: z.number().int().min(0),
  startedAtMs: z.number().min(0),
  endedAtMs: z.number().min(0),
  /** The slot's real time spent on this file: imports, environment, set-up and tests, without the batch's start-up. */
  costMs: z.number().min(0),
  /** The start-up of the runner process that this attempt's batch paid, reported by its first file only. */
  startupMs: z.number().min(0).optional(),
  exit: z.strictObject({ code: z.number().int().nullable(), signal: z.string().max(20).nullable() }).optional(),
  blobs: z.array(BlobRef).max(100).optional(),
});
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;
