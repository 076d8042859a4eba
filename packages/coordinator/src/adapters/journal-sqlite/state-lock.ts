// One process a state directory. The lock is an exclusive SQLite transaction on a file of its own: the operating system
// releases it when the process dies, however it dies, so there is nothing stale to clean up.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AssayError } from '@assay/protocol';

export type StateLock = { release(): void };

/** Takes the directory, or throws STATE_IN_USE. */
export function lockState(directory: string): StateLock {
  const database = new DatabaseSync(join(directory, 'lock.sqlite'));
  try {
    // A journal that is never written keeps the lock to one file; busy_timeout 0: the answer is wanted now.
    database.exec(
      'PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE',
    );
  } catch (error) {
    database.close();
    const isBusy = error instanceof Error && /locked|busy/i.test(error.message);
    if (!isBusy) throw error;
    throw new AssayError('STATE_IN_USE', `another process uses the state directory ${directory}`, undefined, error);
  }
  return { release: () => database.close() };
}
