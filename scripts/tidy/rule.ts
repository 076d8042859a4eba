// The shape that every house rule has: it looks at one file and says what is wrong, where, and what to write instead.
// What always holds: a rule reads only what it is given, so that its test can plant a violation without a file system.
import { maskSource } from './mask.ts';

export interface TidyFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and string contents; equal to the text for files that are not JavaScript. */
  readonly code: string;
}

export interface Finding {
  readonly line: number;
  readonly message: string;
}

export interface Rule {
  readonly name: string;
  readonly check: (file: TidyFile) => readonly Finding[];
}

export function tidyFile(path: string, text: string): TidyFile {
  return { path, text, code: /\.(ts|tsx|mjs|js)$/.test(path) ? maskSource(text) : text };
}

/** A test, or the contract suite that every adapter of a port is tested with. */
export function isTest(path: string): boolean {
  return /\.(test|contract)\.tsx?$/.test(path);
}

/** A finding for every match in the code; `at` is an index into text and code alike. */
export function findAll(
  file: TidyFile,
  pattern: RegExp,
  message: string | ((match: RegExpExecArray) => string | undefined),
): Finding[] {
  const findings: Finding[] = [];
  for (const match of file.code.matchAll(pattern)) {
    const said = typeof message === 'string' ? message : message(match);
    if (said !== undefined) findings.push({ line: lineAt(file.text, match.index), message: said });
  }
  return findings;
}

export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
