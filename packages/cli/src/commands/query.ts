// `assay query`: one's own SQL over the results store, read-only.
import type { Command } from 'commander';
import { limit, type QueryAnswer } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions, wholeNumber } from './options.ts';

type QueryOptions = ConnectionOptions & { json?: boolean; rows: number };

export function addQueryCommand(program: Command): void {
  addConnectionOptions(program.command('query').description('Ask the results store in SQL, read-only.'))
    .argument('<sql>', 'one SELECT, in the SQL of DuckDB')
    .option('--rows <n>', 'rows at most', wholeNumber(1, limit('queryRowsMax')), 1_000)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe tables are in docs/reference/results.md.\n\nExamples:\n  assay query "SELECT name, verdict, count(*) AS runs FROM runs GROUP BY ALL ORDER BY ALL"\n  assay query --json "SELECT path, message FROM cases WHERE status = \'failed\' LIMIT 20"',
    )
    .action(action(query));
}

async function query(sql: string, options: QueryOptions): Promise<number> {
  const { client } = await connect(options);
  const answer = await client.query({ sql, rowsMax: options.rows });
  process.stdout.write(options.json ? `${JSON.stringify(answer, null, 2)}\n` : `${textOf(answer)}\n`);
  if (answer.isCut) process.stderr.write(`assay: only the first ${answer.rows.length} rows are shown (--rows)\n`);
  return 0;
}

function textOf({ columns, rows }: QueryAnswer): string {
  if (rows.length === 0) return 'No rows.';
  return table(
    columns.map(({ name }) => name),
    rows.map((row) => row.map(cellOf)),
    process.stdout.isTTY ? process.stdout.columns : 0,
  );
}

const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** One line, without control characters: a test's message cannot steer the terminal. */
function cellOf(value: unknown): string {
  const text = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll(controls, ' ');
}
