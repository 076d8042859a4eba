// What a coordinator tells of its past for those who weigh decisions: how good its predictions were, and everything of one run
// that a simulation of it needs. All times of a recording are in milliseconds since the run was submitted, by the
// coordinator's clock, except durations that the worker measured (`costMs`, `startupMs`).
import { z } from 'zod';
import { RunId, WorkerId } from './ids.ts';
import { Profile } from './profile.ts';
import { Verdict } from './results.ts';
import { Alternative, Claim, ConcurrencyKey } from './submission.ts';

/** Predicted against actual durations, by suite; what is old weighs less. */
export const SuiteCalibration = z.object({
  project: z.string(),
  suite: z.string(),
  /** Attempts that the numbers rest on. */
  tasks: z.number().int(),
  /** Median of predicted over actual: below 1, things take longer than was said. */
  medianRatio: z.number(),
  /** Nine of ten predictions are off by at most this factor, either way. */
  p90Error: z.number(),
});
export type SuiteCalibration = z.infer<typeof SuiteCalibration>;
export const CalibrationReport = z.object({ suites: z.array(SuiteCalibration) });
export type CalibrationReport = z.infer<typeof CalibrationReport>;

export const RecordedAttempt = z.object({
  attempt: z.number().int(),
  worker: WorkerId,
  assignedMs: z.number(),
  /** When the coordinator heard that it began; absent where it never did. */
  startedMs: z.number().optional(),
  endedMs: z.number(),
  /** What was expected of it when it was placed. */
  expectedMs: z.number(),
  costMs: z.number().optional(),
  startupMs: z.number().optional(),
  verdict: Verdict,
});
export type RecordedAttempt = z.infer<typeof RecordedAttempt>;

export const RecordedTask = z.object({
  suite: z.number().int(),
  target: z.string(),
  /** The submitter's own estimate. */
  expectedMs: z.number().optional(),
  after: z.array(z.number().int()).optional(),
  arrivedMs: z.number(),
  attempts: z.array(RecordedAttempt),
});
export type RecordedTask = z.infer<typeof RecordedTask>;

export const RecordedWorker = z.object({
  worker: WorkerId,
  name: z.string(),
  pool: z.string(),
  slots: z.number().int(),
  trust: z.string().optional(),
  profile: Profile,
  profileDigest: z.string(),
  declared: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** 0 where it was there before the run. */
  fromMs: z.number(),
  /** null where it was there to the end of the run. */
  untilMs: z.number().nullable(),
});
export type RecordedWorker = z.infer<typeof RecordedWorker>;

/** `absent`: the journal does not hold the whole run, or not any more; what is stored in the results still may. */
export const RunRecording = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('recorded'),
    run: RunId,
    project: z.string(),
    pool: z.string().optional(),
    submittedAtMs: z.number(),
    settledMs: z.number(),
    suites: z.array(
      z.object({
        name: z.string(),
        requires: z.string(),
        batching: z.enum(['shared', 'single']),
        alternatives: z.array(Alternative).optional(),
        claims: z.array(Claim).optional(),
        concurrency: z.array(ConcurrencyKey).optional(),
        hedge: z.enum(['tail', 'never']).optional(),
      }),
    ),
    tasks: z.array(RecordedTask),
    /** Those that were there at any time of the run. */
    workers: z.array(RecordedWorker),
    /** Journal entries that it was read from. */
    entries: z.object({ first: z.number().int(), last: z.number().int() }),
  }),
  z.object({ kind: z.literal('absent'), reason: z.string() }),
]);
export type RunRecording = z.infer<typeof RunRecording>;
