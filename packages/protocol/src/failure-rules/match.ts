// Matching: which rule explains a text. A pattern is plain text in which `*` stands for anything within one line; there
// are no regular expressions, because patterns come from projects and texts from tests, and either may mean harm.
//
// What always holds: the cost is at most (text looked at) x (patterns), whatever both contain: pieces are searched one
// after another, each from where the one before ended, and never again from an earlier place. Looking for the leftmost
// place of each piece finds a match whenever there is one, because `*` has no minimum and no maximum.
import type { FailureRule } from './rule.ts';
import { subjectOf } from './subject.ts';

/** Looked at: the end of a text, and of each line its beginning. */
const textCharsMax = 64 * 1024;
const lineCharsMax = 2_000;
const matchedCharsMax = 300;

export type Found = { readonly rule: FailureRule; readonly matched: string; readonly subject?: string };

/** Whether a pattern is found in a line; `*` stands for anything, case matters. */
export function isInLine(pattern: string, line: string): boolean {
  let at = 0;
  for (const piece of pattern.split('*')) {
    if (piece === '') continue;
    const found = line.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}

/** The first rule, in order of the rules, that is found in a text; within a rule, the first line. */
export function findRule(rules: readonly FailureRule[], text: string): Found | null {
  const looked = text.length > textCharsMax ? text.slice(-textCharsMax) : text;
  const lines = looked.split('\n').map((line) => line.slice(0, lineCharsMax));
  for (const rule of rules) {
    for (const pattern of rule.patterns) {
      if (!mayContain(pattern, looked)) continue;
      const line = lines.find((each) => isInLine(pattern, each));
      if (line !== undefined) return foundIn(rule, line);
    }
  }
  return null;
}

/** The longest piece, looked for in the whole text at once: most patterns end here. */
function mayContain(pattern: string, text: string): boolean {
  let longest = '';
  for (const piece of pattern.split('*')) if (piece.length > longest.length) longest = piece;
  return text.includes(longest);
}

/** The rule that names an exit, or null. A signal counts before a code. */
export function findExitRule(
  rules: readonly FailureRule[],
  exit: { readonly code: number | null; readonly signal: string | null },
): Found | null {
  for (const rule of rules) {
    if (exit.signal !== null && rule.exit?.signals?.includes(exit.signal)) return { rule, matched: exit.signal };
    if (exit.signal === null && exit.code !== null && rule.exit?.codes?.includes(exit.code))
      return { rule, matched: `exit code ${exit.code}` };
  }
  return null;
}

function foundIn(rule: FailureRule, line: string): Found {
  const matched = line.trim().slice(0, matchedCharsMax);
  const subject = subjectOf(rule, line);
  return subject === null ? { rule, matched } : { rule, matched, subject };
}
