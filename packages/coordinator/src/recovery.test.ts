import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkInvariants, createEngine, engineDefaults, snapshot, type State } from '@assay/core';
import type { TaskId } from '@assay/protocol';
import { createMemoryJournal, type MemoryDisk } from './adapters/journal-memory.ts';
import { openSqliteJournal } from './adapters/journal-sqlite/journal.ts';
import { takeSnapshot } from './follow/snapshot-thread.ts';
import type { JournalEntry } from './ports/journal.ts';
import { recoverState, type Recovered } from './recovery.ts';
import { HandClock } from './testing/hand-clock.ts';
import { passedOutcome, Rig } from './testing/rig.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A rig in the middle of things: one run half done, one waiting, one worker gone, one lost its task. */
function busyRig(): Rig {
  const rig = new Rig();
  const first = rig.connect('w-1', { slots: 2 });
  const second = rig.connect('w-2');
  rig.submit(6);
  rig.submit(3, { run: 'r-bbbbbbbbbb', spec: { priority: 5, failFast: true } });
  const held = first.assigned() as { task: TaskId; attempt: number }[];
  rig.reports(first, { kind: 'started', seq: 1, ...held[0]!, atMs: 5 });
  rig.reports(first, {
    kind: 'cases',
    seq: 2,
    ...held[0]!,
    from: 0,
    cases: [{ path: ['a'], status: 'passed', durationMs: 1 }],
  });
  rig.reports(first, { kind: 'finished', seq: 3, ...held[0]!, outcome: passedOutcome(1) });
  rig.pass(500);
  rig.reports(first, { kind: 'started', seq: 4, ...held[1]!, atMs: 6 });
  rig.shell.linkClosed(second.session);
  rig.settle();
  return rig;
}

function text(state: State): string {
  expect(checkInvariants(state)).toEqual([]);
  return snapshot(state);
}

async function recovered(disk: MemoryDisk, notices: string[] = []): Promise<Recovered> {
  return await recoverState(createMemoryJournal({ disk }), (message) => notices.push(message));
}

test('the time of the last entry is known, with or without entries after the snapshot', async () => {
  expect((await recovered(new Rig().disk)).lastAtMs).toBe(0);
  const rig = busyRig();
  const { seq, atMs } = JSON.parse(rig.disk.entries.at(-1)!) as JournalEntry;
  expect((await recovered(rig.disk)).lastAtMs).toBe(atMs);
  rig.disk.snapshots.unshift({ seq, state: snapshot(rig.engine.state) });
  expect(await recovered(rig.disk)).toMatchObject({ snapshotSeq: seq, entries: 0, lastAtMs: atMs });
});

test('folding the journal gives exactly the state that was lived', async () => {
  const rig = busyRig();
  const { state, entries, snapshotSeq } = await recovered(rig.disk);
  expect(text(state)).toBe(text(rig.engine.state));
  expect([entries, snapshotSeq]).toEqual([rig.disk.entries.length, null]);
});

test('a snapshot and the entries after it give the same', async () => {
  const rig = busyRig();
  const middle = Math.floor(rig.disk.entries.length / 2);
  const early = await recovered({ ...rig.disk, entries: rig.disk.entries.slice(0, middle) });
  rig.disk.snapshots.unshift({ seq: middle, state: snapshot(early.state) });
  const { state, entries, snapshotSeq } = await recovered(rig.disk);
  expect(text(state)).toBe(text(rig.engine.state));
  expect([entries, snapshotSeq]).toEqual([rig.disk.entries.length - middle, middle]);
});

test('a snapshot that cannot be restored is passed over for the older one, then for the beginning, and said', async () => {
  const rig = busyRig();
  const early = await recovered({ ...rig.disk, entries: rig.disk.entries.slice(0, 3) });
  rig.disk.snapshots.push({ seq: 5, state: '{"damaged":' }, { seq: 3, state: snapshot(early.state) });
  const notices: string[] = [];
  const fromOlder = await recovered(rig.disk, notices);
  expect([text(fromOlder.state), fromOlder.snapshotSeq, notices.length]).toEqual([text(rig.engine.state), 3, 1]);
  rig.disk.snapshots.splice(0, 2, { seq: 5, state: '{}' }, { seq: 3, state: 'null' });
  const fromStart = await recovered(rig.disk, notices);
  expect([text(fromStart.state), fromStart.snapshotSeq, notices.length]).toEqual([text(rig.engine.state), null, 3]);
});

