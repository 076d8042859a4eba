// The questions that are asked of the results database: each a .sql file that opens with the question in words.
// What always holds: no SQL is put together from strings, and every value is bound.
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('./sql/', import.meta.url);

const names = [
  'analysis-executions',
  'analysis-failures',
  'analysis-profiles',
  'analysis-samples',
  'applied-seq',
  'assignments-of-run',
  'attempts-of-tasks',
  'erase-project',
  'list-cases',
  'list-runs',
  'list-tasks',
  'measurements-of-cases',
  'read-run',
  'remove-cases',
  'remove-measurements',
  'remove-open-attempts',
  'remove-runs',
  'remove-workers',
  'resume-open-attempts',
  'resume-profiles',
  'resume-requeued',
  'resume-runs',
  'resume-workers',
  'set-applied-seq',
] as const;

export type StatementName = (typeof names)[number];

export const statements = Object.fromEntries(
  names.map((name) => [name, readFileSync(new URL(`${name}.sql`, folder), 'utf8')]),
) as Record<StatementName, string>;

/** A step of the schema. Numbers count from 1 without gaps; a file once released never changes. */
export type Migration = { version: number; name: string; sql: string };

export const migrations: readonly Migration[] = readMigrations(new URL('./migrations/', import.meta.url));

function readMigrations(from: URL): Migration[] {
  return readdirSync(from)
    .filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file))
    .toSorted()
    .map((file) => ({ version: Number(file.slice(0, 4)), name: file, sql: readFileSync(new URL(file, from), 'utf8') }));
}
