// What really happened on the workers, kept outside of everything that is tested: which attempts were executed and how they
// came out, and every report that was ever written to a spool. The rest is held against it.
import type { AttemptOutcome, AttemptRef, Case, Report, WorkerId } from '@assay/protocol';
import type { World } from '../sim/world.ts';

export type Execution = { worker: WorkerId; startedAtMs: number; cases: Case[]; outcome: AttemptOutcome | null };

export class Truth {
  readonly executions = new Map<string, Execution>();
  /** Reports by worker and sequence, as the text that was spooled. */
  readonly said = new Map<WorkerId, Map<number, string>>();
  readonly #lost = new Set<string>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  executing(worker: WorkerId, ref: AttemptRef): Execution {
    const key = attemptKeyOf(ref);
    const before = this.executions.get(key);
    if (before !== undefined)
      this.#world.violate(
        'an attempt is executed at most once',
        `${key} ran on ${before.worker}, and again on ${worker}`,
      );
    const execution: Execution = { worker, startedAtMs: this.#world.nowMs, cases: [], outcome: null };
    this.executions.set(key, execution);
    return execution;
  }

  spooled(worker: WorkerId, report: Report): void {
    const said = this.saidBy(worker);
    if (said.has(report.seq)) this.#world.violate('a report number is used once', `${worker} used ${report.seq} twice`);
    said.set(report.seq, canonical(report));
  }

  /** Reports that were on no disk when the power went: nobody may count on them any more. */
  lost(worker: WorkerId, reports: readonly Report[]): void {
    for (const { seq } of reports) this.#lost.add(`${worker} ${seq}`);
  }

  isLost(worker: WorkerId, seq: number): boolean {
    return this.#lost.has(`${worker} ${seq}`);
  }

  saidBy(worker: WorkerId): Map<number, string> {
    let said = this.said.get(worker);
    if (said === undefined) this.said.set(worker, (said = new Map()));
    return said;
  }
}

export function attemptKeyOf(ref: { task: string; attempt: number }): string {
  return `${ref.task}#${ref.attempt}`;
}

/** A value as text, with its keys in order: reading a frame may reorder them. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
