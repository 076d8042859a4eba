// From reports that were read to what a run is imported from: suites by format, tasks by file and variant, cases within the limits
// of the protocol. What always holds: the same reports give the same content, in whatever order they are named.
import { isAbsolute, relative } from 'node:path';
import { toCase, type ReadCase } from '@assay/agent/formats';
import { AssayError, limit, type ImportedContent, type ImportedTask } from '@assay/protocol';
import type { ImportedFile } from './read-files.ts';

export type ContentOptions = {
  project: string;
  /** Instead of the name of the format. */
  suite?: string;
  /** Absolute names of test files are told relative to it. */
  base: string;
};

export function contentOf(files: readonly ImportedFile[], options: ContentOptions): ImportedContent {
  const suites: ImportedContent['suites'] = [];
  const tasks = new Map<string, ImportedTask>();
  let starts: number[] = [];
  const sorted = files.toSorted((a, b) => compare(a.format, b.format) || compare(a.file, b.file));
  for (const { file, format, report } of sorted) {
    const name = options.suite ?? format;
    let suite = suites.findIndex((one) => one.name === name && one.format === format);
    if (suite < 0) suite = suites.push({ name, format }) - 1;
    if (report.startedAtMs !== undefined) starts.push(report.startedAtMs);
    for (const read of report.cases) {
      const one = toCase(read);
      if (one === null)
        throw new AssayError('IMPORT_UNREADABLE', `${file}: a case breaks the limits: ${read.path.join(' > ')}`);
      taskOf(tasks, suite, read, options.base).cases.push(one);
    }
  }
  const list = [...tasks.values()];
  if (list.length === 0)
    throw new AssayError('IMPORT_UNREADABLE', `${files.map(({ file }) => file).join(', ')}: there is no test in it`);
  const tooMany = list.find(({ cases }) => cases.length > limit('casesPerAttempt'));
  if (list.length > limit('tasksPerImport') || tooMany !== undefined)
    throw new AssayError(
      'IMPORT_TOO_LARGE',
      tooMany === undefined
        ? `${list.length} test files; one run has at most ${limit('tasksPerImport')}.`
        : `${tooMany.target || 'one file'} has ${tooMany.cases.length} cases; at most ${limit('casesPerAttempt')} are taken.`,
    );
  starts = starts.filter((ms) => ms >= 0);
  const startedAtMs = starts.length === 0 ? null : starts.reduce((a, b) => Math.min(a, b));
  return { project: options.project, suites, tasks: list, startedAtMs };
}

function taskOf(tasks: Map<string, ImportedTask>, suite: number, read: ReadCase, base: string): ImportedTask {
  const target = shown(read.target ?? '', base);
  const key = JSON.stringify([suite, target, read.variant ?? null]);
  let task = tasks.get(key);
  if (task === undefined) {
    task = { suite, target, ...(read.variant === undefined ? {} : { variant: read.variant }), cases: [] };
    tasks.set(key, task);
  }
  return task;
}

/** A test file as it is named from the project: machines check out elsewhere, and a test is the same there. */
function shown(target: string, base: string): string {
  const inside = isAbsolute(target) ? relative(base, target) : target;
  const name = inside.startsWith('..') ? target : inside;
  return name.replaceAll('\\', '/').slice(0, limit('targetChars'));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
