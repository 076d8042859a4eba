// Accounts for what an earlier incarnation had in hand when it was killed: whatever of it still runs is ended first, then
// each attempt without a report of its end gets one. What never started goes back for free; what had started is spent as
// an infrastructure failure, and is tried again within that budget.
import type { AttemptRef } from '@assay/protocol';
import { attemptKey, settledBy } from './session/session.ts';
import type { Ledger } from './slots/ledger.ts';
import { killLeftovers } from './slots/leftovers.ts';
import { ownOutcome } from './slots/outcomes.ts';
import type { Spool } from './spool/spool.ts';

export type Recovery = {
  spool: Spool;
  ledger: Ledger;
  scratchDir: string;
  nowMs: number;
  say: (level: 'info' | 'warning', text: string) => void;
};

export async function recover({ spool, ledger, scratchDir, nowMs, say }: Recovery): Promise<void> {
  const killed = await killLeftovers(scratchDir);
  if (killed > 0) say('warning', `${killed} processes that an earlier agent left running were killed`);
  accountForUnfinished(spool, ledger, nowMs);
}

/** As much of a ledger as the accounting needs. */
export type UnfinishedWork = Pick<Ledger, 'unfinished' | 'settled'>;

/** Reports an end for every attempt that has none. Synchronous, so that the simulator runs it in virtual time. */
export function accountForUnfinished(spool: Spool, ledger: UnfinishedWork, nowMs: number): void {
  const reported = new Set(spool.unacknowledged().flatMap(settledBy).map(attemptKey));
  const unstarted: AttemptRef[] = [];
  for (const { ref, startedAtMs, cases } of ledger.unfinished()) {
    if (reported.has(attemptKey(ref))) {
      ledger.settled([ref]);
    } else if (startedAtMs === null) {
      unstarted.push(ref);
    } else {
      const message = 'the agent stopped while it ran this task';
      const casesReported = Math.max(cases, casesOf(spool, ref));
      const outcome = ownOutcome({
        verdict: 'errored',
        class: 'infrastructure',
        code: 'WORKER_RESTARTED',
        message,
        casesReported,
        startedAtMs,
        endedAtMs: nowMs,
      });
      spool.append({ kind: 'finished', ...ref, outcome });
      ledger.settled([ref]);
    }
  }
  for (let at = 0; at < unstarted.length; at += 500) {
    const attempts = unstarted.slice(at, at + 500);
    spool.append({ kind: 'returned', attempts, reason: 'restarted' });
    ledger.settled(attempts);
  }
}

/** The cases that are in the spool: the last may have been spooled just before the kill, and not be in the ledger. */
function casesOf(spool: Spool, ref: AttemptRef): number {
  let count = 0;
  for (const report of spool.unacknowledged()) {
    if (report.kind === 'cases' && report.task === ref.task && report.attempt === ref.attempt)
      count = Math.max(count, report.from + report.cases.length);
  }
  return count;
}
