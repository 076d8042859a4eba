// A recording out of a real journal on disk: the production engine's entries, appended and read back.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab, suiteOf } from '@assay/core/testing/lab.ts';
import { RunRecording } from '@assay/protocol';
import { afterEach, expect, test } from 'vitest';
import { openSqliteJournal } from '../adapters/journal-sqlite/journal.ts';
import { readRecording } from './read-recording.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Two workers, one of which is lost in the middle; two tasks, one of which comes later, and one of which is repeated. */
function story(): { lab: Lab; run: string } {
  const lab = new Lab({ reconnectGraceMs: 1_000 });
  lab.join('w1');
  lab.join('w2', { slots: 2 });
  lab.join('gone');
  lab.step({ kind: 'workerWentSilent', worker: 'gone' as never, session: lab.session('gone') });
  const other = lab.submit([{ suite: 0, target: 'other' }]);
  for (const name of ['w1', 'w2']) for (const ref of lab.held(name)) lab.finish(name, ref, { costMs: 7 });
  const run = lab.submit(
    [{ suite: 0, target: 'a', expectedMs: 500 }],
    { suites: [suiteOf({ name: 'unit' })] },
    { sealed: false },
  );
  expect(run).not.toBe(other);
  const first = lab.held('w1').length > 0 ? 'w1' : 'w2';
  const second = first === 'w1' ? 'w2' : 'w1';
  lab.wait(100);
  lab.start(first, lab.held(first)[0]!);
  lab.wait(200);
  lab.step({ kind: 'workerWentSilent', worker: first as never, session: lab.session(first) });
  lab.step({ kind: 'addTasks', run, chunk: 1, tasks: [{ suite: 0, target: 'b', after: [0] }], sealed: true });
  for (let round = 0; round < 5; round += 1) {
    lab.wait(1_000);
    for (const ref of lab.held(second)) {
      lab.start(second, ref);
      lab.finish(second, ref, { costMs: 900, startupMs: 40 });
    }
  }
  expect(lab.engine.state.runs.get(run)?.state.kind).toBe('settled');
  return { lab, run };
}

async function read(lab: Lab, run: string, bounds: { tasksMax?: number; bytesMax?: number; throughSeq?: number } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'assay-recording-'));
  directories.push(directory);
  const journal = openSqliteJournal({ stateDirectory: directory });
  await new Promise<void>((resolve, reject) =>
    journal.append(lab.journal, (error) => (error === null ? resolve() : reject(error))),
  );
  const { journalDirectory, snapshotDirectory } = journal;
  await journal.close();
  const most = { tasksMax: 100, bytesMax: 1e9, throughSeq: lab.engine.state.seq };
  return readRecording({ journalDirectory, snapshotDirectory, run, ...most, ...bounds });
}

test('arrivals, workers as they were and every attempt of the run, and nothing of another', async () => {
  const { lab, run } = story();
  const recording = RunRecording.parse(await read(lab, run));
  if (recording.kind !== 'recorded') throw new Error(recording.reason);
  expect(recording.tasks.map(({ target, arrivedMs, after }) => [target, arrivedMs, after])).toEqual([
    ['a', 0, undefined],
    ['b', 300, [0]],
  ]);
  const [a, b] = recording.tasks;
  expect(a?.attempts).toMatchObject([
    { attempt: 1, assignedMs: 0, startedMs: 100, endedMs: 300, verdict: 'lost' },
    { attempt: 2, costMs: 900, startupMs: 40, verdict: 'passed' },
  ]);
  expect(b?.attempts).toMatchObject([{ attempt: 1, costMs: 900, verdict: 'passed' }]);
  const lost = a?.attempts[0]?.worker;
  // The one that was lost before the run is not in it; the one that was lost in it was there until then.
  expect(recording.workers.map(({ worker, fromMs, untilMs }) => [worker, fromMs, untilMs])).toEqual(
    ['w1', 'w2'].map((worker) => [worker, 0, worker === lost ? 300 : null]),
  );
  expect(recording.workers.find(({ worker }) => worker === 'w2')?.slots).toBe(2);
  expect(recording.settledMs).toBeGreaterThanOrEqual(b?.attempts[0]?.endedMs ?? Infinity);
});

test('a run that is unknown, not over, or beyond the bounds is absent, with the reason', async () => {
  const { lab, run } = story();
  const unknown = await read(lab, 'r-unknown');
  expect(unknown).toEqual({ kind: 'absent', reason: 'the journal, kept from entry 1 on, does not hold the run' });
  const early = lab.journal.find(({ events }) =>
    events.some((event) => event.kind === 'runSubmitted' && event.run === run),
  );
  expect(await read(lab, run, { throughSeq: early!.seq })).toEqual({ kind: 'absent', reason: 'the run is not over' });
  expect(await read(lab, run, { tasksMax: 1 })).toEqual({ kind: 'absent', reason: 'the run has more than 1 tasks' });
  expect(await read(lab, run, { bytesMax: 10 })).toMatchObject({ kind: 'absent' });
});
