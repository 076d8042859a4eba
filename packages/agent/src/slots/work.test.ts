import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AssayError, Report } from '@assay/protocol';
import type { Assign, AttemptOutcome, AttemptRef, Case } from '@assay/protocol';
import type { Batch, BatchInput, BatchSink } from '../execute/execute-batch.ts';
import { ProfileWatch } from '../profile-watch.ts';
import type { ReportBody } from '../spool/spool.ts';
import { Ledger } from './ledger.ts';
import { checkedReport } from './checked-report.ts';
import { splitCases } from './outcomes.ts';
import { Work } from './work.ts';

/** An execution that the test plays by hand: it does nothing by itself. */
class Played {
  readonly sink: BatchSink;
  readonly input: BatchInput;
  readonly asked: string[] = [];
  end: () => void = () => undefined;
  readonly batch: Batch;

  constructor(input: BatchInput, sink: BatchSink) {
    this.sink = sink;
    this.input = input;
    this.batch = {
      withdraw: (refs) => this.asked.push(`withdraw ${refs.map((one) => one.task).join()}`),
      cancel: (refs) => this.asked.push(`cancel ${refs === 'all' ? 'all' : refs.map((one) => one.task).join()}`),
      done: new Promise((resolve) => (this.end = resolve)),
    };
  }
}

function world(change: { slots?: number; spoolFull?: () => boolean; misfit?: () => string | null } = {}) {
  const reports: ReportBody[] = [];
  const played: Played[] = [];
  const work = new Work({
    slots: change.slots ?? 1,
    scratchDir: '/nowhere',
    env: {},
    execute: (input, sink) => {
      played.push(new Played(input, sink));
      return played.at(-1)!.batch;
    },
    acquire: async () => ({ directory: '/project', release: () => undefined }),
    report: (body) => {
      if (body.kind === 'cases' && change.spoolFull?.() === true) throw new AssayError('SPOOL_FULL', 'full');
      Report.parse({ ...body, seq: reports.length });
      reports.push(body);
    },
    keepFiles: async (_ref, outcome) => outcome,
    output: () => undefined,
    misfit: change.misfit ?? (() => null),
    nowMs: () => 5,
    changed: () => undefined,
  });
  const said = () =>
    reports.map((report) =>
      report.kind === 'returned'
        ? `returned ${report.attempts.map((one) => one.task).join()} ${report.reason}`
        : `${report.kind} ${'task' in report ? report.task : ''}`,
    );
  return { work, played, reports, said };
}

const ref = (task: string): AttemptRef => ({ task, attempt: 1 }) as AttemptRef;
const assign = (...tasks: string[]): Assign =>
  ({
    kind: 'assign',
    assignment: 'a',
    run: 'r',
    source: {},
    suite: {},
    tasks: tasks.map((task) => ({ ...ref(task), target: '', expectedMs: 1 })),
  }) as unknown as Assign;
const passed: AttemptOutcome = {
  verdict: 'passed',
  counts: { passed: 1, failed: 0, skipped: 0, todo: 0 },
  casesReported: 1,
  startedAtMs: 1,
  endedAtMs: 2,
  costMs: 1,
};
const soon = () => new Promise((resolve) => setImmediate(resolve));
const oneCase: Case = { path: ['x'], status: 'passed', durationMs: 1 };

test('each attempt is reported once, whatever the execution says of it afterwards', async () => {
  const { work, played, said } = world();
  work.assign(assign('a', 'b'));
  await soon();
  const { sink, end } = played[0]!;
  sink.started(ref('a'), 1);
  sink.started(ref('a'), 1);
  sink.finished(ref('a'), passed, []);
  sink.finished(ref('a'), passed, []);
  sink.returned([ref('a'), ref('b'), ref('b')], 'runnerDied', 'died');
  sink.started(ref('b'), 1);
  await soon();
  end();
  await soon();
  expect(said()).toEqual(['started a', 'returned b runnerDied', 'finished a']);
  expect(work.size).toBe(0);
});

test('an execution that ends without a word about an attempt leaves it errored, and not open', async () => {
  const { work, played, reports } = world();
  work.assign(assign('a'));
  await soon();
  played[0]!.end();
  await soon();
  expect(reports.map((report) => report.kind)).toEqual(['started', 'finished']);
  expect(reports[1]).toMatchObject({
    outcome: { verdict: 'errored', failure: { code: 'INTERNAL', class: 'infrastructure' } },
  });
});

test('cases that no longer fit the spool end their attempt by name, with what was reported before', async () => {
  let isFull = false;
  const { work, played, reports } = world({ spoolFull: () => isFull });
  work.assign(assign('a'));
  await soon();
  const { sink, asked } = played[0]!;
  sink.started(ref('a'), 1);
  sink.cases(ref('a'), 0, [oneCase, oneCase]);
  isFull = true;
  sink.cases(ref('a'), 2, [oneCase]);
  isFull = false;
  sink.cases(ref('a'), 3, [oneCase]);
  expect(asked).toEqual(['cancel a']);
  sink.finished(ref('a'), { ...passed, verdict: 'canceled' }, []);
  await soon();
  expect(reports.at(-1)).toMatchObject({
    kind: 'finished',
    outcome: { verdict: 'errored', failure: { class: 'infrastructure', code: 'SPOOL_FULL' }, casesReported: 2 },
  });
  expect(reports.filter((report) => report.kind === 'cases')).toHaveLength(1);
});

