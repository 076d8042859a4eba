// A user's SQL is an attacker's: what it can reach, what it can hold up, and that the answer is what the tables hold.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssayError, QueryAnswer, QueryRequest } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fullStory } from '../../results/journal-story.ts';
import { closeDatabase, type Database, openDatabase } from './open.ts';
import { openDuckDbResultStore } from './store.ts';
import { runUserQuery } from './user-query.ts';

let folder = '';
let database: Database;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-query-'));
  const path = join(folder, 'results.duckdb');
  const store = await openDuckDbResultStore({ path });
  await store.apply(fullStory());
  await store.close();
  database = await openDatabase({ path });
});

afterEach(async () => {
  closeDatabase(database);
  await rm(folder, { recursive: true, force: true });
});

const ask = (sql: string, rowsMax = 1_000): Promise<QueryAnswer> =>
  runUserQuery(database.instance, QueryRequest.parse({ sql, rowsMax }));

const count = async (table: string): Promise<unknown> => (await ask(`SELECT count(*) FROM ${table}`)).rows[0]?.[0];

test('a SELECT answers with names, types and rows that JSON can carry whole', async () => {
  const answer = await ask(
    'SELECT run, 9007199254740993::BIGINT AS big, NULL AS none, [1, 2] AS list FROM runs LIMIT 1',
  );
  expect(answer.columns.map(({ name }) => name)).toEqual(['run', 'big', 'none', 'list']);
  expect(answer.columns[1]?.type).toBe('BIGINT');
  expect(answer.rows[0]?.slice(1)).toEqual(['9007199254740993', null, [1, 2]]);
  expect(QueryAnswer.parse(JSON.parse(JSON.stringify(answer)))).toEqual(answer);
  expect(answer.isCut).toBe(false);
});

test.each([
  ['a write', 'INSERT INTO runs SELECT * FROM runs'],
  ['a deletion', 'DELETE FROM cases'],
  ['a definition', 'CREATE TABLE mine AS SELECT 1'],
  ['the end of its own transaction', 'COMMIT'],
  ['two statements', 'SELECT 1; DELETE FROM cases'],
  ['no statement', '-- nothing'],
  ['a setting', "SET memory_limit = '64GB'"],
  ['a pragma', 'PRAGMA disable_checkpoint_on_shutdown'],
  ['another database', "ATTACH '/tmp/other.duckdb'"],
  ['an export', "COPY (SELECT 1) TO '/tmp/assay-query-must-not-exist.csv'"],
  ['an extension', 'LOAD httpfs'],
  ['a file of the machine', "SELECT * FROM read_text('/etc/passwd')"],
  ['a file by its name', "SELECT * FROM '/etc/passwd'"],
  ['a listing of the machine', "SELECT * FROM glob('/etc/*')"],
  ['what does not exist', 'SELECT * FROM nothing_of_this_name'],
  ['what is no SQL', 'please give me the runs'],
])('%s is refused by name and changes nothing', async (_, sql) => {
  const [runs, cases, files] = [await count('runs'), await count('cases'), await readdir(folder)];
  await expect(ask(sql)).rejects.toMatchObject({ code: 'QUERY_REFUSED' });
  expect([await count('runs'), await count('cases'), await readdir(folder)]).toEqual([runs, cases, files]);
});

test('more rows than asked for are cut and said', async () => {
  const answer = await ask('SELECT * FROM range(10000)', 7);
  expect(answer.rows).toHaveLength(7);
  expect(answer.isCut).toBe(true);
  expect((await ask('SELECT * FROM range(7)', 7)).isCut).toBe(false);
});

test('an answer of too many bytes is cut, however few rows it has', async () => {
  const answer = await ask("SELECT repeat('x', 1000000) FROM range(100)", 100);
  expect(answer.isCut).toBe(true);
  expect(JSON.stringify(answer.rows).length).toBeLessThan(33 * 1024 * 1024);
});

test('a question without end is ended, and others are answered meanwhile and after it', async () => {
  const endless = runUserQuery(
    database.instance,
    { sql: 'SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 11', rowsMax: 1 },
    { ms: 300 },
  );
  const other = ask('SELECT count(*) FROM runs');
  await expect(endless).rejects.toMatchObject({ code: 'QUERY_TOO_LONG' });
  expect((await other).rows).toHaveLength(1);
  expect((await ask('SELECT 1')).rows).toEqual([[1]]);
});

const gathers = "SELECT len(list(repeat('x', 1000) || range)) FROM range(100000000)";

test('a question that gathers more memory than questions may hold is ended, long before the memory of what runs bring in is short', async () => {
  let highestBytes = 0;
  let isOver = false;
  const looker = await database.instance.connect();
  const look = async (): Promise<void> => {
    while (!isOver) {
      const rows = (
        await looker.runAndReadAll('SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory()')
      ).getRows();
      highestBytes = Math.max(highestBytes, Number(rows[0]?.[0]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const looking = look();
  await expect(runUserQuery(database.instance, { sql: gathers, rowsMax: 1 }, { memoryMiB: 64 })).rejects.toMatchObject({
    code: 'QUERY_TOO_LARGE',
  });
  isOver = true;
  await looking;
  looker.closeSync();
  expect(highestBytes).toBeGreaterThan(64 * 2 ** 20);
  expect(highestBytes).toBeLessThan(400 * 2 ** 20);
  expect((await ask('SELECT 1')).rows).toEqual([[1]]);
});

test('questions are ended when the database is wanted by what runs bring in', async () => {
  const wanted = new AbortController();
  const asked = runUserQuery(
    database.instance,
    { sql: gathers, rowsMax: 1 },
    { memoryMiB: 450, signal: wanted.signal },
  );
  wanted.abort(new AssayError('RESULTS_UNAVAILABLE', 'wanted'));
  await expect(asked).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
});
