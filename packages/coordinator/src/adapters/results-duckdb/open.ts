// Opens the results database: checks its version, migrates it forward, connects.
//
// What always holds: a file that a newer version wrote is refused before anything is written to it (it is first opened
// read-only); migrations only go forward, each in one transaction with its record; no extension is loaded or fetched.
// One process may hold the file, and in it one store: DuckDB refuses a second process, but would let a second instance
// in the same process open the same file and lose its rows. The state directory's lock and the one thread that follows
// the journal are what prevents that. That thread must be let end by itself once the store is closed: terminating it
// while DuckDB works aborts the whole process.
import { existsSync } from 'node:fs';
import { AssayError } from '@assay/protocol';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { migrations, statements } from './statements.ts';

export type DuckDbOptions = {
  path: string;
  /** DuckDB's own buffers. It spills to disk beyond that. */
  memoryMiB?: number;
  /** Threads of a query; one leaves the other cores to the coordinator and to local workers. */
  threads?: number;
};

/** `writer` applies entries; `reader` answers questions beside it, each on what is committed. */
export type Database = { instance: DuckDBInstance; writer: DuckDBConnection; reader: DuckDBConnection };

/** The newest schema that this version knows. */
export const schemaVersion = Math.max(...migrations.map((migration) => migration.version));

export async function openDatabase(options: DuckDbOptions): Promise<Database> {
  const { path, memoryMiB = 512, threads = 1 } = options;
  const settings = {
    memory_limit: `${memoryMiB}MiB`,
    threads: String(threads),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Users ask in SQL of their own: it reaches this file and nothing else of the machine.
    enable_external_access: 'false',
    lock_configuration: 'true',
  };
  if (existsSync(path)) await checkVersion(path, settings);
  const instance = await open(path, settings);
  try {
    const writer = await instance.connect();
    const from = await versionOf(writer);
    refuseNewer(path, from);
    for (const migration of migrations) {
      if (migration.version <= from) continue;
      await writer.run('BEGIN');
      await writer.run(migration.sql);
      await writer.run('INSERT INTO migrations VALUES ($version, $name)', {
        version: migration.version,
        name: migration.name,
      });
      await writer.run('COMMIT');
    }
    return { instance, writer, reader: await instance.connect() };
  } catch (error) {
    instance.closeSync();
    if (error instanceof AssayError) throw error;
    throw unavailable(path, error);
  }
}

/** Looks at a file that nobody has open: RESULTS_NEWER, RESULTS_UNAVAILABLE where it is no results database. */
export async function inspectDatabase(path: string): Promise<{ appliedSeq: number }> {
  const instance = await open(path, { access_mode: 'READ_ONLY', memory_limit: '128MiB', threads: '1' });
  try {
    const connection = await instance.connect();
    refuseNewer(path, await versionOf(connection, { readOnly: true }));
    const found = await connection.runAndReadAll(statements['applied-seq']);
    connection.closeSync();
    const value = found.getRows()[0]?.[0];
    if (value === undefined) throw unavailable(path, 'it does not say up to where it was written');
    return { appliedSeq: Number(value) };
  } catch (error) {
    throw error instanceof AssayError ? error : unavailable(path, error);
  } finally {
    instance.closeSync();
  }
}

export function closeDatabase(database: Database): void {
  database.reader.closeSync();
  database.writer.closeSync();
  database.instance.closeSync();
}

export function unavailable(path: string, cause: unknown): AssayError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AssayError('RESULTS_UNAVAILABLE', `${path}: ${reason}`, undefined, cause);
}

async function checkVersion(path: string, settings: Record<string, string>): Promise<void> {
  const instance = await open(path, { ...settings, access_mode: 'READ_ONLY' });
  try {
    const connection = await instance.connect();
    refuseNewer(path, await versionOf(connection, { readOnly: true }));
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

async function open(path: string, settings: Record<string, string>): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(path, settings);
  } catch (error) {
    // The file format itself may be newer than our DuckDB: it then says "created with a newer version of DuckDB".
    if (error instanceof Error && /newer version|storage version/i.test(error.message))
      throw newer(path, error.message);
    throw unavailable(path, error);
  }
}

async function versionOf(connection: DuckDBConnection, options?: { readOnly: boolean }): Promise<number> {
  if (!options?.readOnly)
    await connection.run('CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL, name VARCHAR NOT NULL)');
  const known = await connection.runAndReadAll("SELECT 1 FROM duckdb_tables() WHERE table_name = 'migrations'");
  if (known.currentRowCount === 0) return 0;
  const rows = await connection.runAndReadAll('SELECT coalesce(max(version), 0) FROM migrations');
  return Number(rows.getRows()[0]?.[0] ?? 0);
}

function refuseNewer(path: string, version: number): void {
  if (version > schemaVersion) throw newer(path, `its schema is ${version}, this version knows ${schemaVersion}`);
}

function newer(path: string, reason: string): AssayError {
  return new AssayError('RESULTS_NEWER', `${path}: ${reason}. It was left as it is.`);
}
