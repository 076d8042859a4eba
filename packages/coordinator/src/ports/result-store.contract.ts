// The contract of ResultStore, run on every adapter: what it says of a journal, whatever the batches were.
import { AssayError } from '@assay/protocol';
import { expect, test } from 'vitest';
import { failed, fullStory, JournalStory, passed } from '../results/journal-story.ts';
import type { RunId, TaskId, WorkerId } from '@assay/protocol';
import type { ResultStore } from './result-store.ts';

/** `use` opens a fresh store, hands it over, and closes it. */
export function resultStoreContract(
  name: string,
  use: (test: (store: ResultStore) => Promise<void>) => Promise<void>,
): void {
  const contract = (title: string, body: (store: ResultStore) => Promise<void>): void =>
    test(`${name}: ${title}`, () => use(body));

  contract('an empty store has applied nothing and knows no run', async (store) => {
    expect(await store.appliedSeq()).toBe(0);
    expect(await store.listRuns({ limit: 10 })).toEqual({ runs: [], next: null });
    expect(await store.readRun('r-none')).toBeNull();
    expect(await store.readTask('r-none.0')).toBeNull();
    expect(await store.readTask('nonsense')).toBeNull();
    expect(await store.listCases({ run: 'r-none', limit: 10 })).toEqual({ cases: [], next: null });
  });

  contract(
    'a settled run says its verdict, the verdicts of its tasks and the cases of their final attempts',
    async (store) => {
      const entries = fullStory();
      await store.apply(entries);
      expect(await store.appliedSeq()).toBe(entries.length);
      expect(await store.readRun('r-first')).toMatchObject({
        run: 'r-first',
        name: 'run r-first',
        project: 'story',
        submitter: 'someone',
        priority: 5,
        state: 'settled',
        verdict: 'inconclusive',
        isSealed: true,
        isCanceled: false,
        labels: { branch: 'main' },
        submittedAtMs: entries[2]?.atMs,
        startedAtMs: entries[4]?.atMs,
        tasks: {
          total: 5,
          queued: 0,
          assigned: 0,
          running: 0,
          settled: 5,
          verdicts: { passed: 3, inconclusive: 1, canceled: 1 },
        },
        cases: { passed: 6, failed: 0, skipped: 0, todo: 1 },
      });
    },
  );

  contract('a run under way says where its tasks are', async (store) => {
    await store.apply(fullStory());
    expect(await store.readRun('r-later')).toMatchObject({
      state: 'running',
      tasks: { total: 3, queued: 1, assigned: 1, running: 1, settled: 0, verdicts: {} },
    });
    const { tasks } = await store.listTasks({ run: 'r-later', limit: 10 });
    expect(tasks.map((task) => task.state)).toEqual(['running', 'assigned', 'queued']);
    expect(tasks[0]?.attempts).toMatchObject([{ attempt: 1, worker: 'w-other', workerName: 'other', blobs: [] }]);
  });

  contract('a task lists its attempts with their outcome, and returned attempts are none', async (store) => {
    await store.apply(fullStory());
    expect(await store.readTask('r-first.1')).toMatchObject({
      task: 'r-first.1',
      run: 'r-first',
      suite: 'browser',
      requires: '',
      target: 'b.test.ts',
      state: 'settled',
      verdict: 'passed',
      attempts: [
        {
          attempt: 1,
          worker: 'w-one',
          workerName: 'one',
          verdict: 'failed',
          failure: { class: 'test', code: 'TESTS_FAILED', evidence: { log: 'tail' } },
          counts: { passed: 1, failed: 1, skipped: 0, todo: 0 },
          costMs: 3.25,
          blobs: [{ name: 'log', bytes: 10 }],
        },
        { attempt: 2, worker: 'w-other', verdict: 'passed' },
      ],
    });
    expect((await store.readTask('r-first.2'))?.attempts.map((attempt) => attempt.verdict)).toEqual(['lost', 'passed']);
    expect((await store.readTask('r-first.3'))?.attempts.map((attempt) => attempt.attempt)).toEqual([2]);
    expect(await store.readTask('r-first.4')).toMatchObject({ state: 'settled', verdict: 'canceled', attempts: [] });
  });

  contract('each attempt says why it was placed where it was, under way or settled', async (store) => {
    const story = new JournalStory();
    const [run, one, two] = ['r-why' as RunId, 'w-one' as WorkerId, 'w-two' as WorkerId];
    story.join(one, 'one');
    story.join(two, 'two');
    story.submit(run, ['a', 'b', 'c']);
    story.assign(
      run,
      one,
      [0, 1].map((index) => ({ index, attempt: 1 })),
    );
    const firstAtMs = story.entries.at(-1)?.atMs;
    story.finish('r-why.0' as TaskId, 1, one, [passed('x')], 'failed', 'requeue');
    story.assign(run, two, [{ index: 0, attempt: 2 }]);
    const secondAtMs = story.entries.at(-1)?.atMs;
    story.finish('r-why.0' as TaskId, 2, two, [passed('x')], 'passed', 'settle');
    await store.apply(story.entries);
    const weighed = { rule: 'longestFirst', fittingWorkers: 5, freeWorkers: 4, expectedMs: 12.5 };
    const first = { ...weighed, worker: one, atMs: firstAtMs, batch: 2 };
    const second = { ...weighed, worker: two, atMs: secondAtMs, batch: 1 };
    const { tasks } = await store.listTasks({ run, limit: 10 });
    expect(tasks.map((task) => task.attempts.map((attempt) => attempt.placement))).toEqual([
      [first, second],
      [first],
      [],
    ]);
    expect((await store.readTask('r-why.0'))?.attempts.at(-1)?.placement).toEqual(second);
  });

  contract(
    'each recorded case is one row, repeats and refused reports are none, and only the final attempt is final',
    async (store) => {
      await store.apply(fullStory());
      const { cases, next } = await store.listCases({ run: 'r-first', limit: 100 });
      expect(next).toBeNull();
      expect(
        cases.map(
          (row) => `${row.task}#${row.attempt}.${row.ordinal} ${row.case.path.at(-1)} ${row.worker} ${row.isFinal}`,
        ),
      ).toEqual([
        'r-first.0#1.0 one w-one true',
        'r-first.0#1.1 two w-one true',
        'r-first.1#1.0 one w-one false',
        'r-first.1#1.1 two w-one false',
        'r-first.1#2.0 one w-other true',
        'r-first.1#2.1 two w-other true',
        'r-first.2#1.0 one w-one false',
        'r-first.2#1.1 two w-one false',
        'r-first.2#1.2 three w-one false',
        'r-first.2#2.0 one w-other true',
        'r-first.2#2.1 two w-other true',
        'r-first.2#2.2 three w-other true',
      ]);
      const failures = await store.listCases({ run: 'r-first', status: 'failed', limit: 10 });
      expect(failures.cases.map((row) => row.case)).toEqual([
        {
          path: ['two'],
          status: 'failed',
          durationMs: 7,
          failure: { message: 'expected 1, got 2', stack: 'at x:1' },
          line: 12,
          runnerRetries: 2,
        },
      ]);
      const open = await store.listCases({ run: 'r-later', limit: 10 });
      expect(open.cases).toMatchObject([{ worker: 'w-other', isFinal: false, suite: 'unit', target: 'x.test.ts' }]);
    },
  );

  contract('measurements stand in their cases, in order, and go with a duplicate that came second', async (store) => {
    const story = new JournalStory();
    const [run, one, two] = ['r-m' as RunId, 'w-one' as WorkerId, 'w-two' as WorkerId];
    const sample = (value: number) => ({ metric: 'time', unit: 'ms', value, direction: 'lower' as const });
    const measuring = (values: number[]) => ({ ...passed('sorts'), measurements: values.map(sample) });
    story.join(one, 'one');
    story.join(two, 'two');
    story.submit(run, ['a', 'b']);
    story.assign(run, one, [{ index: 0, attempt: 1 }]);
    story.start('r-m.0' as TaskId, 1, one);
    const withHeld = { ...sample(0.5), covariates: { load: 1.25, throttled: true, governor: 'powersave' } };
    story.cases('r-m.0' as TaskId, 1, one, [{ ...passed('x'), measurements: [withHeld] }, measuring([3, 1, 2])], 0);
    story.hedge(run, two, { index: 0, attempt: 2 });
    story.cases('r-m.0' as TaskId, 2, two, [measuring([9])], 0);
    await store.apply(story.entries);
    const before = await store.listCases({ run, limit: 10 });
    expect(before.cases.map((row) => row.case.measurements?.map(({ value }) => value))).toEqual([
      [0.5],
      [3, 1, 2],
      [9],
    ]);
    expect(before.cases[0]?.case.measurements).toEqual([withHeld]);
    // One in the batch in which it is dropped, too: its rows never reach the store.
    story.cases('r-m.0' as TaskId, 2, two, [measuring([8])], 1);
    story.dropHedge('r-m.0' as TaskId, 2, two);
    await store.apply(story.entries);
    const { cases } = await store.listCases({ run, limit: 10 });
    expect(cases.map((row) => [row.attempt, row.case.measurements?.map(({ value }) => value)])).toEqual([
      [1, [0.5]],
      [1, [3, 1, 2]],
    ]);
  });

  contract('an imported run is settled, with its cases, and an erased project is gone up to there', async (store) => {
    const story = new JournalStory();
    story.import('i-one' as RunId, 'elsewhere', [[passed('a'), failed('b')], [passed('c')]]);
    story.import('i-other' as RunId, 'kept', [[passed('a')]]);
    await store.apply(story.entries);
    expect(await store.readRun('i-one')).toMatchObject({
      project: 'elsewhere',
      state: 'settled',
      verdict: 'failed',
      startedAtMs: 1_600_000_000_000,
      tasks: { total: 2, settled: 2, verdicts: { failed: 1, passed: 1 } },
      cases: { passed: 2, failed: 1 },
    });
    expect((await store.listTasks({ run: 'i-one', limit: 10 })).tasks).toMatchObject([
      { target: 'file-0', suite: 'imported', verdict: 'failed', attempts: [{ attempt: 1, worker: null }] },
      { target: 'file-1', verdict: 'passed' },
    ]);
    expect((await store.listCases({ run: 'i-one', limit: 10 })).cases.map((row) => row.isFinal)).toEqual([
      true,
      true,
      true,
    ]);
    story.import('i-again' as RunId, 'elsewhere', [[passed('a')]]);
    story.erase('elsewhere');
    story.import('i-new' as RunId, 'elsewhere', [[{ ...passed('a') }]]);
    await store.apply(story.entries);
    expect((await store.listRuns({ limit: 10 })).runs.map(({ run }) => run)).toEqual(['i-new', 'i-other']);
    expect((await store.listCases({ run: 'i-one', limit: 10 })).cases).toEqual([]);
    expect((await store.listTasks({ run: 'i-one', limit: 10 })).tasks).toEqual([]);
    expect((await store.listCases({ run: 'i-new', limit: 10 })).cases).toHaveLength(1);
  });

  contract('pages follow one another without gap or repeat while rows arrive', async (store) => {
    const story = new JournalStory();
    const worker = 'w-one' as WorkerId;
    story.join(worker, 'one');
    for (const run of ['r-a', 'r-b', 'r-c', 'r-d', 'r-e']) story.submit(run as RunId, ['1', '2', '3', '4', '5']);
    await store.apply(story.entries);
    const first = await store.listRuns({ limit: 2 });
    story.submit('r-f' as RunId, ['1']);
    story.assign('r-c' as RunId, worker, [{ index: 3, attempt: 1 }]);
    story.finish('r-c.3' as TaskId, 1, worker, [passed('one'), passed('two'), passed('three')], 'passed', 'settle');
    await store.apply(story.entries);
    const second = await store.listRuns({ limit: 2, before: first.next ?? '' });
    const third = await store.listRuns({ limit: 2, before: second.next ?? '' });
    expect([first, second, third].map((page) => page.runs.map((run) => run.run))).toEqual([
      ['r-e', 'r-d'],
      ['r-c', 'r-b'],
      ['r-a'],
    ]);
    expect(third.next).toBeNull();

    const tasks = await store.listTasks({ run: 'r-c', limit: 3 });
    expect(tasks.tasks.map((task) => task.target)).toEqual(['1', '2', '3']);
    const rest = await store.listTasks({ run: 'r-c', limit: 3, after: tasks.next ?? '' });
    expect(rest).toMatchObject({ tasks: [{ target: '4' }, { target: '5' }], next: null });
    expect(
      (await store.listTasks({ run: 'r-c', state: 'settled', limit: 3 })).tasks.map((task) => task.target),
    ).toEqual(['4']);
    expect((await store.listTasks({ run: 'r-c', verdict: 'failed', limit: 3 })).tasks).toEqual([]);

    const cases = await store.listCases({ run: 'r-c', limit: 2 });
    const more = await store.listCases({ run: 'r-c', limit: 2, after: cases.next ?? '' });
    expect([...cases.cases, ...more.cases].map((row) => row.ordinal)).toEqual([0, 1, 2]);
    expect(more.next).toBeNull();
  });

  contract('a cursor that is none is refused', async (store) => {
    await expect(store.listCases({ run: 'r', limit: 1, after: "0'; DROP" })).rejects.toThrow(AssayError);
    await expect(store.listTasks({ run: 'r', limit: 1, after: '1.2' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(store.listRuns({ limit: 1, before: '-1' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  contract('entries that were applied before change nothing', async (store) => {
    const entries = fullStory();
    await store.apply(entries);
    const before = await everything(store);
    await store.apply(entries);
    await store.apply(entries.slice(3, 9));
    expect(await everything(store)).toEqual(before);
  });

  contract('a journal whose start is gone leaves no rows of the runs that it lacks', async (store) => {
    await store.apply(fullStory().slice(5));
    expect((await store.listRuns({ limit: 10 })).runs.map((run) => run.run)).toEqual(['r-later']);
    expect(await store.readTask('r-first.2')).toBeNull();
    expect((await store.listCases({ run: 'r-first', limit: 10 })).cases).toEqual([]);
  });
}

/** All that a store answers, for comparing two of them. */
export async function everything(store: ResultStore): Promise<unknown> {
  const { runs } = await store.listRuns({ limit: 1_000 });
  const details = [];
  for (const { run } of runs) {
    details.push(
      await store.readRun(run),
      await store.listTasks({ run, limit: 1_000 }),
      await store.listCases({ run, limit: 1_000 }),
    );
  }
  return { appliedSeq: await store.appliedSeq(), runs, details };
}
