// A user's own SQL over the results: somebody else's code beside the one copy of everybody's history.
// What always holds: one statement, and only what DuckDB itself parses as a SELECT; in a read-only transaction; no files,
// network, extensions or settings (the instance is opened without external access, with its configuration locked); ended after a
// limit of time, rows and bytes, on a connection of its own, so that other questions are neither waited for nor interrupted.
import { AssayError, limit, type QueryAnswer, type QueryRequest } from '@assay/protocol';
import { type DuckDBConnection, type DuckDBInstance, type DuckDBResult, StatementType } from '@duckdb/node-api';

/** Answers. QUERY_REFUSED for what is no single SELECT or does not fit the schema, QUERY_TOO_LONG where it is ended. */
export async function runUserQuery(
  instance: DuckDBInstance,
  { sql, rowsMax }: QueryRequest,
  limitMs: number = limit('queryMs'),
): Promise<QueryAnswer> {
  const startedMs = performance.now();
  const connection = await instance.connect();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.interrupt();
  }, limitMs);
  try {
    const result = await selectOf(connection, sql);
    const { rows, isCut } = await readRows(result, rowsMax);
    const types = result.columnTypes();
    const columns = result.columnNames().map((name, at) => ({ name, type: String(types[at]) }));
    return { columns, rows, isCut, tookMs: performance.now() - startedMs };
  } catch (error) {
    if (isLate) throw new AssayError('QUERY_TOO_LONG', `it was ended after ${limitMs} ms`, undefined, error);
    if (error instanceof AssayError) throw error;
    throw new AssayError('QUERY_REFUSED', error instanceof Error ? error.message : String(error), undefined, error);
  } finally {
    clearTimeout(timer);
    connection.closeSync();
  }
}

async function selectOf(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1)
    throw new AssayError('QUERY_REFUSED', `it holds ${statements.count} statements; one SELECT is taken`);
  await connection.run('BEGIN TRANSACTION READ ONLY');
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT)
    throw new AssayError('QUERY_REFUSED', 'only a SELECT is taken: results are read here and written by runs');
  return await prepared.stream();
}

type Rows = QueryAnswer['rows'];

/** Rows as they come, until there are enough of them. */
async function readRows(result: DuckDBResult, rowsMax: number): Promise<{ rows: Rows; isCut: boolean }> {
  const rows: Rows = [];
  let bytes = 0;
  for await (const chunk of result.yieldRowsJson()) {
    for (const row of chunk) {
      bytes += JSON.stringify(row).length;
      if (rows.length === rowsMax || bytes > limit('queryAnswerBytes')) return { rows, isCut: true };
      rows.push(row as Rows[number]);
    }
  }
  return { rows, isCut: false };
}
