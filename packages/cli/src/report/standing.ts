// Where a failing case stands, as every form of the report says it: in quarantine (it did not count, on whose word and until when),
// new, or known since when. What always holds: nothing is said of a failure whose history could not be read.
import type { Case, KnownFailure, QuarantineNote } from '@assay/protocol';
import { plural } from '../render/style.ts';
import type { ReportTask, RunReport } from './model.ts';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What keeps a failing case from counting, or null. */
export function mutedBy({ task }: ReportTask, one: Case): QuarantineNote | null {
  if (one.status !== 'failed') return null;
  const key = JSON.stringify(one.path);
  const notes = (task.quarantined ?? []).filter(({ mode }) => mode === 'mute');
  return notes.find(({ path }) => path.length === 0 || JSON.stringify(path) === key) ?? null;
}

/** What of the run is in quarantine, with the name of each test. */
export function quarantinedOf({ tasks }: RunReport): { name: string; note: QuarantineNote }[] {
  return tasks.flatMap(({ label, task }) =>
    (task.quarantined ?? []).map((note) => ({ name: [label, ...note.path].join(' > '), note })),
  );
}

/** "muted, failed: Ada, until 2026-12-01: races the clock". */
export function quarantineText({ mode, failures, owner, reason, expiresAtMs }: QuarantineNote): string {
  const what = mode === 'skip' ? 'skipped' : `muted, ${failures === 1 ? 'failed' : `${plural(failures, 'failure')}`}`;
  return `${what}: ${owner}, until ${day(expiresAtMs)}: ${reason}`;
}

/** What is known of a failing case's past; null where nothing is. */
export function historyOf({ history }: RunReport, { task }: ReportTask, one: Case): KnownFailure | null {
  const key = JSON.stringify(one.path);
  const same = (history ?? []).filter(
    ({ suite, target, path }) => suite === task.suite && target === task.target && JSON.stringify(path) === key,
  );
  return same.find(({ message }) => message === one.failure?.message) ?? same[0] ?? null;
}

/** "new", or "known: failed so 3 times before, first 2026-11-02 in r-1, last 2026-11-20 in r-9, at 2 revisions, on Zen 4". */
export function historyText(known: KnownFailure): string {
  if (known.seen === 'new') return 'new: it never failed so before';
  const { earlier, firstSeen, lastSeen, revisions, hardware } = known;
  const last = lastSeen === null || earlier === 1 ? '' : `, last ${day(lastSeen.atMs)} in ${lastSeen.run}`;
  return `known: failed so ${plural(earlier, 'time')} before, first ${day(firstSeen.atMs)} in ${firstSeen.run}${last}, at ${plural(revisions.length, 'revision')}, on ${hardware.join('; ')}`;
}

/** How many of the failures that count are new and how many known; null where the history could not be read. */
export function historyCounts(report: RunReport): { new: number; known: number } | null {
  if (report.history === null) return null;
  const counts = { new: 0, known: 0 };
  for (const entry of report.tasks)
    for (const one of entry.cases) {
      if (one.status !== 'failed' || mutedBy(entry, one) !== null) continue;
      const known = historyOf(report, entry, one);
      if (known !== null) counts[known.seen] += 1;
    }
  return counts;
}

/** The failing cases of a task that count. */
export function failingCases(entry: ReportTask): Case[] {
  return entry.cases.filter((one) => one.status === 'failed' && mutedBy(entry, one) === null);
}
