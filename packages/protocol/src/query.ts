// A question in SQL to the results, and its answer. Only reading, one statement, bounded in rows, bytes and time.
import { z } from 'zod';
import { limit } from './limits.ts';

/** POST /query. */
export const QueryRequest = z.strictObject({
  /** One SELECT in DuckDB's SQL over the tables of docs/reference/results.md. */
  sql: z.string().min(1).max(limit('queryChars')),
  /** Rows beyond this are left out, and `isCut` says so. */
  rowsMax: z.number().int().min(1).max(limit('queryRowsMax')).default(1_000),
});
export type QueryRequest = z.infer<typeof QueryRequest>;

export const QueryAnswer = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  /** As JSON has them: 64-bit integers and decimals are strings, so that no digit is lost. */
  rows: z.array(z.array(z.unknown())),
  /** There were more rows than `rowsMax`, or more bytes than one answer may have. */
  isCut: z.boolean(),
  tookMs: z.number(),
});
export type QueryAnswer = z.infer<typeof QueryAnswer>;
