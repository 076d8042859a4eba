// The dossier of one failed test: everything that is known of why it failed, gathered through the API for a person or a program who
// was not there. What always holds: what could not be had is null or absent and never made up; a log is quoted by its end only,
// with what is missing said; the text of tests and machines is data and nothing else.
import type { Client } from '@assay/client';
import { AssayError } from '@assay/protocol';
import type {
  AttemptView,
  BlobRef,
  Case,
  Diagnosis,
  KnownFailure,
  QuarantineNote,
  RunView,
  Verdict,
  WorkerView,
} from '@assay/protocol';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from '../report/model.ts';
import { readReport } from '../report/read.ts';
import { historyOf, mutedBy } from '../report/standing.ts';
import { againCommand } from './again.ts';

/** Another task that the same worker had, with how it ended there. */
export type Neighbour = { task: string; label: string; verdict: Verdict | null; startedAtMs: number | null };

export type Log = Pick<BlobRef, 'name' | 'digest' | 'bytes' | 'truncatedBytes'> & {
  attempt: number;
  /** Its last part; null where it is no text, too large to fetch, or gone. */
  tail: string | null;
};

export type Dossier = {
  run: Pick<RunView, 'run' | 'name' | 'project' | 'labels' | 'submittedAtMs'>;
  task: string;
  suite: string;
  target: string;
  /** Titles of the failing test; null where the file failed as a whole. */
  path: string[] | null;
  variant: string | null;
  verdict: Verdict | null;
  message: string;
  stack: string | null;
  history: KnownFailure | null;
  quarantined: QuarantineNote | null;
  diagnosis: Diagnosis | null;
  /** Every attempt with why it was placed where it was. */
  attempts: AttemptView[];
  /** The worker of the attempt that counts, as it is now; null where it is gone. */
  hardware: WorkerView | null;
  hallmark: string | null;
  /** The tasks of this run that the same worker ran before and after, in order of time. */
  neighbours: Neighbour[];
  logs: Log[];
  artefacts: BlobRef[];
  /** Runs it again on hardware of this kind; null where the run's hardware is not known any more. */
  again: string | null;
};

const dossiersMax = 20;
const neighboursEachSide = 5;

/** Of every failing test of the run whose name holds the words; NOT_FOUND where there is none. */
export async function readDossiers(client: Client, run: string, words: string): Promise<Dossier[]> {
  const report = await readReport(client, run, null);
  const found = report.tasks.flatMap((entry) =>
    failuresOf(entry)
      .filter((one) => nameOf(entry, one).includes(words))
      .map((one) => ({ entry, one })),
  );
  if (found.length === 0)
    throw new AssayError(
      'NOT_FOUND',
      `no failed test of run ${run} has "${words}" in its name ("file > group > test")`,
    );
  if (found.length > dossiersMax)
    throw new AssayError(
      'USAGE',
      `${found.length} failed tests have that in their names; at most ${dossiersMax} dossiers are made`,
    );
  const dossiers: Dossier[] = [];
  // One after the other: logs are fetched, and a fleet in trouble is not to be loaded by who looks at it.
  for (const { entry, one } of found) dossiers.push(await dossierOf(client, report, entry, one));
  return dossiers;
}

/** The failing cases of a task, and null for the file itself where it failed as a whole. */
function failuresOf(entry: ReportTask): (Case | null)[] {
  const cases = entry.cases.filter(({ status }) => status === 'failed');
  return hasOwnFailure(entry) ? [...cases, null] : cases;
}

const nameOf = ({ label }: ReportTask, one: Case | null): string =>
  one === null ? label : `${label} > ${caseName(one)}`;

async function dossierOf(client: Client, report: RunReport, entry: ReportTask, one: Case | null): Promise<Dossier> {
  const { task, final, verdict, hallmark } = entry;
  const { run, name, project, labels, submittedAtMs } = report.run;
  const worker = final?.worker ?? null;
  const hardware = worker === null ? null : await workerOf(client, worker);
  const blobs = task.attempts.flatMap(({ attempt, blobs: of }) => of.map((blob) => ({ attempt, blob })));
  const isLog = ({ blob }: { blob: BlobRef }): boolean =>
    /(^|\/)(log|std(out|err)|output)(\.|$)|\.(log|txt)$/.test(blob.name);
  const logs: Log[] = [];
  for (const { attempt, blob } of blobs.filter(isLog)) {
    const { digest, bytes, truncatedBytes } = blob;
    logs.push({ attempt, name: blob.name, digest, bytes, truncatedBytes, tail: await tailOf(client, blob) });
  }
  return {
    run: { run, name, project, labels, submittedAtMs },
    task: task.task,
    suite: task.suite,
    target: task.target,
    path: one?.path ?? null,
    variant: task.variant ?? null,
    verdict,
    message: one?.failure?.message ?? final?.failure?.message ?? `The task ended as ${verdict}.`,
    stack: one?.failure?.stack ?? null,
    history: one === null ? null : historyOf(report, entry, one),
    quarantined: one === null ? null : mutedBy(entry, one),
    diagnosis: task.diagnosis ?? null,
    attempts: task.attempts,
    hardware,
    hallmark,
    neighbours: worker === null ? [] : neighboursOf(report, entry, worker),
    logs,
    artefacts: blobs.filter((each) => !isLog(each)).map(({ blob }) => blob),
    again: hardware === null ? null : againCommand(task, hardware),
  };
}

async function workerOf(client: Client, worker: string): Promise<WorkerView | null> {
  try {
    return await client.readWorker(worker);
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

function neighboursOf({ tasks }: RunReport, entry: ReportTask, worker: string): Neighbour[] {
  const there = tasks
    .flatMap(({ task, label }) =>
      task.attempts
        .filter((attempt) => attempt.worker === worker && attempt.startedAtMs !== undefined)
        .map(({ verdict = null, startedAtMs = null }) => ({ task: task.task, label, verdict, startedAtMs })),
    )
    .toSorted((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0));
  const at = there.findLastIndex(({ task }) => task === entry.task.task);
  return there
    .slice(Math.max(0, at - neighboursEachSide), at + neighboursEachSide + 1)
    .filter(({ task }) => task !== entry.task.task);
}

const tailChars = 4_000;
const fetchedBytesMax = 8 * 1024 * 1024;

async function tailOf(client: Client, { digest, bytes }: BlobRef): Promise<string | null> {
  if (bytes > fetchedBytesMax) return null;
  try {
    const text = await new Response(await client.downloadBlob(digest)).text();
    return text.includes('\u0000') ? null : text.slice(-tailChars);
  } catch (error) {
    // Blobs go after their time; the rows that name them stay.
    if (isCode(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
