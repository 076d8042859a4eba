// Stories of the shell: the production engine, driver, performer, links and feed together, in virtual time.
import { expect, test } from 'vitest';
import { FeedItem, RunView, type RunId, type TaskId } from '@assay/protocol';
import { passedOutcome, Rig, someSpec, type TestWorker } from './testing/rig.ts';

const one = { path: ['adds'], status: 'passed', durationMs: 1 } as const;

/** Does what it was assigned last, reporting from `seq` on. */
function work(rig: Rig, link: TestWorker, seq: number): void {
  const { task, attempt } = link.assigned().at(-1)! as { task: TaskId; attempt: number };
  rig.reports(link, { kind: 'started', seq, task, attempt, atMs: rig.clock.ms });
  rig.reports(
    link,
    { kind: 'cases', seq: seq + 1, task, attempt, from: 0, cases: [{ ...one, path: ['adds'] }] },
    { kind: 'finished', seq: seq + 2, task, attempt, outcome: passedOutcome(1) },
  );
}

test('a run goes from submission to its verdict: assigned, acknowledged, fed, and out of the engine once it is in the results', () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  expect(link.fate).toEqual({ kind: 'welcomed' });
  const run = rig.submit(2);
  expect(link.kinds()).toEqual(['welcome', 'assign']);
  work(rig, link, 1);
  // One acknowledgement a commit, and the next task with it.
  expect(link.got.slice(2)).toMatchObject([{ kind: 'ack', seq: 1 }, { kind: 'assign' }, { kind: 'ack', seq: 3 }]);
  work(rig, link, 4);
  const view = RunView.parse(rig.shell.views.run(run));
  expect(view).toMatchObject({
    state: 'settled',
    verdict: 'passed',
    tasks: { total: 2, settled: 2, verdicts: { passed: 2 } },
    cases: { passed: 2 },
  });
  for (const item of rig.fed) expect(() => FeedItem.parse(item)).not.toThrow();
  const kinds = rig.fed.map((item) => item.kind);
  expect(kinds.filter((kind) => kind === 'casesRecorded')).toHaveLength(2);
  expect(kinds.slice(0, 4)).toEqual(['workerJoined', 'runSubmitted', 'tasksQueued', 'tasksAssigned']);
  expect(kinds.at(-1)).toBe('runSettled');
  expect(rig.shell.health()).toMatchObject({ status: 'ok', workers: 1, queuedTasks: 0 });
  rig.post({ kind: 'resultsAcknowledged', seq: rig.durableSeq });
  expect(rig.shell.views.run(run)).toBe(null);
});

test('while the disk is slow nothing is sent, fed or answered, and views wait to be shown', async () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  rig.isDiskSlow = true;
  const fedBefore = rig.fed.length;
  let reply: unknown = null;
  rig.shell.post(
    {
      kind: 'submitRun',
      run: 'r-b' as RunId,
      submitter: 'me',
      idempotencyKey: 'k',
      contentDigest: 'c',
      spec: someSpec,
      tasks: [{ suite: 0, target: 'a' }],
      sealed: true,
    },
    (outcome) => (reply = outcome),
  );
  rig.settle();
  let isShown = false;
  void rig.shell.whenDurable().then(() => (isShown = true));
  await Promise.resolve();
  expect(rig.shell.views.run('r-b')).not.toBe(null);
  expect([link.kinds(), rig.fed.length, reply, isShown]).toEqual([['welcome'], fedBefore, null, false]);
  rig.commit();
  await Promise.resolve();
  expect(link.kinds()).toEqual(['welcome', 'assign']);
  expect(rig.fed.length).toBeGreaterThan(fedBefore);
  expect(reply).toMatchObject({ kind: 'durable' });
  expect(isShown).toBe(true);
});

test('a worker that falls silent is presumed lost, its link is closed and its task goes to another', () => {
  const rig = new Rig();
  const quiet = rig.connect('w-1');
  rig.submit(1);
  const { task, attempt } = quiet.assigned()[0]! as { task: TaskId; attempt: number };
  rig.reports(quiet, { kind: 'started', seq: 1, task, attempt, atMs: 1 });
  const other = rig.connect('w-2');
  for (let second = 0; second < 6; second += 1) {
    rig.pass(1_000);
    rig.says(other, { kind: 'heartbeat', atMs: rig.clock.ms });
  }
  expect(quiet.closedBecause).not.toBe(null);
  expect(other.assigned()).toEqual([{ task, attempt: attempt + 1 }]);
  // It wakes up: nobody listens to that session any more.
  expect(rig.reports(quiet, { kind: 'finished', seq: 2, task, attempt, outcome: passedOutcome() })).toBe(false);
  expect(rig.fed.filter((item) => item.kind === 'workerLost')).toHaveLength(1);
  work(rig, other, 1);
  expect(rig.fed.filter((item) => item.kind === 'taskSettled')).toHaveLength(1);
});

