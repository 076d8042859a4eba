// Circuits as people see them: their scopes, states, orders and history. A circuit stops what was seen to fail before it eats
// the queue; what it stops waits, or goes to an alternative, and is never failed by it.
import { z } from 'zod';
import { WorkerId } from './ids.ts';
import { limit } from './limits.ts';

const name = z.string().min(1).max(limit('nameChars'));
const classId = z.string().regex(/^c[0-9a-z]{1,12}$/);
const device = z.string().min(1).max(100);
const dependency = z.string().min(1).max(100);

/**
 * What one circuit is about. `class` is a capability class (workers with equal pool, profile and labels), a task class is a
 * suite of a project. The pairs stop one kind of work on one worker or class and nothing else.
 */
export const CircuitScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('worker'), worker: WorkerId }),
  z.strictObject({ kind: z.literal('device'), worker: WorkerId, device }),
  z.strictObject({ kind: z.literal('class'), class: classId }),
  z.strictObject({ kind: z.literal('task'), project: name, suite: name }),
  z.strictObject({ kind: z.literal('workerTask'), worker: WorkerId, project: name, suite: name }),
  z.strictObject({ kind: z.literal('classTask'), class: classId, project: name, suite: name }),
  z.strictObject({ kind: z.literal('dependency'), dependency }),
]);
export type CircuitScope = z.infer<typeof CircuitScope>;

export const circuitScopeKinds = [
  'worker',
  'device',
  'class',
  'task',
  'workerTask',
  'classTask',
  'dependency',
] as const;

/** `disabled` and `metricsOnly` admit everything; the latter counts what it would have done. */
export const circuitStates = ['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled', 'metricsOnly'] as const;
export const CircuitStateName = z.enum(circuitStates);
export type CircuitStateName = z.infer<typeof CircuitStateName>;

export const CircuitTransition = z.object({
  from: CircuitStateName,
  to: CircuitStateName,
  atMs: z.number(),
  cause: z.string(),
  actor: z.string().optional(),
  reason: z.string().optional(),
  untilMs: z.number().nullable().optional(),
  /** Where it stands in the journal, and where the failures stand that it was judged by. */
  seq: z.number().int().nullable(),
  evidence: z.array(z.number().int()),
});
export type CircuitTransition = z.infer<typeof CircuitTransition>;

export const CircuitView = z.object({
  /** Names it in commands and addresses: `worker:w-abc`, `classTask:c1x2:shop/unit`. */
  circuit: z.string(),
  scope: CircuitScope,
  /** In words, with the names of workers and classes. */
  label: z.string(),
  state: CircuitStateName,
  sinceMs: z.number(),
  /** When it is probed next, or null where that is not known. */
  untilMs: z.number().nullable(),
  cause: z.string().nullable(),
  actor: z.string().nullable(),
  reason: z.string().nullable(),
  /** Share of what was measured lately that was well, from 0 to 1; null where nothing was measured. */
  health: z.number().nullable(),
  calls: z.number().int(),
  failures: z.number().int(),
  consecutiveFailures: z.number().int(),
  lateResults: z.number().int(),
  /** What failed in it lately (tasks of a worker, workers of a class) and how often. */
  members: z.array(z.object({ member: z.string(), failures: z.number().int(), successes: z.number().int() })),
  /** Why it is not opened although it would be: the last of its class, too much of the class stopped already. */
  heldBy: z.string().nullable(),
  /** Tasks that probe it now. */
  probes: z.array(z.string()),
  /** Journal sequence numbers of the failures that it was judged by, oldest first. */
  evidence: z.array(z.number().int()),
  history: z.array(CircuitTransition),
});
export type CircuitView = z.infer<typeof CircuitView>;
export const CircuitList = z.object({ circuits: z.array(CircuitView) });
export type CircuitList = z.infer<typeof CircuitList>;

/** POST /circuits/:circuit/force. Without `forMs` it stays until it is released. */
export const ForceCircuitRequest = z.strictObject({
  to: z.enum(['open', 'disabled', 'metricsOnly']),
  forMs: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400_000)
    .optional(),
  reason: z.string().min(1).max(500),
});
export type ForceCircuitRequest = z.infer<typeof ForceCircuitRequest>;
/** POST /circuits/:circuit/release and /reset. */
export const ReleaseCircuitRequest = z.strictObject({ reason: z.string().min(1).max(500) });
export type ReleaseCircuitRequest = z.infer<typeof ReleaseCircuitRequest>;
