// The formats of `assay import`, each with its reader, and how a file's own content shows which one it is. A file that shows none is
// refused, never guessed from its name alone.
import { benchmarkReaders, parseJUnit, type Reader } from '@assay/agent/formats';
import { readAllure } from './allure.ts';
import { readCtrf } from './ctrf.ts';
import { readPlaywright } from './playwright.ts';
import { readPytestJson } from './pytest-json.ts';
import { readTap } from './tap.ts';
import { readVitestJson } from './vitest-json.ts';

export const importReaders = {
  junit: parseJUnit,
  ctrf: readCtrf,
  allure: readAllure,
  'playwright-json': readPlaywright,
  tap: readTap,
  'pytest-json': readPytestJson,
  'vitest-json': readVitestJson,
  ...benchmarkReaders,
} as const satisfies Record<string, Reader>;
export type ImportFormat = keyof typeof importReaders;
export const importFormats = Object.keys(importReaders) as ImportFormat[];

/** The format of a text, or null where nothing shows it. */
export function formatOf(text: string): ImportFormat | null {
  const start = text.slice(0, 4_096).trimStart();
  if (start.startsWith('<')) return 'junit';
  if (/^(?:\uFEFF)?[[{]/.test(start)) return jsonFormatOf(text);
  if (/^TAP version \d+/m.test(start) || /^(?:not )?ok\b|^1\.\.\d+/m.test(text)) return 'tap';
  return /^Benchmark\S+\s+\d+\s/m.test(text) ? 'go-bench' : null;
}

/** Members that only that format has beside each other. */
const marks: readonly [ImportFormat, readonly string[]][] = [
  ['playwright-json', ['suites', 'config', 'stats']],
  ['google-benchmark', ['context', 'benchmarks']],
  ['pytest-benchmark', ['machine_info', 'benchmarks']],
  ['pytest-json', ['created', 'exitcode', 'summary']],
  ['vitest-json', ['numTotalTests', 'testResults']],
  ['allure', ['uuid', 'name', 'stage']],
  ['tinybench', ['files']],
];

function jsonFormatOf(text: string): ImportFormat | null {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
  if (Array.isArray(value)) {
    const first: unknown = value[0];
    if (has(first, ['uuid', 'stage'])) return 'allure';
    return has(first, ['name', 'result']) ? 'tinybench' : null;
  }
  if (has(value, ['results'])) {
    const { results } = value;
    if (has(results, ['tool', 'tests'])) return 'ctrf';
    return Array.isArray(results) && has(results[0], ['command']) ? 'hyperfine' : null;
  }
  return marks.find(([, members]) => has(value, members))?.[0] ?? null;
}

function has<Member extends string>(value: unknown, members: readonly Member[]): value is Record<Member, unknown> {
  return typeof value === 'object' && value !== null && members.every((member) => member in value);
}
