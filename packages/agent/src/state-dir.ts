// The agent's state directory: who this worker is, and that no other process uses it now.
//
//   lock.db     held exclusively while the agent runs: a lock of the operating system, gone with its process
//   worker.json {"worker": "w-..."}: the id, chosen once
//   spool/      reports that the coordinator has not acknowledged, and the numbers reserved for the next ones
//   work.ndjson attempts in hand, for the accounting after a kill
//   outbox/     files of finished attempts, by digest, until the coordinator has them
//   sources/    unpacked bundles, by digest and set-up
//   scratch/    of running attempts; emptied at every start
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssayError, WorkerId } from '@assay/protocol';

export type StateDir = {
  /** Absolute and without links, so that it can be found in the environment of processes. */
  path: string;
  worker: WorkerId;
  release(): void;
};

/** Throws WORKER_STATE_IN_USE or WORKER_STATE_UNUSABLE. */
export async function openStateDir(directory: string): Promise<StateDir> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = realpathSync(directory);
    const release = await lock(path);
    try {
      return { path, worker: readWorker(path), release };
    } catch (error) {
      release();
      throw error;
    }
  } catch (error) {
    if (error instanceof AssayError) throw error;
    throw new AssayError(
      'WORKER_STATE_UNUSABLE',
      `the state directory ${directory} cannot be used: ${String(error)}`,
      undefined,
      error,
    );
  }
}

/**
 * SQLite's exclusive lock rather than a file with a process id: it works between containers that share a volume, and a
 * process that dies cannot leave it behind.
 */
async function lock(path: string): Promise<() => void> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(path, 'lock.db'));
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(String(error)))
      throw new AssayError('WORKER_STATE_IN_USE', `another agent uses the state directory ${path}`);
    throw error;
  }
  return () => database.close();
}

function readWorker(path: string): WorkerId {
  const file = join(path, 'worker.json');
  try {
    return WorkerId.parse((JSON.parse(readFileSync(file, 'utf8')) as { worker?: unknown }).worker);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new Error(`${file} is damaged: ${String(error)}`, { cause: error });
  }
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const worker = WorkerId.parse(`w-${[...randomBytes(10)].map((byte) => alphabet[byte % 32]).join('')}`);
  writeFileSync(`${file}.new`, JSON.stringify({ worker }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return worker;
}
