// Allure results: one `*-result.json` a case in a directory, as Allure's own adapters write them (allurereport.org, "Allure result
// file"). The history id is made from project, suite, target and titles, so that Allure's trends follow a test from run to run.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from './model.ts';
import { historyOf, mutedBy } from './standing.ts';

const statuses = { passed: 'passed', failed: 'failed', skipped: 'skipped', todo: 'skipped' } as const;

export type AllureResult = { uuid: string; historyId: string; status: string } & Record<string, unknown>;

/** Every case of the run, and every file that failed as a whole. */
export function toAllure(report: RunReport): AllureResult[] {
  const { run, tasks } = report;
  return tasks.flatMap((entry) => {
    const found = entry.cases.map((one, at) => {
      const known = one.status === 'failed' ? historyOf(report, entry, one) : null;
      return {
        ...resultOf(run.project, entry, one.path, at),
        status: statuses[one.status],
        ...(one.failure === undefined
          ? {}
          : {
              statusDetails: {
                message: one.failure.message,
                trace: one.failure.stack ?? one.failure.message,
                ...(mutedBy(entry, one) === null ? {} : { muted: true }),
                ...(known === null ? {} : { known: known.seen === 'known' }),
              },
            }),
        ...timesOf(entry, one.durationMs),
        name: one.path.at(-1) ?? caseName(one),
      };
    });
    if (!hasOwnFailure(entry)) return found;
    const message = entry.final?.failure?.message ?? `The task ended as ${entry.verdict}.`;
    const own = { ...resultOf(run.project, entry, [entry.label], -1), name: entry.label, status: 'broken' };
    return [...found, { ...own, statusDetails: { message }, ...timesOf(entry, entry.final?.costMs ?? 0) }];
  });
}

/** Writes the results into the directory; how many. */
export async function writeAllure(report: RunReport, directory: string): Promise<number> {
  await mkdir(directory, { recursive: true });
  const results = toAllure(report);
  for (const result of results)
    await writeFile(join(directory, `${result.uuid}-result.json`), `${JSON.stringify(result, null, 2)}\n`);
  return results.length;
}

function resultOf(project: string, { task }: ReportTask, path: readonly string[], at: number) {
  const named = JSON.stringify([project, task.suite, task.target, ...path]);
  const groups = path.slice(0, -1);
  const worker = task.attempts.at(-1)?.workerName;
  return {
    // The same case of the same attempt is the same file, however often it is written.
    uuid: hexOf(`${task.task} ${at}`),
    historyId: hexOf(named),
    testCaseId: hexOf(named),
    fullName: `${task.target || task.suite}#${path.join(' ')}`,
    stage: 'finished',
    labels: [
      { name: 'framework', value: 'assay' },
      { name: 'parentSuite', value: task.suite },
      ...(groups.length === 0 ? [] : [{ name: 'suite', value: groups.join(' > ') }]),
      ...(worker ? [{ name: 'host', value: worker }] : []),
    ],
    // A variant is a dimension of a test and not another test: shown, and left out of what it is told by.
    parameters: task.variant === undefined ? [] : [{ name: 'variant', value: task.variant, excluded: true }],
  };
}

/** When a case began is not measured: only when its file did. */
function timesOf({ final }: ReportTask, durationMs: number): { start?: number; stop?: number } {
  if (final?.startedAtMs === undefined) return {};
  return { start: Math.round(final.startedAtMs), stop: Math.round(final.startedAtMs + durationMs) };
}

function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
