// Exports of cases: what comes out, read again by readers that are not ours where there are any.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importReaders } from '../import/formats.ts';
import { hostile, reportFixture } from '../testing/report-fixture.ts';
import { writeAllure } from './allure.ts';
import { caseColumns, type FlatCase } from './case-rows.ts';
import { writeFlat } from './flat-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-export-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function flat(ordinal: number, more: Partial<FlatCase> = {}): FlatCase {
  const none = Object.fromEntries(caseColumns.map((name) => [name, null])) as FlatCase;
  const path = JSON.stringify(['group', hostile]);
  return {
    ...none,
    run: 'r-1',
    task: 'r-1.0',
    suite: 's',
    target: 'a,b',
    attempt: 1,
    final: true,
    ordinal,
    path,
    status: 'passed',
    duration_ms: 0.125,
    ...more,
  };
}
const measurements = JSON.stringify([{ metric: 'time', unit: 'ms', value: 1, direction: 'lower' }]);
const rows = [flat(0), flat(1, { status: 'failed', message: '=cmd|"x"\r\nnext', line: 3 }), flat(2, { measurements })];
async function* given(list: readonly FlatCase[]): AsyncGenerator<FlatCase> {
  yield* list;
}

async function asked(sql: string, path: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const found = (await connection.runAndReadAll(sql, { path })).getRowObjectsJS();
  connection.closeSync();
  instance.closeSync();
  return found;
}

test('Parquet holds every row with its types', async () => {
  const path = join(folder, 'cases.parquet');
  expect(await writeFlat('parquet', given(rows), path)).toBe(3);
  expect(await asked('SELECT * FROM read_parquet($path) ORDER BY ordinal', path)).toEqual(rows);
});

test('CSV is read back by DuckDB, and text that a spreadsheet would run is text', async () => {
  const path = join(folder, 'cases.csv');
  await writeFlat('csv', given(rows), path);
  const found = await asked('SELECT path, message, line FROM read_csv($path, header = true, all_varchar = true)', path);
  expect(found).toMatchObject([
    { message: null },
    { message: '\'=cmd|"x"\r\nnext', line: '3' },
    { path: rows[2]?.path },
  ]);
});

test('JSON lines have titles and measurements as they are', async () => {
  const path = join(folder, 'cases.jsonl');
  await writeFlat('jsonl', given(rows), path);
  const lines = (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({ path: ['group', hostile], final: true, message: null, measurements: null });
  expect(lines[2]?.['measurements']).toEqual([{ metric: 'time', unit: 'ms', value: 1, direction: 'lower' }]);
});

test('a file that could not be written to its end is not there', async () => {
  const path = join(folder, 'half.jsonl');
  async function* breaks(): AsyncGenerator<FlatCase> {
    yield flat(0);
    throw new Error('the coordinator is gone');
  }
  await expect(writeFlat('jsonl', breaks(), path)).rejects.toThrow('the coordinator is gone');
  expect((await readdir(folder)).filter((name) => name.startsWith('half'))).toEqual([]);
});

test('Allure results come in again as they went out, and writing them twice changes nothing', async () => {
  const directory = join(folder, 'allure-results');
  const report = reportFixture();
  const count = await writeAllure(report, directory);
  await writeAllure(report, directory);
  const files = await readdir(directory);
  expect(files).toHaveLength(count);
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')));
  const read = importReaders.allure(`[${texts.join(',')}]`, 'allure-results');
  if (read.kind !== 'cases') throw new Error(read.reason);
  expect(read.cases.map(({ status }) => status).toSorted()).toEqual([
    'failed',
    'failed',
    'failed',
    'passed',
    'skipped',
  ]);
});
