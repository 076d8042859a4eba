// The history of a project's local runs, for the commands that ask: a coordinator on the project's state directory, for as long as the
// command lives, without workers.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorsOnly } from './errors-only.ts';
import { projectStateDirectory } from './state-directory.ts';

const closers: (() => Promise<void>)[] = [];

/** Null where the project has no local runs. Throws STATE_IN_USE while one is going on. */
export async function openLocalHistory(projectDir: string): Promise<{ url: string; token: string } | null> {
  const stateDir = projectStateDirectory(projectDir);
  if (!existsSync(join(stateDir, 'journal'))) return null;
  const { startCoordinator } = await import('@assay/coordinator');
  const token = `assay_local_${randomBytes(32).toString('base64url')}`;
  const coordinator = await startCoordinator({
    stateDir,
    host: '127.0.0.1',
    port: 0,
    ownerSecret: token,
    log: errorsOnly(),
  });
  closers.push(() => coordinator.stop());
  return { url: coordinator.url, token };
}

/** Closes what was opened; called when a command ends. */
export async function closeLocalHistory(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}
