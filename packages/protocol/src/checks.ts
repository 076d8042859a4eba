// Checks, certification and recovery as words on the wire: what an operator declares in a worker's settings file, what a
// worker says of a check, and the steps by which a worker tries to repair a device before a person is asked.
//
// A check is a known-good piece of work with a known answer. What always holds: what did not run is `notRun` with the reason
// and never counts as passed; a result carries the evidence that was read; a step that does not exist on a worker is
// `notApplicable` and never counts as done.
import { z } from 'zod';
import { limit } from './limits.ts';

const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._ -]*$/, 'letters, digits, dots, dashes and spaces');

/** `gpu:0` is the first of the profile's GPUs; any other name is a label that the operator declared. Absent: the whole worker. */
export const DeviceName = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,79}(:[0-9]{1,4})?$/);
export type DeviceName = z.infer<typeof DeviceName>;

const durationMs = z.number().int().min(1).max(86_400_000);
/** A program and its arguments; no shell. */
const command = z.array(z.string().max(4_096)).min(1).max(100);

/** A check of the operator's own: a command that exits with 0 when the device works. */
export const CheckSpec = z.strictObject({
  name: name.describe('How it is called, once a worker.'),
  device: DeviceName.optional().describe(
    'The device that it is about: `gpu:0` as the profile counts them, or a declared label. Absent: the worker as a whole.',
  ),
  command: command.describe('A program and its arguments, without a shell; it passes by exiting with 0.'),
  timeoutMs: durationMs.default(60_000).describe('After this it is ended and has failed.'),
  everyMs: z
    .number()
    .int()
    .min(0)
    .max(86_400_000)
    .default(300_000)
    .describe('How often it runs by itself; 0 is only at the start and when it is asked for.'),
  expects: z.string().min(1).max(1_000).optional().describe('Text that its standard output must contain to pass.'),
  during: z
    .enum(['idle', 'always'])
    .optional()
    .describe(
      '`idle`: it waits until nothing runs. `always`: it may run beside work. Unless given, a check of a device runs beside work, one of the whole worker waits.',
    ),
});
export type CheckSpec = z.infer<typeof CheckSpec>;

export const builtInChecks = ['cpu', 'memory', 'disk', 'nvidia'] as const;
export const BuiltInCheck = z.enum(builtInChecks);
export type BuiltInCheck = z.infer<typeof BuiltInCheck>;

/** A command of the operator's that repairs what the worker itself cannot. */
const Hook = z.strictObject({ command, timeoutMs: durationMs.default(300_000) });

/** The settings file of `assay worker --checks FILE`. */
export const WorkerSettings = z.strictObject({
  checks: z.array(CheckSpec).max(limit('checksPerWorker')).default([]).describe('Checks of your own.'),
  builtIn: z
    .array(BuiltInCheck)
    .max(builtInChecks.length)
    .default([...builtInChecks])
    .describe('The built-in checks that run: `cpu`, `memory`, `disk`, `nvidia`.'),
  builtInEveryMs: z
    .number()
    .int()
    .min(0)
    .max(86_400_000)
    .default(900_000)
    .describe('How often those run by themselves; 0 is only at the start and when they are asked for.'),
  hooks: z
    .strictObject({ reboot: Hook.optional(), power: Hook.optional() })
    .default({})
    .describe('Commands for the last two steps of recovery; a step without one is not applicable.'),
});
export type WorkerSettings = z.infer<typeof WorkerSettings>;

const text = z.string().max(limit('messageChars'));
const evidence = z
  .record(z.string().max(100), text)
  .refine((entries) => Object.keys(entries).length <= 32, 'at most 32 entries');
const sizedMs = z.number().min(0).max(1e10);

export const checkOutcomes = ['passed', 'failed', 'notRun'] as const;
export const CheckOutcome = z.enum(checkOutcomes);
export type CheckOutcome = z.infer<typeof CheckOutcome>;

/** What one check found. `evidence` is what was read: exit code, output, counters, or why it did not run. */
export const CheckResult = z.strictObject({
  check: name,
  device: DeviceName.optional(),
  outcome: CheckOutcome,
  evidence,
  durationMs: sizedMs,
});
export type CheckResult = z.infer<typeof CheckResult>;

/** The steps of recovery, the mildest first. */
export const rungs = ['page', 'browser', 'gpuProcess', 'runner', 'agent', 'rebootHook', 'powerHook'] as const;
export const Rung = z.enum(rungs);
export type Rung = z.infer<typeof Rung>;

export const RungOutcome = z.enum(['done', 'failed', 'notApplicable']);
export type RungOutcome = z.infer<typeof RungOutcome>;

/** What became of one step. `done` says that the step was carried out, not that it helped: the certification after it says that. */
export const RungResult = z.strictObject({
  rung: Rung,
  device: DeviceName.optional(),
  outcome: RungOutcome,
  evidence,
  durationMs: sizedMs,
});
export type RungResult = z.infer<typeof RungResult>;

/** The number of a request to certify or recover, as the coordinator counts them for one worker. */
export const RequestNumber = z.number().int().min(1);
