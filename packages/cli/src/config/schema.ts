// assay.config.ts: everything a project may say about how it is tested. Unknown keys are errors (CONFIG_INVALID names them
// with the nearest known one). docs/reference/config.md is generated from this schema: every key has its description here.
import { z } from 'zod';
import { BenchmarkFormat, CustomFailureRules, Gang, Variant, runnerNames, limit } from '@assay/protocol';
import { Duration } from './duration.ts';

const text = z.string().min(1).max(4_000);

export const SuiteConfig = z.strictObject({
  name: text
    .optional()
    .describe('How the suite is called in reports and history. Default: the runner and the directory.'),
  runner: z.enum(runnerNames).describe('Which runner executes the files.'),
  directory: z.string().max(1_000).default('').describe('Where the runner starts, relative to the project.'),
  include: z
    .array(text)
    .max(200)
    .optional()
    .describe('Glob patterns of test files, relative to `directory`. Default: what the runner itself lists.'),
  exclude: z.array(text).max(200).optional().describe('Glob patterns of files to leave out.'),
  command: z
    .array(text)
    .min(1)
    .max(200)
    .optional()
    .describe('For `command`: the program and its arguments; `{target}` becomes the file of `include`.'),
  arguments: z.array(z.string().max(4_000)).max(200).default([]).describe('More arguments for the runner.'),
  env: z.record(z.string(), z.string()).default({}).describe('Environment variables of the tests.'),
  secrets: z.array(text).max(100).default([]).describe('Names of variables whose values are masked in every log.'),
  timeout: Duration.default(600_000).describe('Longest execution of one file; queueing never counts.'),
  noOutputTimeout: Duration.default(0).describe('Longest silence of a running file; 0 is no limit.'),
  requires: z
    .string()
    .max(limit('requirementChars'))
    .default('')
    .describe("Expression over the worker's profile, such as `cpu.count >= 4`."),
  alternatives: z
    .array(
      z.strictObject({
        requires: z.string().max(limit('requirementChars')).describe('What will also do from then on.'),
        after: Duration.describe('How long a file waits before it does.'),
      }),
    )
    .max(8)
    .default([])
    .describe('What else will do after a time of waiting, in order; what was asked for first stays preferred.'),
  claims: z
    .array(
      z.strictObject({
        device: text.describe('Expression over one device `d`, such as `d.class == "gpu" && d.memory >= GiB(8)`.'),
        share: z.number().gt(0).max(1).default(1).describe('1 is the whole device, less is beside others.'),
      }),
    )
    .max(8)
    .default([])
    .describe('Devices that each file holds while it runs; `ASSAY_DEVICES` names them to it.'),
  concurrency: z
    .record(z.string().min(1).max(200), z.number().int().min(1).max(100_000))
    .default({})
    .describe('Named resources, and how many slots may hold each at once over all runs: `{ database: 1 }`.'),
  gang: Gang.optional().describe(
    'Files that start together or not at all, `size` at a time, in slots anywhere or on as many workers.',
  ),
  after: z
    .array(text)
    .max(20)
    .default([])
    .describe('Names of suites listed before this one, all files of which must have passed first.'),
  hedge: z
    .enum(['tail', 'never'])
    .optional()
    .describe('Whether an idle worker may run a late file a second time near the end.'),
  uses: z
    .array(text)
    .max(20)
    .optional()
    .describe(
      "Dependencies that the tests need, by their names in the coordinator's settings: while one is down they wait.",
    ),
  retries: z.number().int().min(0).max(limit('retriesMax')).default(0).describe('How often a failed file is repeated.'),
  variants: z
    .array(Variant)
    .max(5)
    .optional()
    .describe(
      'Other configurations, each with a label and `env`, to try where this one runs out of memory; their results carry the label.',
    ),
  batching: z.enum(['shared', 'single']).default('shared').describe('Whether files may share one runner process.'),
  junit: text.optional().describe('For `command`: a JUnit XML file that it writes, read back for its cases.'),
  benchmark: z
    .strictObject({ format: BenchmarkFormat, file: text })
    .optional()
    .describe('For `command`: the output of a benchmark tool that it writes, read back for its measurements.'),
});
export type SuiteConfig = z.infer<typeof SuiteConfig>;

export const ProjectConfig = z.strictObject({
  project: text
    .optional()
    .describe("Names the history that durations are learned from. Default: the package's or directory's name."),
  suites: z
    .array(SuiteConfig)
    .max(limit('suitesPerRun'))
    .optional()
    .describe('What is tested. Default: what is detected.'),
  failureRules: CustomFailureRules.optional().describe(
    "The project's own failure rules: `id`, `pattern` (plain text, `*` is anything within a line), `class` and `code`; see failure-rules.md.",
  ),
  coordinator: z.url().optional().describe("URL of the fleet's coordinator. Default: local workers for each run."),
  workers: z
    .number()
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe('How many local workers, where there is no coordinator.'),
  priority: z
    .number()
    .int()
    .min(-100)
    .max(100)
    .optional()
    .describe("Priority of the project's runs; higher goes first."),
  pool: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,80}$/)
    .optional()
    .describe('Only workers of this pool run it. Default: any pool that is not reserved.'),
  finishWithin: Duration.optional().describe('Wall time to aim at with as few workers as are predicted to reach it.'),
  bundle: z
    .strictObject({
      exclude: z.array(text).max(500).default([]).describe('Glob patterns of files that are not sent to the fleet.'),
      setup: z
        .array(z.array(text).min(1))
        .max(20)
        .optional()
        .describe('Commands run once on each worker after unpacking. Default: by lock file.'),
    })
    .optional()
    .describe('How the project travels to a fleet.'),
});
/** The configuration after defaults. */
export type ProjectConfig = z.infer<typeof ProjectConfig>;
/** The configuration as it is written. */
export type AssayConfig = z.input<typeof ProjectConfig>;

/** Types an assay.config.ts; gives back what it was given. */
export function defineConfig(config: AssayConfig): AssayConfig {
  return config;
}
