// A process for tests and benches that appends to a journal until it is killed, and says on stdout what was acknowledged.
// Arguments: state directory, entries a batch, bytes of padding an entry. Entries are what `expectedEntry` says.
import { writeSync } from 'node:fs';
import type { SessionId, WorkerId } from '@assay/protocol';
import { openSqliteJournal } from '../adapters/journal-sqlite/journal.ts';
import type { JournalEntry } from '../ports/journal.ts';

export function expectedEntry(seq: number, paddingBytes: number): JournalEntry {
  return {
    seq,
    atMs: 1_000 + seq,
    input: {
      kind: 'workerLeft',
      worker: 'w-1' as WorkerId,
      session: 's-1' as SessionId,
      reason: 'x'.repeat(paddingBytes),
    },
    events: [{ kind: 'workerLeft', worker: 'w-1' as WorkerId, reason: `entry ${seq}`, forgetAtMs: 1 }],
  };
}

function appendForever(stateDirectory: string, perBatch: number, paddingBytes: number): void {
  const journal = openSqliteJournal({ stateDirectory, segmentBytesMax: 256 * 1024 });
  let next = journal.lastSeq() + 1;
  const append = (): void => {
    const first = next;
    next += perBatch;
    const batch = Array.from({ length: perBatch }, (_, index) => expectedEntry(first + index, paddingBytes));
    journal.append(batch, (error) => {
      if (error !== null) throw error;
      writeSync(1, `${first + perBatch - 1}\n`);
      append();
    });
  };
  // Three batches under way at any time.
  for (let lane = 0; lane < 3; lane += 1) append();
}

if (import.meta.main) {
  const [stateDirectory, perBatch, paddingBytes] = process.argv.slice(2);
  appendForever(stateDirectory!, Number(perBatch), Number(paddingBytes));
}
