// Where a page of a list ends and the next begins: keys of the last row, never offsets, so that rows that arrive between
// two pages neither repeat nor hide others. Cursors come from outside: what does not parse is BAD_REQUEST.
import { AssayError } from '@assay/protocol';

/** Cases are listed by task, attempt and place in the attempt. */
export type CaseKey = { index: number; attempt: number; ordinal: number };

/** The journal sequence before which runs are listed; runs are numbered by their submission, newest first. */
export function runBefore(cursor: string | undefined): number {
  return cursor === undefined ? Number.MAX_SAFE_INTEGER : parse(cursor, 1)[0]!;
}

/** The task index after which tasks are listed. */
export function taskAfter(cursor: string | undefined): number {
  return cursor === undefined ? -1 : parse(cursor, 1)[0]!;
}

export function caseAfter(cursor: string | undefined): CaseKey {
  if (cursor === undefined) return { index: -1, attempt: 0, ordinal: 0 };
  const [index, attempt, ordinal] = parse(cursor, 3);
  return { index: index!, attempt: attempt!, ordinal: ordinal! };
}

export function caseCursor(key: CaseKey): string {
  return `${key.index}.${key.attempt}.${key.ordinal}`;
}

export function compareCases(a: CaseKey, b: CaseKey): number {
  return a.index - b.index || a.attempt - b.attempt || a.ordinal - b.ordinal;
}

function parse(cursor: string, parts: number): number[] {
  const numbers = cursor.split('.').map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : NaN));
  if (numbers.length !== parts || numbers.some(Number.isNaN)) {
    throw new AssayError(
      'BAD_REQUEST',
      `"${cursor.slice(0, 100)}" is not a cursor: give the "next" of the page before.`,
    );
  }
  return numbers;
}
