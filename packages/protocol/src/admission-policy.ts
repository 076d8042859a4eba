// What the operator of a coordinator lays down about who gets how much: weights of submitters, quotas in pools, reserved
// pools, caps of concurrency keys. Never the submitter's to choose. A file (`assay up --policy FILE`) in this shape; the
// coordinator journals it when it starts with another one than before, so that every decision can be made again.
import { z } from 'zod';

const name = z.string().min(1).max(1_000);
const poolName = z.string().regex(/^[A-Za-z0-9._-]{1,80}$/);
const weight = z.number().min(0.001).max(1_000);

/** At most `slots` slots of a pool at once, for each submitter or each project, or for the one that is named. */
export const Quota = z.strictObject({
  /** `*` is every pool, each counted by itself. */
  pool: z.union([z.literal('*'), poolName]),
  of: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('submitter'), name: name.optional() }),
    z.strictObject({ kind: z.literal('project'), name: name.optional() }),
  ]),
  slots: z.number().int().min(1).max(10_000_000),
});
export type Quota = z.infer<typeof Quota>;

export const AdmissionPolicy = z.strictObject({
  /** Share of a submitter beside others: weight 2 gets twice what weight 1 gets while both wait. Who is not named has 1. */
  weights: z.record(name, weight).default({}),
  quotas: z.array(Quota).max(1_000).default([]),
  /** `reserved`: only runs that ask for this pool by name are placed there. */
  pools: z.record(poolName, z.strictObject({ reserved: z.boolean() })).default({}),
  /** At most so many slots hold the key, whatever the suites say. */
  keys: z.record(z.string().min(1).max(200), z.number().int().min(1).max(100_000)).default({}),
});
export type AdmissionPolicy = z.infer<typeof AdmissionPolicy>;
