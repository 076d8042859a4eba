// Makes the decisions of a journal again, from its inputs, and compares them with what was decided then. How an incident is
// reproduced and a change of policy is tried on history.
import type { Engine } from '@assay/core';
import type { JournalEntry } from '@assay/coordinator/simulation';

/** The first difference in words, or null where every decision is the same. */
export function compareReplay(engine: Engine, entries: readonly JournalEntry[]): string | null {
  for (const entry of entries) {
    // What the journal holds is text: what an engine is given and gives is compared as text too.
    const { events } = engine.step(entry.input, entry.atMs);
    const now = events.map((event) => JSON.stringify(event));
    const then = entry.events.map((event) => JSON.stringify(event));
    const at = then.findIndex((text, index) => text !== now[index]);
    if (at >= 0)
      return `entry ${entry.seq} (${entry.input.kind}), event ${at}: decided then ${then[at]}; decided now ${now[at] ?? 'nothing'}`;
    if (now.length > then.length)
      return `entry ${entry.seq} (${entry.input.kind}), event ${then.length}: decided then nothing; decided now ${now[then.length] ?? ''}`;
    if (engine.state.seq !== entry.seq) return `entry ${entry.seq}: the engine counts ${engine.state.seq}`;
  }
  return null;
}
