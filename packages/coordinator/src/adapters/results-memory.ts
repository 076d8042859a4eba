// The results store in memory: for the simulator and for tests. The same projection as DuckDB's, held in maps.
// What always holds: `apply` takes effect as a whole, and entries at or below `appliedSeq` change nothing.
import type { CaseRow, RunId, TaskId } from '@assay/protocol';
import { AssayError, runIdOf, taskIdOf } from '@assay/protocol';
import type { JournalEntry } from '../ports/journal.ts';
import type { CaseQuery, ResultStore, TaskQuery } from '../ports/result-store.ts';
import { project } from '../results/project.ts';
import { createProjection, nothingToResume, takeBatch } from '../results/projection.ts';
import type {
  AssignmentRow,
  AttemptRow,
  MeasurementRow,
  OpenAttemptRow,
  RowBatch,
  RunRow,
  SettlementRow,
  StoredCaseRow,
  SuiteRow,
  TaskRow,
} from '../results/rows.ts';
import { caseRowOf, runViewOf, taskViewOf, withMeasurements, type TaskParts } from '../results/views.ts';
import { caseAfter, caseCursor, compareCases, runBefore, taskAfter } from '../results/cursors.ts';

type Tables = {
  runs: Map<RunId, RunRow>;
  suites: Map<string, SuiteRow>;
  tasks: Map<RunId, TaskRow[]>;
  assignments: Map<RunId, Map<string, AssignmentRow>>;
  attempts: Map<TaskId, AttemptRow[]>;
  open: Map<TaskId, OpenAttemptRow>;
  settlements: Map<TaskId, SettlementRow>;
  cases: Map<RunId, StoredCaseRow[]>;
  measurements: Map<RunId, MeasurementRow[]>;
  workerNames: Map<string, string>;
};

export function createMemoryResultStore(): ResultStore {
  const projection = createProjection(nothingToResume);
  const tables: Tables = {
    runs: new Map(),
    suites: new Map(),
    tasks: new Map(),
    assignments: new Map(),
    attempts: new Map(),
    open: new Map(),
    settlements: new Map(),
    cases: new Map(),
    measurements: new Map(),
    workerNames: new Map(),
  };
  let appliedSeq = 0;

  return {
    appliedSeq: async () => appliedSeq,
    async apply(entries: JournalEntry[]): Promise<void> {
      for (const entry of entries) {
        if (entry.seq <= appliedSeq) continue;
        project(projection, entry);
        appliedSeq = entry.seq;
      }
      store(tables, takeBatch(projection));
    },
    async listRuns({ limit, before }) {
      const beforeSeq = runBefore(before);
      const rows = [...tables.runs.values()].filter((row) => row.seq < beforeSeq);
      rows.sort((a, b) => b.seq - a.seq);
      const page = rows.slice(0, limit);
      const next = rows.length > limit ? String(page.at(-1)?.seq) : null;
      return { runs: page.map((row) => structuredClone(runViewOf(row))), next };
    },
    async readRun(run) {
      const row = tables.runs.get(run as RunId);
      return row ? structuredClone(runViewOf(row)) : null;
    },
    async listTasks(query) {
      const views = tasksOf(tables, query);
      const page = views.slice(0, query.limit);
      const next = views.length > query.limit ? String(page.at(-1)?.index) : null;
      return { tasks: page.map(({ view }) => structuredClone(view)), next };
    },
    async readTask(task) {
      const id = task as TaskId;
      const row = tables.tasks.get(runIdOf(id))?.find((one) => taskIdOf(one.run, one.index) === id);
      return row ? structuredClone(taskViewOf(partsOf(tables, row))) : null;
    },
    listCases: async (query) => casesOf(tables, query),
    ...withoutFile,
    close: async () => {},
  };
}

/** What needs the database itself. */
const withoutFile: Pick<ResultStore, 'query' | 'backup' | 'restore'> = {
  query: async () => {
    throw new AssayError('QUERY_REFUSED', 'this store is in memory and has no SQL');
  },
  backup: async () => {
    throw new AssayError('RESULTS_UNAVAILABLE', 'this store is in memory and has no file to copy');
  },
  restore: async () => {
    throw new AssayError('RESULTS_UNAVAILABLE', 'this store is in memory and has no file to put back');
  },
};