test('heartbeats go to every welcomed link about once an interval, and none is journalled', () => {
  const rig = new Rig();
  const links = Array.from({ length: 9 }, (_, index) => rig.connect(`w-${index}`));
  const before = rig.durableSeq;
  for (let tick = 0; tick < 20; tick += 1) {
    rig.pass(1_000);
    for (const link of links) rig.says(link, { kind: 'heartbeat', atMs: rig.clock.ms });
  }
  expect(rig.durableSeq).toBe(before);
  for (const link of links) {
    const beats = link.kinds().filter((kind) => kind === 'heartbeat').length;
    expect(beats).toBeGreaterThanOrEqual(9);
    expect(beats).toBeLessThanOrEqual(14);
  }
});

test('a link that closes gives its worker a grace, and a newer link of the same worker closes the older', () => {
  const rig = new Rig();
  const first = rig.connect('w-1', { incarnation: 'i-1' });
  rig.submit(1);
  const held = first.assigned() as { task: TaskId; attempt: number }[];
  rig.shell.linkClosed(first.session);
  rig.settle();
  const second = rig.connect('w-1', { incarnation: 'i-1', held });
  expect(second.got[0]).toMatchObject({ kind: 'welcome', abandon: [] });
  const third = rig.connect('w-1', { incarnation: 'i-1', held });
  expect(third.fate).toEqual({ kind: 'welcomed' });
  expect(second.closedBecause).not.toBe(null);
  // The close of a link that was closed from here is no news.
  rig.shell.linkClosed(second.session);
  rig.settle();
  expect(rig.fed.filter((item) => item.kind === 'workerDisconnected')).toHaveLength(1);
  expect(rig.shell.views.worker('w-1')?.state).not.toBe('disconnected');
});

test('refusals of a hello are final or not, by the catalogue', () => {
  const rig = new Rig();
  expect(rig.connect('w-1', { protocolVersion: 99 }).fate).toMatchObject({
    kind: 'refused',
    code: 'PROTOCOL_MISMATCH',
    isFinal: true,
  });
  rig.connect('w-1');
  const thief = rig.connect('w-1', { token: 't-other' });
  expect(thief.fate).toMatchObject({ kind: 'refused', code: 'WORKER_ID_TAKEN', isFinal: true });
  expect(rig.says(thief, { kind: 'heartbeat', atMs: 1 })).toBe(false);
});

test('live output is shown of the attempt that the worker holds, and of no other', () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  const other = rig.connect('w-2');
  rig.submit(1);
  const holder = link.assigned().length > 0 ? link : other;
  const bystander = holder === link ? other : link;
  const { task, attempt } = holder.assigned()[0]! as { task: TaskId; attempt: number };
  rig.says(bystander, { kind: 'output', task, attempt, stream: 'stdout', text: 'forged' });
  rig.says(holder, { kind: 'output', task, attempt: attempt + 1, stream: 'stdout', text: 'of no attempt' });
  rig.says(holder, { kind: 'output', task, attempt, stream: 'stdout', text: 'real' });
  expect(rig.fed.flatMap((item) => (item.kind === 'output' ? [item.text] : []))).toEqual(['real']);
});

test('a goodbye after its reports ends the session cleanly', () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  rig.submit(1);
  work(rig, link, 1);
  rig.says(link, { kind: 'goodbye', reason: 'drained' });
  expect(link.closedBecause).toMatch(/left/);
  expect(rig.fed.at(-1)).toMatchObject({ kind: 'workerLeft' });
});

test('when an append fails the shell is dead: fatal once, nothing sent', () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  rig.disk.isFull = true;
  expect(() => rig.submit(1)).toThrow(/disk is full/);
  expect(rig.fatal).toHaveLength(1);
  expect(link.kinds()).toEqual(['welcome']);
  // Time goes on, the worker falls silent, and still nothing more is decided.
  rig.clock.pass(rig.clock.ms + 60_000);
  expect(rig.fatal).toHaveLength(1);
  expect(rig.engine.state.workers.get(link.worker)?.state.kind).toBe('connected');
});

test('stopping commits and answers what was taken, then closes the links', async () => {
  const rig = new Rig();
  const link = rig.connect('w-1');
  const reply = rig.shell.submit({ kind: 'drainWorker', worker: link.worker, actor: 'me', reason: 'night' });
  const stopped = rig.shell.stop();
  const late = rig.shell.submit({ kind: 'timePassed' });
  late.catch(() => undefined);
  rig.settle();
  await stopped;
  expect(await reply).toMatchObject({ kind: 'accepted' });
  await expect(late).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  expect(link.kinds()).toEqual(['welcome', 'drain']);
  expect(link.closedBecause).toMatch(/stopping/);
  expect(rig.clock.timerTimes()).toEqual([]);
  expect(rig.shell.health().status).toBe('stopping');
});
