// What a check of a drill is: a question to the journal and to what was seen from outside, with an answer that names its evidence.
// What always holds: a check whose evidence is missing is "not evaluated", never held; nothing here is decided before it is asked.
import type { History } from '../history.ts';
import type { JournalEntry } from '../journal-entry.ts';
import type { Plan } from '../plan.ts';
import type { StepRecord } from '../stages/record.ts';
import type { DrillTask } from '../world/project.ts';

export type CheckState = 'held' | 'broken' | 'notEvaluated';

export type CheckResult = {
  readonly id: string;
  readonly title: string;
  readonly state: CheckState;
  /** In one sentence: what was found. */
  readonly detail: string;
  /** Sequence numbers of the journal, or what was looked at outside. */
  readonly evidence: readonly string[];
};

/** What was seen from outside the product while it ran and after it ended. */
export type Outside = {
  /** By worker's id: what the coordinator acknowledged on its link, and when. */
  readonly acks: ReadonlyMap<string, readonly { readonly seq: number; readonly atMs: number }[]>;
  /** Cases that the results store had at the end, by index of the task; null where it was not asked. */
  readonly stored: ReadonlyMap<number, readonly string[]> | null;
  /** Processes, ports and files that were still there at the end; null where nobody looked. */
  readonly left: readonly string[] | null;
  /** Processes of the fleet that ended although nothing was done to them. */
  readonly ended: readonly string[];
  /** Undos that failed. */
  readonly notUndone: readonly string[];
};

export type Evidence = {
  readonly plan: Plan;
  readonly steps: readonly StepRecord[];
  /** By index in the run. */
  readonly tasks: readonly DrillTask[];
  readonly entries: readonly JournalEntry[];
  readonly history: History;
  readonly outside: Outside;
};

export type Check = (evidence: Evidence) => CheckResult | CheckResult[];

/** Broken with the problems, or held with what was looked at. */
export function judged(
  id: string,
  title: string,
  problems: readonly string[],
  looked: string,
  evidence: readonly string[] = [],
): CheckResult {
  return problems.length === 0
    ? { id, title, state: 'held', detail: looked, evidence }
    : { id, title, state: 'broken', detail: shortened(problems), evidence };
}

/** As `judged`, and no answer at all where the journal held nothing to judge: a check that held over nothing would flatter. */
export function judgedWhereAny(
  id: string,
  title: string,
  problems: readonly string[],
  looked: string,
  evidence: readonly string[],
): CheckResult[] {
  return problems.length === 0 && evidence.length === 0 ? [] : [judged(id, title, problems, looked, evidence)];
}

export const notEvaluated = (id: string, title: string, why: string): CheckResult => ({
  id,
  title,
  state: 'notEvaluated',
  detail: why,
  evidence: [],
});

const problemsShown = 8;

function shortened(problems: readonly string[]): string {
  const shown = problems.slice(0, problemsShown).join('; ');
  return problems.length > problemsShown ? `${shown}; and ${problems.length - problemsShown} more` : shown;
}

export const seqOf = (...at: readonly { readonly seq: number }[]): string[] => at.map(({ seq }) => `seq ${seq}`);
