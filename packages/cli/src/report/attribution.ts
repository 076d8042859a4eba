// Whose fault it was, as every form of the report says it: the fault with how sure that is, the attempts that show it, and
// why in one sentence. A failure that is plainly the test's own needs no sentence beside its message.
import type { Diagnosis } from '@assay/protocol';
import type { ReportTask, RunReport } from './model.ts';

/** Tasks of which there is more to say than that a test failed: trouble on the way to a pass, and faults of something else. */
export function troubledTasks({ tasks }: RunReport): (ReportTask & { diagnosis: Diagnosis })[] {
  return tasks.flatMap((entry) => {
    const { diagnosis } = entry.task;
    return diagnosis === undefined || isPlain(entry, diagnosis) ? [] : [{ ...entry, diagnosis }];
  });
}

function isPlain({ task }: ReportTask, { rule }: Diagnosis): boolean {
  return rule === 'assertion' && task.attempts.length === 1;
}

/** "device (proven by attempts 1 and 2)". */
export function faultText({ fault, confidence, attempts }: Diagnosis): string {
  const numbers = attempts.slice(0, 8);
  const named =
    numbers.length === 1
      ? `attempt ${numbers[0]}`
      : `attempts ${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}${attempts.length > numbers.length ? ' and more' : ''}`;
  const sure = { proven: `proven by ${named}`, likely: `likely, by ${named}`, open: `not told apart by ${named}` };
  return `${fault === 'unknown' ? 'not known' : fault} (${sure[confidence]})`;
}

/** How many tasks each fault had, most first. */
export function faultCounts(troubled: readonly { diagnosis: Diagnosis }[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { diagnosis } of troubled) counts.set(diagnosis.fault, (counts.get(diagnosis.fault) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
