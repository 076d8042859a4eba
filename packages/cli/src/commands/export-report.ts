// `assay report RUN --format F --output PATH`: the run in one of the forms that other tools read. Cases of large runs are written as
// they arrive; those forms that need the whole run hold it.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Client } from '@assay/client';
import { AssayError } from '@assay/protocol';
import { writeAllure } from '../report/allure.ts';
import { caseRows } from '../report/case-rows.ts';
import { toCtrf } from '../report/ctrf.ts';
import { writeFlat } from '../report/flat-files.ts';
import { toJUnit } from '../report/junit.ts';
import { readReport } from '../report/read.ts';

export const exportFormats = ['junit', 'ctrf', 'allure', 'jsonl', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Writes the run; what to say of it. */
export async function exportReport(client: Client, run: string, format: ExportFormat, path: string): Promise<string> {
  try {
    switch (format) {
      case 'junit':
      case 'ctrf': {
        const report = await readReport(client, run, null);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, format === 'junit' ? toJUnit(report) : toCtrf(report));
        return `wrote ${path}`;
      }
      case 'allure':
        return `wrote ${await writeAllure(await readReport(client, run, null), path)} results to ${path}`;
      default: {
        // A run that is not there is said so, rather than written as a file without rows.
        await client.readRun(run);
        return `wrote ${await writeFlat(format, caseRows(client, run), path)} cases to ${path}`;
      }
    }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw new AssayError('USAGE', `${path} cannot be written: ${error.message}`);
    throw error;
  }
}
