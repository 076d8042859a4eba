// Recovery: the engine's state is the latest snapshot with the journalled events folded on top. It never decides anything.
// What always holds: the state returned is that after the journal's last entry; a snapshot that cannot be used costs time, not
// data, because the journal reaches back to the older one; where it does not, that is JOURNAL_CORRUPT and nothing starts.
import { emptyState, replay, restore, type State } from '@assay/core';
import { AssayError } from '@assay/protocol';
import type { Journal } from './ports/journal.ts';

export type Recovered = {
  state: State;
  snapshotSeq: number | null;
  entries: number;
  /** The time of the last entry: no deadline in the state is to be read by a clock that is behind it. 0 before the first. */
  lastAtMs: number;
};

/** Entries folded between two looks at the loop. */
const chunkEntries = 2_000;

export async function recoverState(journal: Journal, onNotice: (message: string) => void): Promise<Recovered> {
  const { state, snapshotSeq } = await startingPoint(journal, onNotice);
  let next = state.seq + 1;
  if (next < journal.firstSeq()) {
    throw new AssayError(
      'JOURNAL_CORRUPT',
      `the journal starts at entry ${journal.firstSeq()}, and no snapshot that can be read reaches it`,
    );
  }
  const first = next;
  let lastAtMs = 0;
  // Where the snapshot is as new as the journal, its last entry is read for its time alone.
  if (state.seq >= journal.firstSeq() && state.seq > 0) lastAtMs = (await journal.read(state.seq, 1))[0]?.atMs ?? 0;
  for (;;) {
    const entries = await journal.read(next, chunkEntries);
    for (const entry of entries) {
      if (entry.seq !== next) throw new AssayError('JOURNAL_CORRUPT', `entry ${next} is missing`);
      replay(state, entry);
      lastAtMs = entry.atMs;
      next += 1;
    }
    if (entries.length === 0) break;
  }
  if (next !== journal.lastSeq() + 1) throw new AssayError('JOURNAL_CORRUPT', `entry ${next} is missing`);
  return { state, snapshotSeq, entries: next - first, lastAtMs };
}

/** The newest snapshot that can be restored, else the empty state. */
async function startingPoint(
  journal: Journal,
  onNotice: (message: string) => void,
): Promise<{ state: State; snapshotSeq: number | null }> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const stored = await journal.latestSnapshot(before);
    if (stored === null) return { state: emptyState(), snapshotSeq: null };
    try {
      const state = restore(stored.state);
      if (state.seq !== stored.seq) throw new Error(`it holds the state after entry ${state.seq}`);
      return { state, snapshotSeq: stored.seq };
    } catch (error) {
      onNotice(`snapshot ${stored.seq} cannot be restored: ${String(error)}`);
      before = stored.seq;
    }
  }
}