test('on a drain the unstarted come back as draining, though the execution calls them taken back', async () => {
  const { work, played, said } = world();
  work.assign(assign('a', 'b'));
  work.assign(assign('c'));
  await soon();
  const { sink, asked, end } = played[0]!;
  sink.started(ref('a'), 1);
  work.drain('asked');
  expect(asked).toEqual(['withdraw b']);
  sink.returned([ref('b')], 'takenBack', '');
  sink.finished(ref('a'), passed, []);
  await soon();
  end();
  await soon();
  work.assign(assign('d'));
  expect(said()).toEqual([
    'started a',
    'returned c draining',
    'returned b draining',
    'finished a',
    'returned d draining',
  ]);
});

test('on a machine that became another one nothing new starts until the coordinator knows, and what waits goes back', async () => {
  let misfit: string | null = null;
  const { work, said } = world({ misfit: () => misfit });
  work.assign(assign('a'));
  work.assign(assign('b'));
  misfit = 'changed';
  work.misfitted('changed');
  work.assign(assign('c'));
  expect(said()).toEqual(['returned b misfit', 'returned c misfit']);
});

test('a machine is another one only when two looks agree', async () => {
  const looks = ['x', 'y', 'x', 'z', 'z'];
  const changed: string[] = [];
  const profile = {} as never;
  const watch = new ProfileWatch(
    { profile, digest: 'x' },
    {
      everyMs: 0,
      say: () => undefined,
      changed: (next) => changed.push(next.digest),
      probe: async () => ({ profile, digest: looks.shift()! }),
    },
  );
  await watch.look();
  expect(changed).toEqual([]);
  await watch.look();
  expect(changed).toEqual([]);
  looks.splice(0, looks.length, 'z', 'z');
  await watch.look();
  expect(changed).toEqual(['z']);
  watch.close();
});

test('cases are split so that each report fits, by count and by size, and none is lost', () => {
  const large: Case = {
    ...oneCase,
    status: 'failed',
    failure: { message: 'm'.repeat(16_000), stack: 's'.repeat(32_000) },
  };
  const cases = [...Array.from({ length: 1_200 }, () => oneCase), ...Array.from({ length: 40 }, () => large)];
  const parts = splitCases(cases);
  expect(parts.flat()).toEqual(cases);
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(500);
    expect(JSON.stringify(part).length).toBeLessThan(512 * 1024);
  }
});

test('the list of work in hand survives a restart, a torn line, and its own compaction', () => {
  const home = mkdtempSync(join(tmpdir(), 'assay-ledger-'));
  const path = join(home, 'work.ndjson');
  const open = (compactBytes?: number) =>
    new Ledger({ path, say: () => undefined, ...(compactBytes === undefined ? {} : { compactBytes }) });
  try {
    const first = open(2_000);
    first.assigned([ref('a'), ref('b'), ref('c')]);
    first.started(ref('a'), 7);
    first.cases(ref('a'), 3);
    first.settled([ref('b')]);
    for (let index = 0; index < 200; index += 1) {
      first.assigned([ref(`x.${index}`)]);
      first.settled([ref(`x.${index}`)]);
    }
    first.close();
    expect(readFileSync(path).length).toBeLessThan(4_000);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('00000000 {"held":[{"ta')]));
    const second = open();
    expect(second.unfinished()).toEqual([
      { ref: ref('a'), startedAtMs: 7, cases: 3 },
      { ref: ref('c'), startedAtMs: null, cases: 0 },
    ]);
    second.settled([ref('a')]);
    second.close();
    const third = open();
    expect(third.unfinished().map((one) => one.ref.task)).toEqual(['c']);
    third.close();
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test('a report that breaks the contract is replaced before it can wedge the link', () => {
  expect(checkedReport({ kind: 'finished', ...ref('a'), outcome: passed })).toMatchObject({
    outcome: { verdict: 'passed' },
  });
  const broken = { ...passed, costMs: -1, endedAtMs: Number.NaN };
  const replaced = checkedReport({ kind: 'finished', ...ref('a'), outcome: broken });
  expect(Report.parse({ ...replaced, seq: 0 })).toMatchObject({
    outcome: { verdict: 'errored', failure: { code: 'INTERNAL' }, casesReported: 1 },
  });
  const cases = [{ ...oneCase, durationMs: -1 }];
  expect(() => checkedReport({ kind: 'cases', ...ref('a'), from: 0, cases })).toThrow(
    expect.objectContaining({ code: 'REPORT_CORRUPT' }),
  );
});
