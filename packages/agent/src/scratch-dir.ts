// The agent's scratch directory: in the system's temporary directory under the worker's own id. Short on purpose: tests put
// Unix sockets under TMPDIR, whose paths may have about 100 characters. Found again by the next incarnation, which clears it.
// What always holds: it belongs to this user, is a directory and no link, and nobody else may look inside.
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssayError } from '@assay/protocol';

export function scratchDirectory(worker: string, parent: string = tmpdir()): string {
  return join(parent, `assay-${worker}`);
}

/** Makes it empty. Throws WORKER_STATE_UNUSABLE where somebody else's file is in the way. */
export function clearScratch(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { mode: 0o700 });
    const found = lstatSync(path);
    if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid()))
      throw new Error('it is not ours');
  } catch (error) {
    throw new AssayError('WORKER_STATE_UNUSABLE', `the scratch directory ${path} cannot be made: ${String(error)}`);
  }
}
