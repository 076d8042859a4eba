// Tests that are set aside: by whom, why, until when, and in which way. `mute` lets a test run and not count; `skip` does not run
// a file at all. Who is in quarantine, what asks for it, and what a task's verdict says of it.
import { z } from 'zod';
import { limit } from './limits.ts';

const name = z.string().max(limit('targetChars'));
const words = z.string().trim().min(1).max(500);
export const QuarantineMode = z.enum(['mute', 'skip']);

/** A test wherever it runs. No titles: the whole file (or the suite's one command, where the target is empty). */
const QuarantinedTest = z.strictObject({
  project: z.string().min(1).max(300),
  suite: z.string().min(1).max(300),
  target: name,
  path: z.array(z.string().max(limit('nameChars'))).max(50),
});

/** Id of a quarantine: `q-` and its number. */
export const QuarantineId = z.string().regex(/^q-\d{1,15}$/);

/** POST /quarantines. Another one of the same test renews it, and its passes are counted again. */
export const QuarantineRequest = QuarantinedTest.extend({
  mode: QuarantineMode,
  owner: words,
  reason: words,
  /** At most 90 days from now. */
  expiresAtMs: z.number().int().min(0),
  /** How often it fails, as far as is known: its flake judgement's lower bound. 0 is not known: it comes back late. */
  rate: z.number().min(0).max(1).default(0),
});
export type QuarantineRequest = z.infer<typeof QuarantineRequest>;

/** POST /quarantines/:quarantine/release. */
export const ReleaseRequest = z.strictObject({ reason: words });
export type ReleaseRequest = z.infer<typeof ReleaseRequest>;

export const QuarantineView = QuarantinedTest.extend({
  quarantine: QuarantineId,
  mode: QuarantineMode,
  owner: z.string(),
  reason: z.string(),
  sinceMs: z.number(),
  expiresAtMs: z.number(),
  rate: z.number(),
  /** It comes back by itself on so many passes in a row; what is skipped gives none. */
  passesInRow: z.number(),
  passesNeeded: z.number(),
});
export type QuarantineView = z.infer<typeof QuarantineView>;

/** GET /quarantines: oldest first. */
export const QuarantineList = z.object({ quarantines: z.array(QuarantineView) });
export type QuarantineList = z.infer<typeof QuarantineList>;

/** What did not count in a task's verdict, and on whose word. */
export const QuarantineNote = z.object({
  quarantine: z.string(),
  path: z.array(z.string()),
  mode: QuarantineMode,
  owner: z.string(),
  reason: z.string(),
  expiresAtMs: z.number(),
  /** Failures of it in the attempt that counts; 0 where it was skipped. */
  failures: z.number(),
});
export type QuarantineNote = z.infer<typeof QuarantineNote>;
