// Outcomes that the agent itself gives an attempt, as opposed to those of its execution.
import { limit } from '@assay/protocol';
import type { AttemptFailure, AttemptOutcome, Case } from '@assay/protocol';
import { charsOf } from '../execute/measurements.ts';

export type OwnOutcome = {
  verdict: 'errored' | 'canceled';
  class: AttemptFailure['class'];
  code: string;
  message: string;
  casesReported?: number;
  startedAtMs: number;
  endedAtMs: number;
  evidence?: Record<string, string>;
};

export function ownOutcome(own: OwnOutcome): AttemptOutcome {
  const endedAtMs = Math.max(own.startedAtMs, own.endedAtMs);
  const evidence = own.evidence === undefined ? {} : { evidence: own.evidence };
  return {
    verdict: own.verdict,
    failure: { class: own.class, code: own.code, message: cut(own.message, limit('messageChars')), ...evidence },
    counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
    casesReported: own.casesReported ?? 0,
    startedAtMs: own.startedAtMs,
    endedAtMs,
    costMs: endedAtMs - own.startedAtMs,
  };
}

export function cut(text: string, max: number): string {
  return text.length <= max
    ? text
    : `${text.slice(0, max).toWellFormed()}... [assay: ${text.length - max} characters left out]`;
}

/** Cases in parts that fit one report each: by count, and by size so that a report fits a frame. */
export function splitCases(cases: readonly Case[], charsMax = 256 * 1024): Case[][] {
  const parts: Case[][] = [];
  let part: Case[] = [];
  let chars = 0;
  for (const one of cases) {
    const size =
      200 +
      one.path.reduce((sum, title) => sum + title.length + 4, 0) +
      (one.failure?.message.length ?? 0) +
      (one.failure?.stack?.length ?? 0) +
      charsOf(one.measurements);
    if (part.length > 0 && (part.length >= limit('casesPerReport') || chars + size > charsMax)) {
      parts.push(part);
      part = [];
      chars = 0;
    }
    part.push(one);
    chars += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
