// What a task of a conformance suite keeps beside its cases, as `conformance.json`: every test with its subtests in the suite's
// own words, and the browser and adapter that it ran on. The command line merges and compares these.
import { z } from 'zod';

const status = z.string().min(1).max(40);
const message = z.string().max(16_000).optional();

export const ConformanceResults = z.strictObject({
  suite: z.enum(['cts', 'wpt']),
  /** Of the checkout, where it says one. */
  revision: z.string().max(100).nullable(),
  target: z.string().max(2_000),
  browser: z.string().max(200),
  /** As the page's world of ours read it; null where none was. */
  adapter: z.string().max(500).nullable(),
  isSoftware: z.boolean().nullable(),
  results: z
    .array(
      z.strictObject({
        name: z.string().max(8_000),
        status,
        durationMs: z.number().min(0),
        message,
        /** Subcases of a CTS case, subtests of a wpt page; a CTS case without any is one itself. */
        subtests: z.array(z.strictObject({ name: z.string().max(8_000), status, message })).max(200_000),
      }),
    )
    .max(200_000),
});
export type ConformanceResults = z.infer<typeof ConformanceResults>;
