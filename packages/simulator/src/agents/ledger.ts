// Which attempts an agent has in hand, over its restarts: what slots/ledger.ts keeps in a file, kept in memory.
import type { Unfinished } from '@assay/agent/simulation';
import type { AttemptRef } from '@assay/protocol';
import { attemptKeyOf } from '../checks/truth.ts';

export class MemoryLedger {
  readonly #inHand = new Map<string, Unfinished>();

  unfinished(): Unfinished[] {
    return [...this.#inHand.values()];
  }

  assigned(refs: readonly AttemptRef[]): void {
    for (const { task, attempt } of refs)
      this.#inHand.set(attemptKeyOf({ task, attempt }), { ref: { task, attempt }, startedAtMs: null, cases: 0 });
  }

  started(ref: AttemptRef, atMs: number): void {
    const found = this.#inHand.get(attemptKeyOf(ref));
    if (found !== undefined) found.startedAtMs = atMs;
  }

  cases(ref: AttemptRef, count: number): void {
    const found = this.#inHand.get(attemptKeyOf(ref));
    if (found !== undefined) found.cases = count;
  }

  settled(refs: readonly AttemptRef[]): void {
    for (const ref of refs) this.#inHand.delete(attemptKeyOf(ref));
  }
}
