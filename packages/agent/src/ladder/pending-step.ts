// A step of recovery that ends this process or this machine, on disk, so that the next incarnation can say that it was taken and
// how long it took. Written before the step, removed when it is reported.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceName, RequestNumber, Rung } from '@assay/protocol';
import { z } from 'zod';

const PendingStep = z.strictObject({
  request: RequestNumber,
  rung: Rung,
  device: DeviceName.optional(),
  /** By the wall clock: it is read by another process, perhaps after a reboot. */
  startedAtMs: z.number(),
});
export type PendingStep = z.infer<typeof PendingStep>;

const pathIn = (stateDir: string): string => join(stateDir, 'recovery.json');

export function writePendingStep(stateDir: string, step: PendingStep): void {
  const path = pathIn(stateDir);
  writeFileSync(`${path}.new`, JSON.stringify(step), { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

/** Null where there is none, or none that can be read: the coordinator then waits in vain, and goes on. */
export function readPendingStep(stateDir: string): PendingStep | null {
  try {
    return PendingStep.parse(JSON.parse(readFileSync(pathIn(stateDir), 'utf8')));
  } catch {
    return null;
  }
}

export function removePendingStep(stateDir: string): void {
  rmSync(pathIn(stateDir), { force: true });
}
