// Results that were made elsewhere and come in as a run of their own, settled from the start.
// What always holds: the run's id is made from the content, so that the same content is the same run however often it comes in.
import { z } from 'zod';
import { limit } from './limits.ts';
import { Case } from './results.ts';

const name = z.string().min(1).max(limit('nameChars'));

/** One file or package of an imported run, with its cases in the order of the report. */
export const ImportedTask = z.strictObject({
  /** Index into `suites`. */
  suite: z.number().int().min(0),
  /** As the report names it; "" where it names none. It is never opened. */
  target: z.string().max(limit('targetChars')),
  /** The configuration that it ran in (a browser, a project of Playwright), where the report names several: a dimension, no part of a test's name. */
  variant: z.string().min(1).max(100).optional(),
  cases: z.array(Case).max(limit('casesPerAttempt')),
});
export type ImportedTask = z.infer<typeof ImportedTask>;

/** What makes an imported run what it is: its id is a digest of this. */
export const ImportedContent = z.strictObject({
  project: name,
  /** `format` is that of the report: "junit", "playwright-json". */
  suites: z
    .array(z.strictObject({ name, format: z.string().min(1).max(50) }))
    .min(1)
    .max(limit('suitesPerRun')),
  tasks: z.array(ImportedTask).min(1).max(limit('tasksPerImport')),
  /** When it was run, as the report says, in milliseconds since the epoch; null where it does not say. */
  startedAtMs: z.number().min(0).max(1e14).nullable(),
});
export type ImportedContent = z.infer<typeof ImportedContent>;

/** POST /imports. */
export const ImportRequest = z.strictObject({
  name,
  labels: z.record(z.string().max(100), z.string().max(1_000)),
  content: ImportedContent,
});
export type ImportRequest = z.infer<typeof ImportRequest>;

/** POST /projects/erase. */
export const EraseRequest = z.strictObject({ project: name });
export type EraseRequest = z.infer<typeof EraseRequest>;
/** `seq`: the results are without the project once they have applied this journal entry. */
export const Erased = z.object({ project: z.string(), seq: z.number().int() });
export type Erased = z.infer<typeof Erased>;
