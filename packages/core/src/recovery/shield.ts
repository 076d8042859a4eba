// The fleet shield: failures that arrive together, of tests that have nothing to do with each other, are one trouble. It is
// told by name, spends nobody's retries and marks nobody flaky; one task at a time looks whether it is over, the others wait.
//
// Alike are failures with one rule and one subject, else with one normalised line. What an assertion says never counts, nor
// what each machine says of itself (a loopback address), nor what one worker alone says.
// Windows move with time: what is older than the window is dropped before anything is counted.
import type { TaskId, WorkerId } from '@assay/protocol';
import { classOf } from './tried.ts';
import type { Suspicion } from './suspicion.ts';
import type { Tried } from './tried.ts';
import type { RecoveryConfig } from './recovery-config.ts';

/** One failure that may be part of something larger. */
export type Trouble = {
  readonly task: TaskId;
  readonly attempt: number;
  readonly suite: string;
  readonly worker: WorkerId;
  /** Its suite says that it uses something outside: what tests share is then known, and not only guessed. */
  readonly isDeclared?: boolean;
  readonly atMs: number;
};

/** One trouble that many have. `probe` is the task that looks whether it is over. */
export type Outage = {
  readonly signature: string;
  readonly name: string;
  readonly sinceMs: number;
  lastAtMs: number;
  excused: number;
  probe: TaskId | null;
};

export type RecoveryState = {
  /** What speaks against a worker, newest last. */
  readonly suspicions: Map<WorkerId, Suspicion[]>;
  /** Recent failures by signature, oldest first. */
  readonly troubles: Map<string, Trouble[]>;
  readonly outages: Map<string, Outage>;
};

export function noRecoveryState(): RecoveryState {
  return { suspicions: new Map(), troubles: new Map(), outages: new Map() };
}

/** As many failures of one kind, and kinds of failures, as are remembered at once. */
export const troublesMax = 64;
export const signaturesMax = 256;

/** What alike failures have in common, and how people call it; null where a failure is only its test's. */
export function signatureOf(one: Tried): { readonly signature: string; readonly name: string } | null {
  const rule = one.failure?.rule;
  if (rule === undefined || classOf(one) !== 'infrastructure') return null;
  if (!rule.id.startsWith('network/') && !rule.id.startsWith('custom/')) return null;
  if (rule.subject !== undefined && isLoopback(rule.subject)) return null;
  const what = rule.subject ?? normalised(rule.matched);
  return {
    signature: `${rule.id} ${what}`,
    name: rule.subject ?? `${one.failure?.code ?? rule.id}: ${what}`.slice(0, 200),
  };
}

/** Each machine's own: two machines that name it mean two things. */
function isLoopback(subject: string): boolean {
  return /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?|0\.0\.0\.0)(?::\d+)?$/.test(subject);
}

/** A line without what differs from one occurrence to the next: numbers, addresses, quoted words. */
export function normalised(line: string): string {
  return line
    .slice(0, 300)
    .replaceAll(/0x[0-9a-f]+/gi, '#')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/(["'`])[^"'`]{0,100}\1/g, '""')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Whether alike failures are many, unrelated and in several places: then they are one trouble. */
export function isOneTrouble(troubles: readonly Trouble[], config: RecoveryConfig, nowMs: number): boolean {
  const recent = inWindow(troubles, config, nowMs);
  const suitesMin = recent.some(({ isDeclared }) => isDeclared === true) ? 1 : config.shieldSuitesMin;
  return (
    countOf(recent, ({ task }) => task) >= config.shieldTasksMin &&
    countOf(recent, ({ suite }) => suite) >= suitesMin &&
    countOf(recent, ({ worker }) => worker) >= config.shieldWorkersMin
  );
}

export function inWindow(troubles: readonly Trouble[], config: RecoveryConfig, nowMs: number): readonly Trouble[] {
  return troubles.filter(({ atMs }) => atMs > nowMs - config.shieldWindowMs);
}

function countOf(troubles: readonly Trouble[], of: (trouble: Trouble) => string): number {
  return new Set(troubles.map(of)).size;
}
