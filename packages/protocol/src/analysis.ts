// What history says of tests and metrics: flakes and where they live, failures that are one, changes of level, and which
// revision broke a test. Every answer says what it was made from; where there is too little to judge, it says that.
import { z } from 'zod';

/** What is looked at: the newest runs of a project, or of all. */
export const AnalysisScope = z.strictObject({
  project: z.string().min(1).max(300).optional(),
  runs: z.coerce.number().int().min(1).max(10_000).default(200),
});
export type AnalysisScope = z.infer<typeof AnalysisScope>;

/** With an interval of 95 %. */
const Estimate = z.object({ value: z.number(), low: z.number(), high: z.number() });

/** A test wherever it runs; `path` holds the titles from the outermost group to the test itself. */
export const TestName = z.object({
  project: z.string(),
  suite: z.string(),
  target: z.string(),
  path: z.array(z.string()),
  /** The configuration that ran where it was not the one asked for; '' otherwise. */
  variant: z.string(),
});
export type TestName = z.infer<typeof TestName>;

const Counts = z.object({ failed: z.number(), executions: z.number() });
const PlaceName = z.object({ dimension: z.string(), value: z.string() });

export const FlakyTest = TestName.extend({
  verdict: z.enum(['flaky', 'steady', 'unclear', 'tooFew']),
  /** Probability that it is a flake; null where there is too little to say. */
  score: z.number().nullable(),
  /** How often it fails where nothing broke it. */
  rate: Estimate.nullable(),
  executions: z.number(),
  failures: z.number(),
  /** Where its failures live, as far as they keep to one place; `alike` are not told apart from it by what was executed. */
  place: PlaceName.extend({
    p: z.number(),
    here: Counts,
    elsewhere: Counts,
    alike: z.array(PlaceName),
  }).nullable(),
});
export type FlakyTest = z.infer<typeof FlakyTest>;

/** GET /analysis/flakes: the tests that failed at least once, likeliest flake first. */
export const FlakeReport = z.object({ tests: z.array(FlakyTest), executionsMin: z.number(), isCut: z.boolean() });
export type FlakeReport = z.infer<typeof FlakeReport>;

const Seen = z.object({ atMs: z.number(), run: z.string() });

export const FailureCluster = z.object({
  signature: z.string(),
  message: z.string(),
  failures: z.number(),
  tests: z.array(z.string()),
  revisions: z.array(z.string()),
  hardware: z.array(z.string()),
  firstSeen: Seen,
  lastSeen: Seen,
  /** Of the run that was asked about: whether it failed so there, and for the first time. Null where no run was named. */
  inRun: z.enum(['new', 'known', 'absent']).nullable(),
});
export type FailureCluster = z.infer<typeof FailureCluster>;

/** A failure of a run that was asked about, and whether the same test failed so before. */
export const KnownFailure = TestName.extend({
  signature: z.string(),
  /** As the run said it. */
  message: z.string(),
  seen: z.enum(['new', 'known']),
  /** How often it failed so in earlier runs. */
  earlier: z.number(),
  firstSeen: Seen,
  /** Before this run; null of a new one. */
  lastSeen: Seen.nullable(),
  /** The newest first, at most 20; of hardware in words. */
  revisions: z.array(z.string()),
  hardware: z.array(z.string()),
});
export type KnownFailure = z.infer<typeof KnownFailure>;

/** GET /analysis/failures. */
export const FailureReport = z.object({
  clusters: z.array(FailureCluster),
  failures: z.number(),
  /** Of the run that was asked about; empty where none was, and where it is older than the runs that were looked at. */
  ofRun: z.array(KnownFailure),
  isCut: z.boolean(),
});
export type FailureReport = z.infer<typeof FailureReport>;

export const MetricChange = TestName.extend({
  metric: z.string(),
  unit: z.string(),
  /** The capability class: the digest of the profile that it was measured on. */
  hardware: z.string(),
  verdict: z.enum(['regression', 'improvement', 'change']),
  /** The first run after the change, and the runs between which it lies with 95 %. */
  at: z.object({ run: z.string(), revision: z.string() }),
  between: z.object({ first: z.string(), last: z.string() }).nullable(),
  before: z.number(),
  after: z.number(),
  /** As a share of what was before; null where that was 0 or less. */
  share: Estimate.nullable(),
  p: z.number(),
  /** What else was another one after the change than before: the workers, by name. */
  alsoChanged: z.array(z.string()),
  /** The detector on this series' own scatter, with a planted step of `step`; null where too little was before the change. */
  detector: z
    .object({
      step: z.number(),
      recall: z.number(),
      delay: z.number().nullable(),
      falseAlarms: z.number(),
      judged: z.number(),
      rounds: z.number(),
    })
    .nullable(),
});
export type MetricChange = z.infer<typeof MetricChange>;

/** GET /analysis/changes: of all series judged together, at a false discovery rate of 5 %. */
export const ChangeReport = z.object({
  changes: z.array(MetricChange),
  series: z.number(),
  /** Series with too few runs to judge. */
  tooFew: z.number(),
  /** Samples left out because the machine throttled. */
  throttled: z.number(),
  isCut: z.boolean(),
});
export type ChangeReport = z.infer<typeof ChangeReport>;

/** POST /analysis/culprit. */
export const CulpritRequest = z.strictObject({
  project: z.string().min(1).max(300).optional(),
  runs: z.number().int().min(1).max(10_000).default(1_000),
  /** Part of the test's name, as `target > group > test`. */
  test: z.string().min(1).max(2_000),
  /** Oldest first, those without runs too; otherwise the order in which revisions were first seen. */
  revisions: z.array(z.string().min(1).max(300)).max(5_000).optional(),
});
export type CulpritRequest = z.infer<typeof CulpritRequest>;

export const CulpritReport = z.object({
  tests: z.array(
    TestName.extend({
      /** Probability that failing became likelier at all. */
      changed: z.number(),
      /** The likeliest first bad revision, and the ones that hold it with 95 %, in order. */
      likeliest: z.string(),
      between: z.array(z.string()),
      /** The revision whose result tells most; null where one is left. */
      next: z.string().nullable(),
      revisions: z.array(z.object({ revision: z.string(), failed: z.number(), passed: z.number() })),
    }),
  ),
});
export type CulpritReport = z.infer<typeof CulpritReport>;
