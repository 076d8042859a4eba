// A test is set aside or comes back. What it is asked by and what ends it is decided by the pure machine of analysis/quarantine.ts;
// here it is held against what the fleet knows, and said as events.
import { limit } from '../limits.ts';
import { stepQuarantine } from '../../analysis/quarantine.ts';
import type { Reply } from '../events.ts';
import type { QuarantineTest, ReleaseTest } from '../inputs.ts';
import { findQuarantine, quarantineKeyOf } from '../quarantines.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';

export function quarantineTest(step: Step, input: QuarantineTest): Reply {
  const { kind: _, actor, project, suite, target, path, ...asked } = input;
  const { quarantines } = step.state;
  const test = { project, suite, target, path };
  // A runner is handed files: it has no way to leave one test of a file out.
  if (asked.mode === 'skip' && path.length > 0)
    return refused('BAD_REQUEST', 'only a whole file can be skipped: mute the test, or skip its file');
  const known = quarantines.byTest.get(quarantineKeyOf(test));
  const next = stepQuarantine(known?.state ?? { kind: 'free' }, { kind: 'quarantine', ...asked }, step.nowMs);
  if (next.kind === 'refused') return refused('BAD_REQUEST', next.reason);
  if (next.kind === 'unchanged') return accepted;
  if (next.state.kind === 'free') return accepted;
  if (known === undefined && quarantines.byTest.size >= limit('quarantinesMax'))
    return refused('CONFLICT', `${limit('quarantinesMax')} tests are in quarantine: release some, or mend them`);
  const quarantine = known?.quarantine ?? `q-${quarantines.order + 1}`;
  const { passesNeeded } = next.state;
  step.emit({ kind: 'testQuarantined', quarantine, ...test, ...asked, passesNeeded, actor });
  return accepted;
}

export function releaseTest(step: Step, { quarantine, actor, reason }: ReleaseTest): Reply {
  // It may have come back by itself in the meantime: a repeat of the request is success.
  if (findQuarantine(step.state.quarantines, quarantine) === null) return accepted;
  step.emit({ kind: 'testReleased', quarantine, because: 'person', actor, reason });
  return accepted;
}

/** Those whose time is over come back. */
export function releaseExpired(step: Step): void {
  const { quarantines } = step.state;
  if (quarantines.nextEndMs > step.nowMs) return;
  for (const { quarantine, state } of [...quarantines.byTest.values()]) {
    const next = stepQuarantine(state, { kind: 'timePassed' }, step.nowMs);
    if (next.kind !== 'released') continue;
    const reason = `its time was over; ${state.owner} set it aside because of: ${state.reason}`.slice(0, 500);
    step.emit({ kind: 'testReleased', quarantine, because: next.because, actor: 'assay', reason });
  }
}
