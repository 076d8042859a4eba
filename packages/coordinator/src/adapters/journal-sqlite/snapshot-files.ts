// Snapshots as files: `<seq>.json`, one header line {seq, digest, bytes} and then the state's text.
// What always holds: a file under its final name is whole and on the disk (written aside, synchronised, renamed, directory
// synchronised); its digest is checked when it is read; the newest two are kept, so that one damaged file costs time, not data.
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export type SnapshotFile = { seq: number; state: string };
const keptSnapshots = 2;
const namePattern = /^(\d{16})\.json$/;

/** Sequences of the snapshots there are, newest first; whether they can be read is not known yet. */
export function listSnapshots(directory: string): number[] {
  mkdirSync(directory, { recursive: true });
  return readdirSync(directory)
    .flatMap((name) => {
      const match = namePattern.exec(name);
      return match ? [Number(match[1])] : [];
    })
    .sort((a, b) => b - a);
}

function pathOf(directory: string, seq: number): string {
  return join(directory, `${String(seq).padStart(16, '0')}.json`);
}

function digestOf(state: string): string {
  return createHash('sha256').update(state).digest('hex');
}

/** Writes one snapshot and removes all but the newest two. Returns the bytes written. */
export function writeSnapshot(directory: string, snapshot: SnapshotFile): number {
  mkdirSync(directory, { recursive: true });
  const header = JSON.stringify({
    seq: snapshot.seq,
    digest: digestOf(snapshot.state),
    bytes: Buffer.byteLength(snapshot.state),
  });
  const content = Buffer.from(`${header}\n${snapshot.state}`);
  const aside = `${pathOf(directory, snapshot.seq)}.${process.pid}.part`;
  const handle = openSync(aside, 'w');
  try {
    for (let at = 0; at < content.length;) at += writeSync(handle, content, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(aside, pathOf(directory, snapshot.seq));
  syncDirectory(directory);
  removeOldest(directory);
  return content.length;
}

function removeOldest(directory: string): void {
  for (const seq of listSnapshots(directory).slice(keptSnapshots)) rmSync(pathOf(directory, seq), { force: true });
}

/** The newest snapshot before `beforeSeq` that is whole, or null. `onDamage` hears of each one that is not. */
export function readLatestSnapshot(
  directory: string,
  beforeSeq: number,
  onDamage: (message: string) => void,
): SnapshotFile | null {
  for (const seq of listSnapshots(directory)) {
    if (seq >= beforeSeq) continue;
    const read = readSnapshot(directory, seq);
    if (typeof read !== 'string') return read;
    onDamage(`snapshot ${seq} cannot be used: ${read}`);
  }
  return null;
}

/** The snapshot, or why it cannot be used. */
function readSnapshot(directory: string, seq: number): SnapshotFile | string {
  try {
    const text = readFileSync(pathOf(directory, seq), 'utf8');
    const headerEnd = text.indexOf('\n');
    const header = JSON.parse(text.slice(0, headerEnd)) as { seq: number; digest: string };
    const state = text.slice(headerEnd + 1);
    if (header.seq !== seq || header.digest !== digestOf(state)) return 'its digest does not match';
    return { seq, state };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Removes what a crash left: a snapshot half written, and the oldest one where the newest was written and the crash came before the removal. */
export function removeLeftovers(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory)) if (name.endsWith('.part')) rmSync(join(directory, name), { force: true });
  removeOldest(directory);
}

function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
