// The lines of a host's report file, read with suspicion: the file can be written by test code. A line counts only if
// it parses, carries the nonce, and has the shape of an event; all else is corruption, with a reason for people.
import { limit } from '@assay/protocol';
import type { Case } from '@assay/protocol';
import type { Masker } from './mask.ts';
import { measurementsOf } from './measurements.ts';

export type LooseError = { readonly message: string; readonly stack?: string };

export type HostEvent =
  | { readonly kind: 'hostReady'; readonly version: string; readonly startupMs: number; readonly rssMiB: number }
  /** It waits for more to run. `rssMiB` is what it holds resident; 0 where it does not know. */
  | { readonly kind: 'hostIdle'; readonly rssMiB: number }
  | { readonly kind: 'hostFailed'; readonly message: string }
  | { readonly kind: 'fileStarted'; readonly item: number }
  | { readonly kind: 'case'; readonly item: number; readonly case: Case }
  | FileFinished
  | { readonly kind: 'withdrawn'; readonly items: readonly number[] }
  | { readonly kind: 'hostEnded' };

export type FileFinished = {
  readonly kind: 'fileFinished';
  readonly item: number;
  /** How many cases the host wrote: fewer arrived means lines were lost. */
  readonly cases: number;
  readonly costMs: number;
  readonly cost: Readonly<Record<string, number>>;
  readonly loadError: LooseError | null;
  /** Why nothing of what was reported counts as a test that ran. */
  readonly noTests: string | null;
  readonly errors: readonly LooseError[];
  /** Whether what the file left running can be told by its mark, and may be killed now. */
  readonly isMarked: boolean;
  /** Set when the process that ran the file died while its host lives on. */
  readonly died: { readonly message: string; readonly exitCode: number | null; readonly signal: string | null } | null;
};

export type ReadLine =
  | { readonly kind: 'event'; readonly event: HostEvent }
  | { readonly kind: 'corrupt'; readonly reason: string };

type Fields = Readonly<Record<string, unknown>>;

/** One line of the report file. */
export function readLine(line: string, nonce: string, masker: Masker): ReadLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return corrupt(`a line is not JSON: ${masker.mask(line.slice(0, 200))}`);
  }
  if (!isObject(parsed) || parsed['n'] !== nonce)
    return corrupt(`a line does not come from the runner host: ${masker.mask(line.slice(0, 200))}`);
  const event = eventOf(parsed, masker);
  return event ? { kind: 'event', event } : corrupt(`an event of kind ${String(parsed['e'])} has a wrong shape`);
}

function corrupt(reason: string): ReadLine {
  return { kind: 'corrupt', reason };
}

function eventOf(fields: Fields, masker: Masker): HostEvent | null {
  const item = fields['i'];
  switch (fields['e']) {
    case 'hostReady':
      return {
        kind: 'hostReady',
        version: text(fields['version']),
        startupMs: number(fields['startupMs']),
        rssMiB: number(fields['rssMiB']),
      };
    case 'hostIdle':
      return { kind: 'hostIdle', rssMiB: number(fields['rssMiB']) };
    case 'hostFailed':
      return { kind: 'hostFailed', message: masker.mask(text(fields['message'])) };
    case 'hostEnded':
      return { kind: 'hostEnded' };
    case 'withdrawn':
      return Array.isArray(fields['ids'])
        ? { kind: 'withdrawn', items: fields['ids'].filter((id) => typeof id === 'number') }
        : null;
    case 'fileStarted':
      return typeof item === 'number' ? { kind: 'fileStarted', item } : null;
    case 'case': {
      const found = caseOf(fields['c'], masker);
      return typeof item === 'number' && found ? { kind: 'case', item, case: found } : null;
    }
    case 'fileFinished':
      return typeof item === 'number' ? finishedOf(item, fields, masker) : null;
    default:
      return null;
  }
}

function finishedOf(item: number, fields: Fields, masker: Masker): FileFinished {
  const died = isObject(fields['died']) ? fields['died'] : null;
  const errors = Array.isArray(fields['errors']) ? fields['errors'] : [];
  return {
    kind: 'fileFinished',
    item,
    cases: number(fields['cases']),
    costMs: number(fields['costMs']),
    cost: isObject(fields['cost'])
      ? Object.fromEntries(Object.entries(fields['cost']).map(([name, value]) => [name, number(value)]))
      : {},
    isMarked: fields['marked'] === true,
    noTests: typeof fields['noTests'] === 'string' ? fields['noTests'] : null,
    loadError: errorOf(fields['loadError'], masker),
    errors: errors.map((entry) => errorOf(entry, masker)).filter((entry) => entry !== null),
    died: died && {
      message: masker.mask(text(died['message'])),
      exitCode: typeof died['exitCode'] === 'number' ? died['exitCode'] : null,
      signal: typeof died['signal'] === 'string' ? died['signal'] : null,
    },
  };
}

const statuses = ['passed', 'failed', 'skipped', 'todo'] as const;

/** A case as the protocol wants it: masked, cut to the limits with markers; null where it is damaged. */
export function caseOf(value: unknown, masker: Masker): Case | null {
  if (!isObject(value) || !Array.isArray(value['path']) || value['path'].length === 0) return null;
  const status = statuses.find((known) => known === value['status']);
  if (!status) return null;
  const failure = isObject(value['failure']) ? value['failure'] : null;
  const line = value['line'];
  const retries = value['runnerRetries'];
  const measurements = measurementsOf(value, masker);
  if (measurements === null) return null;
  const made: Case = {
    path: value['path'].slice(0, 50).map((title) => cut(masker.mask(text(title)), limit('nameChars') - 60)),
    status,
    durationMs: Math.min(number(value['durationMs']), 1e9),
  };
  if (failure) made.failure = failureOf(failure, masker);
  if (Number.isInteger(line) && number(line) <= 1e7) made.line = number(line);
  if (Number.isInteger(retries) && number(retries) > 0) made.runnerRetries = Math.min(number(retries), 1_000);
  if (measurements) made.measurements = measurements;
  return made;
}

function failureOf(failure: Fields, masker: Masker): { message: string; stack?: string } {
  const message = cut(masker.mask(text(failure['message'])), limit('messageChars'), number(failure['messageCut']));
  const stack = failure['stack'];
  if (typeof stack !== 'string' || stack === '') return { message };
  return { message, stack: cut(masker.mask(stack), limit('stackChars'), number(failure['stackCut'])) };
}

/** An error outside cases: masked, cut to the limits; null where it is none. */
export function errorOf(value: unknown, masker: Masker): LooseError | null {
  return isObject(value) ? failureOf(value, masker) : null;
}

/** At most `max` characters of a text, and a marker with the number of those left out. */
export function cut(value: string, max: number, alreadyCut = 0): string {
  const over = Math.max(0, value.length - max) + alreadyCut;
  return over === 0 ? value : `${value.slice(0, max).toWellFormed()}... [assay: ${over} characters left out]`;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}
