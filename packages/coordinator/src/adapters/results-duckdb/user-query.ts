// A user's own SQL over the results: somebody else's code beside the one copy of everybody's history.
// What always holds: one statement, and only what DuckDB itself parses as a SELECT; in a read-only transaction; no files,
// network, extensions or settings (the instance is opened without external access, with its configuration locked); ended after a
// limit of time, rows and bytes, on a connection of its own, so that other questions are neither waited for nor interrupted; and ended
// when questions together hold more memory than they may (DuckDB has one limit for all connections), or when a write asks for it.
import { AssayError, limit, type QueryAnswer, type QueryRequest } from '@assay/protocol';
import { type DuckDBConnection, type DuckDBInstance, type DuckDBResult, StatementType } from '@duckdb/node-api';

export type QueryLimits = {
  ms?: number;
  memoryMiB?: number;
  /** Aborted, with its error as the reason, when the database is closed or what runs bring in cannot be written beside it. */
  signal?: AbortSignal;
};

/** How often its memory is looked at: DuckDB can take some 50 MiB in this time. */
const lookMs = 20;

/**
 * Answers. QUERY_REFUSED for what is no single SELECT or does not fit the schema, QUERY_TOO_LONG and QUERY_TOO_LARGE where it is
 * ended.
 */
export async function runUserQuery(
  instance: DuckDBInstance,
  { sql, rowsMax }: QueryRequest,
  { ms = limit('queryMs'), memoryMiB = limit('queryMemoryMiB'), signal }: QueryLimits = {},
): Promise<QueryAnswer> {
  const startedMs = performance.now();
  const connection = await instance.connect();
  let ended = null as AssayError | null;
  let again: NodeJS.Timeout | undefined;
  const end = (error: AssayError): void => {
    if (ended !== null) return;
    ended = error;
    connection.interrupt();
    // What DuckDB is about to begin does not know of it yet.
    again = setInterval(() => connection.interrupt(), lookMs);
  };
  const timer = setTimeout(() => end(new AssayError('QUERY_TOO_LONG', `it was ended after ${ms} ms`)), ms);
  const onAbort = (): void => end(signal?.reason as AssayError);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort);
  const tooMuch = (): void =>
    end(new AssayError('QUERY_TOO_LARGE', `questions may hold ${memoryMiB} MiB of memory together`));
  let stopLooking = async (): Promise<void> => undefined;
  try {
    stopLooking = await watchMemory(instance, memoryMiB, tooMuch);
    const result = await selectOf(connection, sql);
    const { rows, isCut } = await readRows(result, rowsMax);
    const types = result.columnTypes();
    const columns = result.columnNames().map((name, at) => ({ name, type: String(types[at]) }));
    return { columns, rows, isCut, tookMs: performance.now() - startedMs };
  } catch (error) {
    if (ended !== null) throw ended;
    if (error instanceof AssayError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const code = message.startsWith('Out of Memory') ? 'QUERY_TOO_LARGE' : 'QUERY_REFUSED';
    throw new AssayError(code, message, undefined, error);
  } finally {
    clearTimeout(timer);
    clearInterval(again);
    signal?.removeEventListener('abort', onAbort);
    await stopLooking();
    connection.closeSync();
  }
}

/** Looks at what DuckDB holds beyond pages of tables, which it gives back when it wants them; `tooMuch` at most once. */
async function watchMemory(
  instance: DuckDBInstance,
  memoryMiB: number,
  tooMuch: () => void,
): Promise<() => Promise<void>> {
  const connection = await instance.connect();
  const held = await connection.prepare(
    "SELECT coalesce(sum(memory_usage_bytes), 0)::DOUBLE FROM duckdb_memory() WHERE tag <> 'BASE_TABLE'",
  );
  const stop = Promise.withResolvers<'stop'>();
  let timer: NodeJS.Timeout | undefined;
  const pause = (): Promise<'next'> => new Promise((resolve) => (timer = setTimeout(resolve, lookMs, 'next')));
  const look = async (): Promise<void> => {
    while ((await Promise.race([stop.promise, pause()])) === 'next') {
      const bytes = Number((await held.runAndReadAll()).getRows()[0]?.[0] ?? 0);
      if (bytes > memoryMiB * 2 ** 20) return tooMuch();
    }
  };
  const looking = look().catch(() => undefined);
  return async () => {
    clearTimeout(timer);
    stop.resolve('stop');
    await looking;
    connection.closeSync();
  };
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
