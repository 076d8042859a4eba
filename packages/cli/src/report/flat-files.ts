// Cases as JSON lines, CSV (RFC 4180, with a header) and Parquet, written row by row so that a run of any size needs little memory.
// What always holds: a file is there only when it is whole; what is half written has another name and is removed.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { caseColumns, type FlatCase } from './case-rows.ts';

export type FlatFormat = 'jsonl' | 'csv' | 'parquet';
type Rows = AsyncIterable<FlatCase>;

/** Writes the rows; the number of them. */
export async function writeFlat(format: FlatFormat, rows: Rows, path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  try {
    const count = format === 'parquet' ? await parquet(rows, partial) : await text(format, rows, partial);
    await rename(partial, path);
    return count;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function text(format: 'jsonl' | 'csv', rows: Rows, path: string): Promise<number> {
  let count = 0;
  async function* lines(): AsyncGenerator<string> {
    if (format === 'csv') yield `${caseColumns.join(',')}\r\n`;
    for await (const row of rows) {
      count += 1;
      yield format === 'csv' ? `${caseColumns.map((name) => cell(row[name])).join(',')}\r\n` : `${jsonLine(row)}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
  return count;
}

/** Titles and measurements as they are, not as text in text. */
function jsonLine(row: FlatCase): string {
  const { path, measurements, ...rest } = row;
  return JSON.stringify({
    ...rest,
    path: JSON.parse(String(path)) as unknown,
    measurements: measurements === null ? null : (JSON.parse(String(measurements)) as unknown),
  });
}

function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  const shown = String(value);
  // A spreadsheet takes text that begins so for a formula, and test code wrote this text.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const chunkRows = 2_000;

/** By DuckDB in memory, which spills nothing and keeps what it was given until the file is written. */
async function parquet(rows: Rows, path: string): Promise<number> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '256MiB', threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(`CREATE TABLE cases (
      run VARCHAR, task VARCHAR, suite VARCHAR, target VARCHAR, attempt INTEGER, final BOOLEAN, ordinal INTEGER, path VARCHAR,
      status VARCHAR, duration_ms DOUBLE, worker VARCHAR, line INTEGER, runner_retries INTEGER, message VARCHAR, stack VARCHAR,
      measurements VARCHAR)`);
    const appender = await connection.createAppender('cases');
    let count = 0;
    for await (const row of rows) {
      for (const name of caseColumns) {
        const value = row[name];
        if (value === null) appender.appendNull();
        else if (typeof value === 'boolean') appender.appendBoolean(value);
        else if (name === 'duration_ms') appender.appendDouble(Number(value));
        else if (typeof value === 'number') appender.appendInteger(value);
        else appender.appendVarchar(value);
      }
      appender.endRow();
      count += 1;
      if (count % chunkRows === 0) appender.flushSync();
    }
    appender.closeSync();
    await connection.run('COPY cases TO $path (FORMAT parquet, COMPRESSION zstd)', { path });
    return count;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
