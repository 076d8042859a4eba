// Writes the report files that were asked for. A file that cannot be written is a named error, after all others were tried.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AssayError } from '@assay/protocol';
import { toJson } from '../report/json.ts';
import type { RunReport } from '../report/model.ts';
import { renderSummary } from '../render/summary.ts';
import { paintFor } from '../render/style.ts';

export type ReportOptions = { json?: boolean; junit?: string; ctrf?: string; markdown?: string };

type Form = (report: RunReport) => string;

/** Each is loaded when its file is asked for: XML and the schema of CTRF take as long to load as the rest of the command. */
const forms: { readonly [name in 'junit' | 'ctrf' | 'markdown']: () => Promise<Form> } = {
  junit: async () => (await import('../report/junit.ts')).toJUnit,
  ctrf: async () => (await import('../report/ctrf.ts')).toCtrf,
  markdown: async () => (await import('../report/markdown.ts')).toMarkdown,
};

/** Prints the summary (or JSON) and writes every file; returns the paths written. */
export async function writeReports(report: RunReport, options: ReportOptions): Promise<string[]> {
  if (options.json) process.stdout.write(toJson(report));
  else process.stdout.write(renderSummary(report, paintFor(process.stdout)));
  const written: string[] = [];
  const failed: string[] = [];
  for (const name of ['junit', 'ctrf', 'markdown'] as const) {
    const path = options[name];
    if (path === undefined) continue;
    const form = await forms[name]();
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, form(report));
      written.push(path);
    } catch (error) {
      failed.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failed.length > 0) throw new AssayError('USAGE', `A report could not be written: ${failed.join('; ')}`, failed);
  return written;
}
