// A journal in which much has happened that no results store has seen: what a coordinator finds that was stopped while its results
// were far behind. The entries are the engine's own, so that a coordinator starts on them.
import { createEngine, engineDefaults, type Input } from '@assay/core';
import type { RunId, Task } from '@assay/protocol';
import { openSqliteJournal } from '../adapters/journal-sqlite/journal.ts';
import type { JournalEntry } from '../ports/journal.ts';
import { someSpec } from './rig.ts';

const perAppend = 2_000;

/** Writes `runs` runs of four tasks that were canceled: three entries each. Returns the last sequence. */
export async function writeLongJournal(stateDirectory: string, runs: number): Promise<number> {
  const engine = createEngine(engineDefaults);
  const journal = openSqliteJournal({ stateDirectory });
  let entries: JournalEntry[] = [];
  const write = (): Promise<void> => {
    const batch = entries;
    entries = [];
    return new Promise((resolve, reject) => journal.append(batch, (error) => (error ? reject(error) : resolve())));
  };
  for (let at = 1; at <= runs; at += 1) {
    const take = (input: Input): void => {
      const { events } = engine.step(input, 1_000 + at);
      if (events.length > 0) entries.push({ seq: engine.state.seq, atMs: 1_000 + at, input, events });
    };
    for (const input of inputsOf(`r-${String(at).padStart(6, '0')}` as RunId)) take(input);
    // What is acknowledged leaves the engine's state, so that the start of this journal is short.
    take({ kind: 'resultsAcknowledged', seq: engine.state.seq });
    if (entries.length >= perAppend) await write();
  }
  if (entries.length > 0) await write();
  await journal.close();
  return engine.state.seq;
}

function inputsOf(run: RunId): Input[] {
  const tasks: Task[] = [0, 1, 2, 3].map((index) => ({ suite: 0, target: `test/${index}.test.ts` }));
  return [
    {
      kind: 'submitRun',
      run,
      submitter: 'tester',
      idempotencyKey: run,
      contentDigest: run,
      spec: someSpec,
      tasks,
      sealed: true,
    },
    { kind: 'cancelRun', run, actor: 'tester', reason: 'not wanted' },
  ];
}
