// Writes one snapshot and ends: the last snapshot, the events journalled since folded on top, the new one to the disk.
// Why a thread for each one: the loop is never stalled, and the second copy of the state lives only while it is needed.
// What always holds: the snapshot is of durable entries only, and is the same state that recovery would make.
import { parentPort, workerData } from 'node:worker_threads';
import { emptyState, replay, restore, snapshot, type State } from '@assay/core';
import { SegmentReader } from '../adapters/journal-sqlite/segment-reader.ts';
import { readLatestSnapshot, writeSnapshot } from '../adapters/journal-sqlite/snapshot-files.ts';
import { yieldToOthers } from './background-thread.ts';

export type SnapshotTask = { journalDirectory: string; snapshotDirectory: string; throughSeq: number };
export type SnapshotDone = { seq: number; bytes: number; entries: number; notices: string[] };

function lastState(directory: string, notices: string[]): State {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const stored = readLatestSnapshot(directory, before, (message) => notices.push(message));
    if (stored === null) return emptyState();
    try {
      return restore(stored.state);
    } catch (error) {
      notices.push(`snapshot ${stored.seq} cannot be restored: ${String(error)}`);
      before = stored.seq;
    }
  }
}

export function takeSnapshot(task: SnapshotTask): SnapshotDone {
  const notices: string[] = [];
  const state = lastState(task.snapshotDirectory, notices);
  const from = state.seq + 1;
  const reader = new SegmentReader(task.journalDirectory);
  try {
    while (state.seq < task.throughSeq) {
      const rows = reader.read(state.seq + 1, {
        entriesMax: Math.min(2_000, task.throughSeq - state.seq),
        bytesMax: 8 * 1024 * 1024,
      });
      if (rows.length === 0) throw new Error(`entry ${state.seq + 1} is not in the journal`);
      for (const row of rows)
        replay(state, {
          seq: row.seq,
          atMs: row.atMs,
          events: JSON.parse(row.events) as Parameters<typeof replay>[1]['events'],
        });
    }
  } finally {
    reader.close();
  }
  const bytes = writeSnapshot(task.snapshotDirectory, { seq: state.seq, state: snapshot(state) });
  return { seq: state.seq, bytes, entries: state.seq - from + 1, notices };
}

if (parentPort !== null) {
  yieldToOthers();
  parentPort.postMessage(takeSnapshot(workerData as SnapshotTask));
}
