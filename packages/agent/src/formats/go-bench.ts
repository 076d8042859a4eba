// The text that `go test -bench` prints. A line is a benchmark's name, its iterations, and pairs of value and unit; with -count a
// benchmark has several lines, each a sample. Source of the form: go.dev/design/14313-benchmark-format.
import type { Measurement } from '@assay/protocol';
import { corrupt, failureFrom, measured, type ReadCase, type Reader } from './read-case.ts';

const resultLine = /^(Benchmark\S+)\s+(\d+)((?:\s+[-+\d.eE]+(?:Inf|NaN)?\s+\S+)+)\s*$/;
const failedLine = /^\s*--- FAIL: (Benchmark\S+?)(-\d+)?(?:\s|$)/;
const skippedLine = /^\s*--- SKIP: (Benchmark\S+?)(-\d+)?(?:\s|$)/;

export const readGoBench: Reader = (text, name) => {
  const found = new Map<string, Draft>();
  let pkg = '';
  let failing: Draft | null = null;
  for (const line of text.split(/\r?\n/)) {
    const header = /^pkg: (\S+)/.exec(line);
    if (header) pkg = header[1] ?? '';
    const result = resultLine.exec(line);
    const outcome = failedLine.exec(line) ?? skippedLine.exec(line);
    if (result) {
      failing = null;
      draftOf(found, pkg, result[1] ?? '').rows.push({ line, iterations: Number(result[2]), pairs: result[3] ?? '' });
    } else if (outcome) {
      const draft = draftOf(found, pkg, outcome[1] ?? '');
      draft.status = failedLine.test(line) ? 'failed' : 'skipped';
      failing = draft;
    } else if (failing && /^\s{4}/.test(line)) failing.words.push(line.trim());
    else failing = null;
  }
  if (found.size === 0) return corrupt(`${name} has no line of a Go benchmark`);
  return { kind: 'cases', cases: [...found.values()].map(caseOf) };
};

type Draft = {
  pkg: string;
  title: string;
  status: 'passed' | 'failed' | 'skipped';
  rows: { line: string; iterations: number; pairs: string }[];
  words: string[];
};

function draftOf(found: Map<string, Draft>, pkg: string, shown: string): Draft {
  // The suffix is GOMAXPROCS, which is of the machine and no part of the name; it is kept as a covariate.
  const title = shown.replace(/-\d+$/, '');
  const key = `${pkg} ${title}`;
  const known = found.get(key) ?? { pkg, title, status: 'passed', rows: [], words: [] };
  found.set(key, known);
  return known;
}

function caseOf({ pkg, title, status, rows, words }: Draft): ReadCase {
  const measurements = rows.flatMap(samplesOf);
  const durationMs = rows.reduce((sum, row) => sum + (nsPerOp(row.pairs) * row.iterations) / 1e6, 0);
  return {
    path: [title],
    ...(pkg === '' ? {} : { target: pkg }),
    status,
    durationMs,
    ...(status === 'failed' ? { failure: failureFrom(words.join('\n'), 'the benchmark failed') } : {}),
    ...measured(measurements),
  };
}

function samplesOf({ line, iterations, pairs }: Draft['rows'][number]): Measurement[] {
  const procs = /-(\d+)\s/.exec(line)?.[1];
  const covariates = { iterations, ...(procs === undefined ? {} : { processors: Number(procs) }) };
  return pairsOf(pairs).map(([value, unit]) => ({
    metric: metrics[unit]?.metric ?? unit,
    unit,
    value,
    direction: metrics[unit]?.direction ?? 'none',
    covariates,
  }));
}

const metrics: Readonly<Record<string, { metric: string; direction: Measurement['direction'] }>> = {
  'ns/op': { metric: 'time', direction: 'lower' },
  'MB/s': { metric: 'throughput', direction: 'higher' },
  'B/op': { metric: 'memory', direction: 'lower' },
  'allocs/op': { metric: 'allocations', direction: 'lower' },
};

function pairsOf(text: string): [number, string][] {
  const words = text.trim().split(/\s+/);
  const pairs: [number, string][] = [];
  for (let at = 0; at + 1 < words.length; at += 2) pairs.push([Number(words[at]), (words[at + 1] ?? '').slice(0, 50)]);
  return pairs;
}

function nsPerOp(pairs: string): number {
  const found = pairsOf(pairs).find(([, unit]) => unit === 'ns/op')?.[0] ?? 0;
  return Number.isFinite(found) ? found : 0;
}
