// Questions to a real results database, filled by a journal whose truth is known: a flake on one worker, a test that a revision
// broke, and a metric that became slower.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, RunId, TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { openDuckDbResultStore } from '../adapters/results-duckdb/store.ts';
import type { Analysis } from '../ports/analysis.ts';
import { JournalStory, passed } from '../results/journal-story.ts';
import { analysisOver, noAnalysis } from './analysis.ts';

const workers = ['w-one', 'w-two'] as WorkerId[];
const failed = (name: string, message: string): Case => ({ ...passed(name), status: 'failed', failure: { message } });

/** Two runs of each of 20 revisions; the odd run is on the second worker. Run 24 on is of revisions 12 on. */
function history(): JournalStory {
  const story = new JournalStory();
  for (const worker of workers) story.join(worker, worker.slice(2));
  for (let at = 0; at < 40; at += 1) {
    const revision = Math.floor(at / 2);
    const run = `r-${String(at).padStart(2, '0')}` as RunId;
    const worker = workers[at % 2] as WorkerId;
    story.submit(run, ['a.test.ts']);
    const event = story.entries.at(-1)?.events[0];
    if (event?.kind === 'runSubmitted') event.spec.labels = { revision: `v${revision}` };
    const slow = revision >= 12 ? 110 : 100;
    const measured: Case = {
      ...passed('measured'),
      measurements: [
        { metric: 'latency', unit: 'ms', value: slow + (at % 3), direction: 'lower' },
        { metric: 'latency', unit: 'ms', value: 900, direction: 'lower', covariates: { throttled: true } },
      ],
    };
    const cases = [
      passed('sound'),
      at % 2 === 1 && at % 4 === 1 ? failed('flaky', `timeout after ${at} ms`) : passed('flaky'),
      revision >= 12 ? failed('broken', 'expected 1 to be 2') : passed('broken'),
      measured,
    ];
    const task = `${run}.0` as TaskId;
    story.assign(run, worker, [{ index: 0, attempt: 1 }]);
    story.finish(task, 1, worker, [passed('other'), passed('other'), passed('other'), measured], 'passed', 'settle');
    // A pass of the attempt carries what it measured; a second task carries the failures.
    story.submit(`${run}-f` as RunId, ['a.test.ts']);
    const second = story.entries.at(-1)?.events[0];
    if (second?.kind === 'runSubmitted') second.spec.labels = { revision: `v${revision}` };
    story.assign(`${run}-f` as RunId, worker, [{ index: 0, attempt: 1 }]);
    const verdict = cases.some(({ status }) => status === 'failed') ? 'failed' : 'passed';
    story.finish(`${run}-f.0` as TaskId, 1, worker, cases.slice(0, 3), verdict, 'settle');
  }
  return story;
}