function store(tables: Tables, batch: RowBatch): void {
  for (const row of batch.runs) tables.runs.set(row.run, row);
  for (const row of batch.suites) tables.suites.set(`${row.run} ${row.suite}`, row);
  for (const row of batch.tasks) listIn(tables.tasks, row.run).push(row);
  for (const row of batch.assignments) mapIn(tables.assignments, row.run).set(row.assignment, row);
  for (const row of batch.attempts) listIn(tables.attempts, taskIdOf(row.run, row.index)).push(row);
  for (const task of batch.closed) tables.open.delete(task);
  for (const row of batch.open) tables.open.set(taskIdOf(row.run, row.index), row);
  for (const row of batch.settlements) tables.settlements.set(taskIdOf(row.run, row.index), row);
  for (const { run, index, attempt } of batch.dropped) {
    const isOther = (row: { index: number; attempt: number }): boolean =>
      row.index !== index || row.attempt !== attempt;
    tables.cases.set(run, (tables.cases.get(run) ?? []).filter(isOther));
    tables.measurements.set(run, (tables.measurements.get(run) ?? []).filter(isOther));
  }
  for (const { run, index, diagnosis } of batch.revisions) {
    const id = taskIdOf(run, index);
    const row = tables.settlements.get(id);
    if (row !== undefined) tables.settlements.set(id, { ...row, diagnosis });
  }
  for (const row of batch.cases) listIn(tables.cases, row.run).push(row);
  for (const row of batch.measurements) listIn(tables.measurements, row.run).push(row);
  for (const one of batch.erased) erase(tables, one);
  for (const row of batch.workers) tables.workerNames.set(row.worker, row.name);
}

function erase(tables: Tables, { project, beforeSeq }: RowBatch['erased'][number]): void {
  for (const { run, seq } of [...tables.runs.values()].filter((row) => row.project === project)) {
    if (seq >= beforeSeq) continue;
    for (const { index } of tables.tasks.get(run) ?? []) {
      const task = taskIdOf(run, index);
      tables.attempts.delete(task);
      tables.open.delete(task);
      tables.settlements.delete(task);
    }
    for (const table of [tables.runs, tables.tasks, tables.assignments, tables.cases, tables.measurements])
      table.delete(run);
    for (const key of tables.suites.keys()) if (key.startsWith(`${run} `)) tables.suites.delete(key);
  }
}

function tasksOf(tables: Tables, query: TaskQuery): { index: number; view: ReturnType<typeof taskViewOf> }[] {
  const after = taskAfter(query.after);
  return (tables.tasks.get(query.run as RunId) ?? [])
    .filter((row) => row.index > after)
    .toSorted((a, b) => a.index - b.index)
    .map((row) => ({ index: row.index, view: taskViewOf(partsOf(tables, row)) }))
    .filter(({ view }) => query.state === undefined || view.state === query.state)
    .filter(({ view }) => query.verdict === undefined || view.verdict === query.verdict);
}

function casesOf(tables: Tables, query: CaseQuery): { cases: CaseRow[]; next: string | null } {
  const after = caseAfter(query.after);
  const rows = (tables.cases.get(query.run as RunId) ?? [])
    .filter((row) => compareCases(row, after) > 0 && (query.status === undefined || row.case.status === query.status))
    .toSorted(compareCases);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const cases = page.map((row) => {
    const id = taskIdOf(row.run, row.index);
    const task = tables.tasks.get(row.run)?.find((one) => one.index === row.index);
    const open = tables.open.get(id);
    const settled = tables.attempts.get(id)?.find((one) => one.attempt === row.attempt);
    const measured = (tables.measurements.get(row.run) ?? []).filter((one) => compareCases(one, row) === 0);
    return caseRowOf(structuredClone(withMeasurements(row, measured)), {
      suite: tables.suites.get(`${row.run} ${task?.suite}`)?.name ?? '',
      target: task?.target ?? '',
      worker: settled?.worker ?? (open?.attempt === row.attempt ? open.worker : null),
      final: tables.settlements.get(id)?.attempt ?? null,
    });
  });
  return { cases, next: rows.length > query.limit && last ? caseCursor(last) : null };
}

function partsOf(tables: Tables, task: TaskRow): TaskParts {
  const id = taskIdOf(task.run, task.index);
  const suite = tables.suites.get(`${task.run} ${task.suite}`);
  const open = tables.open.get(id);
  return {
    task,
    suite: suite?.name ?? '',
    requires: suite?.requires ?? '',
    attempts: tables.attempts.get(id) ?? [],
    assignments: tables.assignments.get(task.run) ?? new Map(),
    open: open ? { ...open, workerName: tables.workerNames.get(open.worker) ?? null } : null,
    settlement: tables.settlements.get(id) ?? null,
  };
}

function listIn<Key, Value>(map: Map<Key, Value[]>, key: Key): Value[] {
  let list = map.get(key);
  if (!list) map.set(key, (list = []));
  return list;
}

function mapIn<Key, Inner, Value>(map: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  let inner = map.get(key);
  if (!inner) map.set(key, (inner = new Map()));
  return inner;
}
