// The cases of a run as the results store has them, asked through the API as anybody would. They follow the journal within some seconds:
// the store is asked once it says that it has everything the journal had when the run was over, and after a bound in any case.
import { NotInTime, until } from '../until.ts';
import type { DrillFleet } from '../world/fleet.ts';
import type { DrillWork } from '../world/work.ts';

const storedTimeoutMs = 20_000;

/** Names of the cases of the attempts that settled their tasks, by index of the task. */
export async function storedCases(fleet: DrillFleet, work: DrillWork): Promise<ReadonlyMap<number, readonly string[]>> {
  const { journalSeq } = await fleet.client.health();
  try {
    await until(
      'the results store has what the journal has',
      async () => ((await fleet.client.health()).resultsSeq >= journalSeq ? true : null),
      { timeoutMs: storedTimeoutMs, signal: fleet.options.signal, everyMs: 250 },
    );
  } catch (error) {
    if (!(error instanceof NotInTime)) throw error;
  }
  return readAll(fleet, work.run);
}

async function readAll(fleet: DrillFleet, run: string): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  for (let after: string | undefined; ;) {
    const page = await fleet.client.listCases(run, { limit: 500, ...(after === undefined ? {} : { after }) });
    for (const { task, isFinal, case: one } of page.cases) {
      if (!isFinal) continue;
      const index = Number(task.slice(task.lastIndexOf('.') + 1));
      found.set(index, [...(found.get(index) ?? []), one.path.join(' > ')]);
    }
    if (page.next === null) return found;
    after = page.next;
  }
}
