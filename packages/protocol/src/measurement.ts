// A metric sample: what a benchmark measured, in which unit, and which way is better. Samples hang on the case that made them,
// travel with it in its report, and are journalled with it.
// What always holds: a value is a finite number that something measured; one that could not be measured is not there at all.
import { z } from 'zod';
import { limit } from './limits.ts';

/** One sample of a metric. Of a metric that was sampled often, each sample is one of these, in order of time. */
export const Measurement = z.strictObject({
  /** What was measured: "time", "throughput", "peak memory". With the test that measured it, it names a series. */
  metric: z.string().min(1).max(200),
  /** The unit as it is written: "ms", "ns/op", "B/op", "ops/s"; "1" for a plain count or ratio. */
  unit: z.string().min(1).max(50),
  value: z.number(),
  /** Which way is better. `none`: neither is; a change of it is no regression. */
  direction: z.enum(['lower', 'higher', 'none']),
  /** What else held while it was measured: clock, temperature, load, iterations. */
  covariates: z
    .record(z.string().min(1).max(60), z.union([z.number(), z.boolean(), z.string().max(100)]))
    .refine((entries) => Object.keys(entries).length <= limit('covariatesPerMeasurement'), 'too many covariates')
    .optional(),
});
export type Measurement = z.infer<typeof Measurement>;
