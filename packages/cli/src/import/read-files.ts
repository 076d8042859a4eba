// Reads the report files that were named. What always holds: all of them are read or none counts, sizes are bounded before anything
// is read, and every refusal names its file.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ReadReport } from '@assay/agent/formats';
import { AssayError } from '@assay/protocol';
import { formatOf, importReaders, type ImportFormat } from './formats.ts';

export type ImportedFile = {
  file: string;
  format: ImportFormat;
  report: Extract<ReadReport, { kind: 'cases' }>;
};

const fileBytesMax = 128 * 1024 * 1024;
const filesMax = 20_000;

/** IMPORT_UNREADABLE for what is no report of a known format, or is damaged; IMPORT_TOO_LARGE above the bounds. */
export async function readReports(paths: readonly string[], format: ImportFormat | null): Promise<ImportedFile[]> {
  const found: ImportedFile[] = [];
  for (const path of paths) {
    if (!(await statOf(path)).isDirectory()) {
      found.push(readText(path, await textOf(path), format));
      continue;
    }
    const names = (await readdir(path)).toSorted();
    const results = names.filter((name) => name.endsWith('-result.json'));
    const reports = results.length > 0 ? results : names.filter((name) => /\.(xml|json|tap)$/.test(name));
    if (reports.length === 0) throw unreadable(path, 'there is no report in this directory');
    if (reports.length > filesMax)
      throw new AssayError('IMPORT_TOO_LARGE', `${path} has ${reports.length} reports; at most ${filesMax} are read.`);
    // The results of Allure are one report in many files.
    if (results.length > 0) found.push(await readAllureDirectory(path, results));
    else for (const name of reports) found.push(readText(join(path, name), await textOf(join(path, name)), format));
  }
  return found;
}

async function readAllureDirectory(path: string, names: readonly string[]): Promise<ImportedFile> {
  const texts: string[] = [];
  for (const name of names) {
    const text = await textOf(join(path, name));
    // Each by itself first, so that what is damaged is named.
    readText(join(path, name), text, 'allure');
    texts.push(text);
  }
  return readText(path, `[${texts.join(',')}]`, 'allure');
}

function readText(file: string, text: string, wanted: ImportFormat | null): ImportedFile {
  const format = wanted ?? formatOf(text);
  if (format === null)
    throw unreadable(file, 'its content shows none of the known formats; name it with --format if it is one of them');
  const report = importReaders[format](text, basename(file));
  if (report.kind === 'trouble') throw unreadable(file, report.reason);
  return { file, format, report };
}

async function textOf(file: string): Promise<string> {
  const { size } = await statOf(file);
  if (size > fileBytesMax)
    throw new AssayError('IMPORT_TOO_LARGE', `${file} has ${size} bytes; at most ${fileBytesMax} are read.`);
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, String(error));
  });
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>>> {
  return await stat(path).catch((error: unknown) => {
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  });
}

function unreadable(file: string, reason: string): AssayError {
  return new AssayError('IMPORT_UNREADABLE', `${file}: ${reason}`);
}
