// What holds in every life of the engine, whatever the order of what happens to it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moveKinds, play } from '../testing/chaos.ts';
import type { Move } from '../testing/chaos.ts';
import { asJson, Lab, only } from '../testing/lab.ts';
import { createEngine } from './engine.ts';
import type { Event } from './events.ts';
import { emptyState, replay } from './evolve.ts';
import { misplacedTasks } from './invariants.ts';
import { restore, snapshot } from './snapshot.ts';

const move: fc.Arbitrary<Move> = fc.tuple(fc.integer({ min: 0, max: moveKinds - 1 }), fc.nat(20), fc.nat(20));
const life = fc.array(move, { maxLength: 80, size: 'max' });
const runs = { numRuns: 50 };

function live(moves: readonly Move[], after: (lab: Lab, events: readonly Event[]) => void = () => {}): Lab {
  const lab = new Lab({ durationsMax: 12, retiredKeysMax: 2, infrastructureRetriesMax: 2 });
  for (const one of moves) after(lab, play(lab, one));
  return lab;
}

test('safety: the invariants hold after every step, slots are never exceeded and nothing runs where it misfits', () => {
  fc.assert(
    fc.property(life, (moves) => {
      live(moves, ({ engine: { state } }) => {
        for (const { assignments, slots } of state.workers.values())
          expect(assignments.size).toBeLessThanOrEqual(slots);
        expect(misplacedTasks(state)).toEqual([]);
      });
    }),
    runs,
  );
});

test('safety: an attempt settles at most once, a task settles exactly once, and its verdict is that of its last attempt', () => {
  fc.assert(
    fc.property(life, (moves) => {
      const lab = live(moves);
      const settledAttempts = new Set<string>();
      const lastVerdicts = new Map<string, string>();
      const settledTasks = new Set<string>();
      for (const event of lab.journal.flatMap(({ events }) => events)) {
        if (event.kind === 'attemptSettled') {
          const key = `${event.task}#${event.attempt}`;
          expect(settledAttempts).not.toContain(key);
          settledAttempts.add(key);
          expect(settledTasks).not.toContain(event.task);
          lastVerdicts.set(event.task, event.next.kind === 'settle' ? event.verdict : 'requeued');
        }
        if (event.kind !== 'taskSettled') continue;
        expect(settledTasks).not.toContain(event.task);
        settledTasks.add(event.task);
        const last = lastVerdicts.get(event.task);
        if (last !== undefined && last !== 'requeued') expect(event.verdict).toBe(last);
        else expect(event.verdict).toBe('canceled');
      }
    }),
    runs,
  );
});

test('safety: folding the journalled events makes the same state', () => {
  fc.assert(
    fc.property(life, (moves) => {
      const lab = live(moves);
      const folded = emptyState();
      for (const entry of asJson(lab.journal)) replay(folded, entry);
      expect(snapshot(folded)).toBe(snapshot(lab.engine.state));
    }),
    runs,
  );
});

test('safety: a restored state and a folded one take the same decisions as the one that lived on', () => {
  fc.assert(
    fc.property(life, fc.nat(79), (moves, cut) => {
      const first = live(moves.slice(0, cut));
      const text = snapshot(first.engine.state);
      expect(snapshot(restore(text))).toBe(text);
      const already = first.journal.length;
      const folded = emptyState();
      for (const entry of asJson(first.journal)) replay(folded, entry);
      const engines = [createEngine(first.config, restore(text)), createEngine(first.config, folded)];
      for (const one of moves.slice(cut)) play(first, one);
      for (const engine of engines) {
        for (const { input, atMs, events, seq } of first.journal.slice(already)) {
          expect(asJson(engine.step(asJson(input), atMs).events)).toEqual(events);
          expect(engine.state.seq).toBe(seq);
        }
        expect(snapshot(engine.state)).toBe(snapshot(first.engine.state));
      }
    }),
    runs,
  );
});

test('safety: the same inputs make the same events again', () => {
  fc.assert(
    fc.property(life, (moves) => {
      const lab = live(moves);
      const again = createEngine(lab.config);
      for (const { input, atMs, events } of lab.journal)
        expect(asJson(again.step(asJson(input), atMs).events)).toEqual(events);
    }),
    runs,
  );
});

test('liveness: once workers that fit stay and report, every task settles and every sealed run with it', () => {
  fc.assert(
    fc.property(life, (moves) => {
      const lab = live(moves);
      lab.wait(lab.config.recoveryGraceMs + lab.config.cancelGraceMs);
      const isUnsealed = [...lab.engine.state.runs.values()].filter(({ state }) => state.kind === 'open');
      for (const { run, lastChunk } of isUnsealed)
        lab.step({ kind: 'addTasks', run, chunk: lastChunk + 1, tasks: [], sealed: true });
      // One fresh worker for each kind of requirement, and answers to whatever it is given.
      for (const number of [0, 1, 2]) play(lab, [3, number, 1]);
      lab.join('able', {
        slots: 4,
        declared: { lab: 'north' },
        profileDigest: 'able',
        profile: { ...asJson(baseProfile), gpus: [{ vendor: 'nvidia', via: 'nvidia-smi' }] },
      });
      for (let turn = 0; turn < 2_000; turn += 1) {
        const held = lab.held('able')[0];
        if (held === undefined) break;
        const attempt = lab.engine.state.runs
          .get(held.task.slice(0, held.task.lastIndexOf('.')) as never)
          ?.tasks[Number(held.task.slice(held.task.lastIndexOf('.') + 1))]?.attempts.at(-1);
        lab.finish('able', held, { casesReported: attempt?.recorded ?? 0 });
        if (turn % 10 === 0) loseOthers(lab);
      }
      loseOthers(lab);
      for (let turn = 0; turn < 2_000; turn += 1) {
        const held = lab.held('able')[0];
        if (held === undefined) break;
        lab.finish('able', held);
      }
      for (const { state } of lab.engine.state.runs.values()) expect(state.kind).toBe('settled');
    }),
    runs,
  );
});

const baseProfile = {
  os: { family: 'linux', arch: 'x64' },
  cpu: { count: 4, isa: ['avx2'] },
  memory: { totalMiB: 8192 },
  runtimes: {},
  runners: {},
  browsers: [],
  drivers: {},
  unknown: [],
};

function loseOthers(lab: Lab): void {
  for (const { worker, session, state } of lab.engine.state.workers.values()) {
    if (worker === 'able' || (state.kind !== 'connected' && state.kind !== 'draining')) continue;
    lab.step({ kind: 'workerWentSilent', worker, session });
  }
}

test('safety: one step assigns each slot at most once and never more tasks than a batch may have', () => {
  fc.assert(
    fc.property(life, (moves) => {
      const lab = live(moves);
      for (const { tasks } of only(
        lab.journal.flatMap(({ events }) => events),
        'tasksAssigned',
      )) {
        expect(tasks.length).toBeGreaterThan(0);
        expect(tasks.length).toBeLessThanOrEqual(500);
        expect(new Set(tasks.map(({ index }) => index)).size).toBe(tasks.length);
      }
    }),
    runs,
  );
});
