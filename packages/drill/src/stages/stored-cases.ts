// The cases of a run as the results store has them, asked through the API as anybody would: they follow the journal within a second
// or two, so they are asked until they are as many as they have to be, with a bound.
import { NotInTime, until } from '../until.ts';
import type { DrillFleet } from '../world/fleet.ts';
import type { DrillWork } from '../world/work.ts';

const storedTimeoutMs = 20_000;

/** Names of the cases of the attempts that settled their tasks, by index of the task. */
export async function storedCases(fleet: DrillFleet, work: DrillWork): Promise<ReadonlyMap<number, readonly string[]>> {
  const wanted = work.tasks.reduce((sum, { expects }) => sum + (expects.passedCases ?? 0), 0);
  try {
    return await until(
      'the results store has every case',
      async () => {
        const read = await readAll(fleet, work.run);
        const count = [...read.values()].reduce((sum, names) => sum + names.length, 0);
        return count >= wanted ? read : null;
      },
      { timeoutMs: storedTimeoutMs, signal: fleet.options.signal, everyMs: 250 },
    );
  } catch (error) {
    if (!(error instanceof NotInTime)) throw error;
    return readAll(fleet, work.run);
  }
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
