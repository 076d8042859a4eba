// What every reader of another tool's report gives: cases as that tool told them, not yet masked or cut to the protocol's limits.
// What always holds: a report is read as a whole or not at all; what it does not say is absent, never a default.
import { limit, type Measurement } from '@assay/protocol';

export type ReadCase = {
  /** Titles from the outermost group to the test. */
  readonly path: string[];
  readonly status: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly durationMs: number;
  readonly failure?: { message: string; stack?: string };
  readonly line?: number;
  readonly runnerRetries?: number;
  readonly measurements?: Measurement[];
  /** The test file (or package), where the report names it apart from the titles. */
  readonly target?: string;
  /** The configuration that it ran in, where the report has several: never part of the titles. */
  readonly variant?: string;
};

export type ReadReport =
  | { readonly kind: 'cases'; readonly cases: readonly ReadCase[]; readonly startedAtMs?: number }
  | Trouble;
export type Trouble = { readonly kind: 'trouble'; readonly code: 'REPORT_CORRUPT'; readonly reason: string };

/** Reads the text of one report; `name` is how messages call it. */
export type Reader = (text: string, name: string) => ReadReport;

export function corrupt(reason: string): Trouble {
  return { kind: 'trouble', code: 'REPORT_CORRUPT', reason };
}

/** How a metric's samples are told. */
export type Metric = Pick<Measurement, 'metric' | 'unit' | 'direction'>;

/**
 * At most `max` of the samples, in their order. Where there are more, every k-th is taken, and each says so in its
 * covariates: `oneOf` is k.
 */
export function evenPart(metric: Metric, values: readonly number[], max: number): Measurement[] {
  const every = Math.max(1, Math.ceil(values.length / max));
  return values
    .filter((_, at) => at % every === 0)
    .map((value) => ({ ...metric, value, ...(every === 1 ? {} : { covariates: { oneOf: every } }) }));
}

/** How many samples each of several metrics of one case may have. */
export function samplesEach(metrics: number): number {
  return Math.max(1, Math.floor(limit('measurementsPerCase') / Math.max(1, metrics)));
}

/** The measurements of a case, within the limit: what came last is left out only where a tool has more metrics than that. */
export function measured(measurements: readonly Measurement[]): { measurements?: Measurement[] } {
  const finite = measurements.filter(({ value }) => Number.isFinite(value)).slice(0, limit('measurementsPerCase'));
  return finite.length === 0 ? {} : { measurements: finite };
}

/** The failure of a case from one text: its first line is the message, the whole is kept as the stack where it has more. */
export function failureFrom(text: string, fallback = 'failed'): { message: string; stack?: string } {
  const whole = text.trim();
  const [first = ''] = whole.split('\n', 1);
  if (first === '') return { message: fallback };
  return first === whole ? { message: first } : { message: first, stack: whole };
}

/** The first of what a schema finds wrong, for people. */
export function firstIssue(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0];
  return issue === undefined
    ? 'it has a wrong shape'
    : `${issue.path.map(String).join('.') || 'top'}: ${issue.message}`;
}

/** A JSON text, or why it is none. */
export function parseJson(text: string, name: string): { value: unknown } | Trouble {
  try {
    return { value: JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown };
  } catch (error) {
    return corrupt(`${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
