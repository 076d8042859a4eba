// Copies of the results store: made while it is written, and put back while runs go on.
import { z } from 'zod';

export const BackupName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/);
/** POST /results/backups and POST /results/restore. */
export const BackupRequest = z.strictObject({ name: BackupName });
export type BackupRequest = z.infer<typeof BackupRequest>;
/** `appliedSeq`: the last journal entry whose rows are in it. What came after is taken from the journal when it is put back. */
export const BackupView = z.object({ name: BackupName, bytes: z.number().int(), appliedSeq: z.number().int() });
export type BackupView = z.infer<typeof BackupView>;
