import type { Case, RunId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { Lab, tasksOf } from '../../testing/lab.ts';

const run = 'i-1' as RunId;
const one = (status: Case['status']): Case => ({ path: ['a'], status, durationMs: 1 });
function imported(cases: Case[][], project = 'elsewhere') {
  const tasks = cases.map((list, at) => ({ suite: 0, target: `f${at}`, cases: list }));
  const content = { project, suites: [{ name: 's', format: 'junit' }], tasks, startedAtMs: null };
  return { kind: 'importRun' as const, run, submitter: 'ada', name: 'n', labels: {}, content };
}

test('an imported run has the verdicts that its cases give it, and leaves nothing in the engine but that it was there', () => {
  const lab = new Lab();
  const events = lab.step(
    imported([[one('passed'), one('failed')], [one('passed'), one('skipped')], [one('skipped')], []]),
  );
  expect(lab.reply).toEqual({ kind: 'runAccepted', run, tasks: 4, isRepeat: false });
  expect(events).toMatchObject([
    { kind: 'runImported', run, verdicts: ['failed', 'passed', 'skipped', 'inconclusive'], verdict: 'failed' },
  ]);
  expect(lab.engine.state.runs.size).toBe(0);
  expect(lab.step(imported([[one('passed')]]))).toEqual([]);
  expect(lab.reply).toEqual({ kind: 'runAccepted', run, tasks: 4, isRepeat: true });
});

test('a report in which nothing ran is no pass', () => {
  const lab = new Lab();
  expect(lab.step(imported([[one('skipped')]]))).toMatchObject([{ verdict: 'inconclusive' }]);
});

test('a task of a suite that is not there is refused', () => {
  const lab = new Lab();
  const input = imported([[one('passed')]]);
  lab.step({ ...input, content: { ...input.content, tasks: [{ suite: 1, target: '', cases: [] }] } });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'BAD_REQUEST' });
});

test('an erased project may be imported again, and none is erased while a run of it is in the engine', () => {
  const lab = new Lab();
  lab.step(imported([[one('passed')]]));
  lab.step({ kind: 'eraseProject', project: 'other', actor: 'ada' });
  lab.step(imported([[one('passed')]]));
  expect(lab.reply).toMatchObject({ isRepeat: true });
  lab.step({ kind: 'eraseProject', project: 'elsewhere', actor: 'ada' });
  lab.step(imported([[one('passed')]]));
  expect(lab.reply).toMatchObject({ isRepeat: false });
  lab.submit(tasksOf(1));
  const [live] = lab.engine.state.runs.values();
  lab.step({ kind: 'eraseProject', project: live?.spec.project ?? '', actor: 'ada' });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'CONFLICT' });
});
