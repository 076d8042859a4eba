// Writes the report files that were asked for. A file that cannot be written is a named error, after all others were tried.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AssayError } from '@assay/protocol';
import { toCtrf } from '../report/ctrf.ts';
import { toJson } from '../report/json.ts';
import { toJUnit } from '../report/junit.ts';
import { toMarkdown } from '../report/markdown.ts';
import type { RunReport } from '../report/model.ts';
import { renderSummary } from '../render/summary.ts';
import { paintFor } from '../render/style.ts';

export type ReportOptions = { json?: boolean; junit?: string; ctrf?: string; markdown?: string };

/** Prints the summary (or JSON) and writes every file; returns the paths written. */
export async function writeReports(report: RunReport, options: ReportOptions): Promise<string[]> {
  if (options.json) process.stdout.write(toJson(report));
  else process.stdout.write(renderSummary(report, paintFor(process.stdout)));
  const wanted: [string | undefined, (report: RunReport) => string][] = [
    [options.junit, toJUnit],
    [options.ctrf, toCtrf],
    [options.markdown, toMarkdown],
  ];
  const written: string[] = [];
  const failed: string[] = [];
  for (const [path, form] of wanted) {
    if (path === undefined) continue;
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
