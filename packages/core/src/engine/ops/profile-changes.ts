// The differences between the profile that a worker had and the one that it comes with, as events carry them.
import type { Profile } from '@assay/protocol';
import { sayChanges } from '../../hardware/profile-diff.ts';
import type { State, WorkerRecord } from '../state.ts';

export function profileChangesOf(state: State, worker: WorkerRecord, next: Profile): string[] {
  const before = state.profiles.get(worker.profileDigest);
  return before === undefined ? [] : sayChanges(before.profile, next);
}
