// What an operator may set of a coordinator in a file (`assay up --settings FILE`). Unknown keys are errors.
// Circuits that are known already keep what they were made with: what is set here is for those made from then on.
// docs/reference/settings.md is generated from this schema: every key has its description here.
import { circuitScopeKinds } from '@assay/protocol';
import { z } from 'zod';

export const DependencySetting = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/)
      .describe('How suites name it in `uses`, and its circuit `dependency:NAME`.'),
    url: z
      .url({ protocol: /^(https?|tcp)$/ })
      .optional()
      .describe(
        'Asked with GET, well at any status below 400; `tcp://HOST:PORT` is well when it accepts a connection.',
      ),
    command: z
      .array(z.string().max(4_000))
      .min(1)
      .max(200)
      .optional()
      .describe(
        'Instead of `url`: a program with its arguments, run beside the coordinator; well when it exits with 0.',
      ),
    intervalMs: z
      .number()
      .int()
      .min(50)
      .max(86_400_000)
      .default(10_000)
      .describe('Between the end of one probe and the next. A dependency that is down is asked less and less often.'),
    timeoutMs: z
      .number()
      .int()
      .min(10)
      .max(600_000)
      .default(2_000)
      .describe('A probe without an answer for this long has failed.'),
  })
  .refine(({ url, command }) => (url === undefined) !== (command === undefined), 'give either url or command');
export type DependencySetting = z.infer<typeof DependencySetting>;

const ms = z
  .number()
  .int()
  .min(1)
  .max(30 * 86_400_000);
const share = z.number().gt(0).max(1).nullable();

/** What may be set of the circuits of one kind; the rest, and why, stands in packages/core/src/circuits/circuits-config.ts. */
export const CircuitSetting = z.strictObject({
  consecutiveFailures: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .nullable()
    .optional()
    .describe('Opens at so many failures in a row; null never does.'),
  failureRate: share.optional().describe('Opens at this share of failures; null never does.'),
  volumeMin: z.number().int().min(1).max(1_000).optional().describe('No share is looked at below so many results.'),
  openMs: ms.optional().describe('The first open period.'),
  openMaxMs: ms.optional().describe('The longest: each period is twice the one before.'),
});
export type CircuitSetting = z.infer<typeof CircuitSetting>;

export const CoordinatorSettings = z.strictObject({
  dependencies: z
    .array(DependencySetting)
    .max(100)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'a name is given twice')
    .default([])
    .describe('What tests need besides a worker: probed, and their work waits while they are down.'),
  circuits: z
    .partialRecord(z.enum(circuitScopeKinds), CircuitSetting)
    .default({})
    .describe('By kind of circuit (`worker`, `device`, `workerTask`, `classTask`, `class`, `task`, `dependency`).'),
});
export type CoordinatorSettings = z.infer<typeof CoordinatorSettings>;
