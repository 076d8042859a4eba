// Copies of the database file, beside it under backups/.
// What always holds: a copy is made between two batches, after a checkpoint, so that it is one state and has no log beside it; it has
// its name only when it is whole on the disk; what is put back was opened and looked at first.
import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AssayError, type BackupView } from '@assay/protocol';
import { inspectDatabase, type Database } from './open.ts';

export function backupPath(path: string, name: string): string {
  return join(dirname(path), 'backups', `${name}.duckdb`);
}

/** CONFLICT where the name is taken. Nothing may write meanwhile. */
export async function writeBackup(database: Database, path: string, name: string): Promise<BackupView> {
  const target = backupPath(path, name);
  if ((await sizeOf(target)) !== null) throw new AssayError('CONFLICT', `there is a backup ${name} already`);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const partial = `${target}.partial`;
  try {
    await database.writer.run('FORCE CHECKPOINT');
    await copySafely(path, partial);
    const { appliedSeq } = await inspectDatabase(partial);
    await rename(partial, target);
    return { name, bytes: (await sizeOf(target)) ?? 0, appliedSeq };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** What a backup is; NOT_FOUND where there is none, RESULTS_NEWER and RESULTS_UNAVAILABLE where it cannot be used. */
export async function inspectBackup(path: string, name: string): Promise<BackupView> {
  const source = backupPath(path, name);
  const bytes = await sizeOf(source);
  if (bytes === null) throw new AssayError('NOT_FOUND', `there is no backup ${name}`);
  const { appliedSeq } = await inspectDatabase(source);
  return { name, bytes, appliedSeq };
}

/** Puts the backup in the place of a database that is closed. */
export async function placeBackup(path: string, name: string): Promise<void> {
  const partial = `${path}.partial`;
  await copySafely(backupPath(path, name), partial);
  await rm(`${path}.wal`, { force: true });
  await rename(partial, path);
}

async function copySafely(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}