test('a snapshot of an older format is refused as such: recovery begins at one of its own format, else at the start', async () => {
  const rig = busyRig();
  const early = await recovered({ ...rig.disk, entries: rig.disk.entries.slice(0, 3) });
  const own = snapshot(early.state);
  // As an older version would have written it: all that it says is true, and what came with this format is not in it.
  const { version, registry, hedges, ...rest } = JSON.parse(own) as Record<string, unknown>;
  expect([registry, hedges]).not.toContain(undefined);
  const older = JSON.stringify({ version: Number(version) - 1, ...rest });
  rig.disk.snapshots.push({ seq: 3, state: older });
  const notices: string[] = [];
  const fromStart = await recovered(rig.disk, notices);
  expect([text(fromStart.state), fromStart.snapshotSeq]).toEqual([text(rig.engine.state), null]);
  expect(notices).toEqual([
    `snapshot 3 cannot be restored: Error: snapshot format ${Number(version) - 1} is not ${String(version)}`,
  ]);
  const middle = await recovered({ ...rig.disk, snapshots: [], entries: rig.disk.entries.slice(0, 5) });
  const later = JSON.stringify({ ...JSON.parse(snapshot(middle.state)), version: Number(version) - 1 });
  rig.disk.snapshots.splice(0, 1, { seq: 5, state: later }, { seq: 3, state: own });
  const fromOwn = await recovered(rig.disk, notices);
  expect([text(fromOwn.state), fromOwn.snapshotSeq, notices.length]).toEqual([text(rig.engine.state), 3, 2]);
});

test('where the journal no longer reaches back to a snapshot that can be read, nothing starts', async () => {
  const rig = busyRig();
  const disk = { ...rig.disk, entries: rig.disk.entries.slice(4), firstSeq: 5 };
  await expect(recovered(disk)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
});

test('a coordinator that recovered goes on: the worker comes back with what it holds, and the run ends', async () => {
  const rig = busyRig();
  const { state } = await recovered(rig.disk);
  const clock = new HandClock();
  clock.ms = rig.clock.ms;
  const again = new Rig({ disk: rig.disk, engine: createEngine(engineDefaults, state), clock });
  again.post({ kind: 'coordinatorRestarted', epoch: state.epoch + 1 });
  const running = [...state.runs.values()].flatMap((run) =>
    run.tasks.filter((task) => task.state.kind === 'running').map((task) => ({ run: run.run, task })),
  );
  expect(running).toHaveLength(1);
  const held = running.map(({ run, task }) => ({ task: `${run}.${task.index}` as TaskId, attempt: task.lastAttempt }));
  const link = again.connect('w-1', { slots: 2, held, nextReportSeq: 5, incarnation: 'i-w-1-1' });
  expect(link.got[0]).toMatchObject({ kind: 'welcome', ackedSeq: 4, abandon: [] });
  let seq = 4;
  for (let round = 0; round < 50; round += 1) {
    const todo = held.length > 0 ? held.splice(0) : [];
    for (const message of link.got.splice(0))
      if (message.kind === 'assign') todo.push(...message.tasks.map(({ task, attempt }) => ({ task, attempt })));
    for (const ref of todo) {
      again.reports(link, { kind: 'started', seq: ++seq, ...ref, atMs: 9 });
      again.reports(link, { kind: 'finished', seq: ++seq, ...ref, outcome: passedOutcome() });
    }
    again.pass(500);
    again.says(link, { kind: 'heartbeat', atMs: again.clock.ms });
  }
  expect(again.shell.views.runs().map((run) => [run.state, run.tasks.settled])).toEqual(
    expect.arrayContaining([
      ['settled', 6],
      ['settled', 3],
    ]),
  );
  const folded = await recovered(rig.disk);
  expect(text(folded.state)).toBe(text(again.engine.state));
});

test('the snapshot thread writes the state that recovery would make, again from its own last snapshot', async () => {
  const rig = busyRig();
  const stateDirectory = mkdtempSync(join(tmpdir(), 'assay-recovery-'));
  cleanups.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const journal = openSqliteJournal({ stateDirectory });
  cleanups.push(() => journal.close());
  const entries = rig.disk.entries.map((row) => JSON.parse(row) as JournalEntry);
  await new Promise<void>((resolve, reject) =>
    journal.append(entries, (error) => (error === null ? resolve() : reject(error))),
  );
  const { journalDirectory, snapshotDirectory } = journal;
  const middle = Math.floor(entries.length / 2);
  expect(takeSnapshot({ journalDirectory, snapshotDirectory, throughSeq: middle })).toMatchObject({
    seq: middle,
    entries: middle,
    notices: [],
  });
  expect(takeSnapshot({ journalDirectory, snapshotDirectory, throughSeq: entries.length })).toMatchObject({
    seq: entries.length,
    entries: entries.length - middle,
  });
  expect((await journal.latestSnapshot())?.state).toBe(text(rig.engine.state));
  const { state, entries: folded } = await recoverState(journal, (message) => expect.unreachable(message));
  expect([text(state), folded]).toEqual([text(rig.engine.state), 0]);
  expect(readdirSync(snapshotDirectory)).toHaveLength(2);
});