async function withAnalysis(body: (analysis: Analysis) => Promise<void>, rowsMax?: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-analysis-'));
  const store = await openDuckDbResultStore({ path: join(folder, 'results.duckdb') });
  try {
    await store.apply(history().entries);
    await body(analysisOver(store.rows, rowsMax));
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const scope = { runs: 1_000 };

test('a flake is told from a test that a revision broke, and the worker on which it lives is named', () =>
  withAnalysis(async (analysis) => {
    const { tests, isCut } = await analysis.flakes(scope);
    expect(isCut).toBe(false);
    expect(tests.map(({ path, verdict }) => [path, verdict])).toEqual([
      [['group', 'flaky'], 'flaky'],
      [['group', 'broken'], 'steady'],
    ]);
    expect(tests[0]).toMatchObject({ project: 'story', target: 'a.test.ts', executions: 40, failures: 10 });
    expect(tests[0]?.place).toMatchObject({ dimension: 'worker', value: 'two', here: { failed: 10, executions: 20 } });
    expect(tests[1]?.place).toBeNull();
    expect(await analysis.flakes({ runs: 1_000, project: 'another' })).toMatchObject({ tests: [] });
  }));

test('failures that are one have a first and a last, and a run says which of them are new', () =>
  withAnalysis(async (analysis) => {
    const { clusters, failures } = await analysis.failures({ ...scope, run: 'r-24-f' });
    expect(failures).toBe(26);
    expect(clusters).toMatchObject([
      {
        failures: 16,
        inRun: 'new',
        firstSeen: { run: 'r-24-f' },
        lastSeen: { run: 'r-39-f' },
        tests: ['a.test.ts > group > broken'],
      },
      { failures: 10, inRun: 'absent', firstSeen: { run: 'r-01-f' } },
    ]);
    expect((await analysis.failures({ ...scope, run: 'r-24-f' })).ofRun).toMatchObject([
      { path: ['group', 'broken'], seen: 'new', earlier: 0, firstSeen: { run: 'r-24-f' }, lastSeen: null },
    ]);
    // A test that fails with the words of another one fails for the first time still; what it said is the run's own.
    expect((await analysis.failures({ ...scope, run: 'r-29-f' })).ofRun).toMatchObject([
      {
        path: ['group', 'flaky'],
        seen: 'known',
        earlier: 7,
        firstSeen: { run: 'r-01-f' },
        lastSeen: { run: 'r-25-f' },
      },
      {
        path: ['group', 'broken'],
        seen: 'known',
        earlier: 5,
        lastSeen: { run: 'r-28-f' },
        revisions: ['v14', 'v13', 'v12'],
      },
    ]);
    expect((await analysis.failures({ ...scope, run: 'r-02' })).ofRun).toEqual([]);
    const later = await analysis.failures({ ...scope, run: 'r-30-f' });
    expect(later.clusters[0]).toMatchObject({ inRun: 'known' });
    expect((await analysis.failures(scope)).clusters[0]).toMatchObject({ inRun: null });
  }));

test('a metric that became slower is a regression, with its run, its size and what throttled samples were left out', () =>
  withAnalysis(async (analysis) => {
    const report = await analysis.changes(scope);
    expect(report).toMatchObject({ series: 1, tooFew: 0, throttled: 40, isCut: false });
    expect(report.changes).toMatchObject([
      { metric: 'latency', unit: 'ms', verdict: 'regression', at: { run: 'r-24', revision: 'v12' }, alsoChanged: [] },
    ]);
    const [change] = report.changes;
    expect(change?.share?.low).toBeLessThan(0.1);
    expect(change?.share?.high).toBeGreaterThan(0.09);
    expect(change?.detector).toMatchObject({ step: 0.05, recall: 1, rounds: 25 });
  }));

test('the revision that broke a test is found; revisions that were never run stay possible, and the one that tells most is next', () =>
  withAnalysis(async (analysis) => {
    const { tests } = await analysis.culprit({ runs: 1_000, test: 'broken' });
    expect(tests).toMatchObject([{ likeliest: 'v12', between: ['v12'], next: null }]);
    expect(tests[0]?.changed).toBeGreaterThan(0.99);
    const between = ['x1', 'x2', 'x3'];
    const revisions = [...Array.from({ length: 12 }, (_, at) => `v${at}`), ...between, 'v12', 'v13'];
    const finer = await analysis.culprit({ runs: 1_000, test: 'broken', revisions });
    expect(finer.tests[0]).toMatchObject({ between: [...between, 'v12'], next: 'x2' });
    expect(await analysis.culprit({ runs: 1_000, test: 'no such test' })).toEqual({ tests: [] });
  }));

test('rows that were cut are said, and where there is no database nothing is said', async () => {
  await withAnalysis(async (analysis) => {
    expect(await analysis.flakes(scope)).toMatchObject({ isCut: true });
    expect(await analysis.failures(scope)).toMatchObject({ isCut: true, failures: 3 });
  }, 3);
  await expect(noAnalysis.flakes(scope)).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
});
