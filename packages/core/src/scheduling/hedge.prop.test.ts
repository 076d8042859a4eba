// Lives in which much is late: tasks that run far beyond their prediction while others are idle, workers that are lost or cut,
// runs that are canceled, and attempts that are given back. Whatever happens, a duplicate is never counted beside its task.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptRef, RunId, TaskId, WorkerId } from '@assay/protocol';
import { createEngine } from '../engine/engine.ts';
import { emptyState, replay } from '../engine/evolve.ts';
import type { Event } from '../engine/events.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { asJson, Lab, only, outcomeOf, suiteOf } from '../testing/lab.ts';

type Move = readonly [kind: number, a: number, b: number];
const names = ['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7'];
const share = 0.3;
const tasks = 5;
/** Of each task, by index: most may have a duplicate. */
const suiteAt = [0, 1, 0, 2, 0];
const suites = [
  suiteOf({ name: 'tail' }),
  suiteOf({ name: 'never', hedge: 'never' }),
  suiteOf({ name: 'exclusive', claims: [{ device: 'd.class == "cpu"', share: 1 }] }),
];

/** What is held by a worker, duplicates too: the current attempt of a task, or its duplicate. */
function heldBy(lab: Lab, worker: string): AttemptRef[] {
  const refs: AttemptRef[] = [];
  for (const run of lab.engine.state.runs.values())
    for (const { index, attempts, hedge } of run.tasks)
      for (const one of [attempts.at(-1), hedge])
        if (one !== null && one !== undefined && one.worker === worker && one.state.kind !== 'settled')
          refs.push({ task: `${run.run}.${index}` as TaskId, attempt: one.attempt });
  return refs;
}

function begin(): Lab {
  const lab = new Lab({ hedgeAfterMs: 1_000, hedgeShare: share, reconnectGraceMs: 5_000 });
  for (const name of names) lab.join(name);
  submit(lab);
  startAll(lab);
  return lab;
}

function submit(lab: Lab): void {
  const list = Array.from({ length: tasks }, (_, index) => ({
    suite: suiteAt[index]!,
    target: `f${index}`,
    expectedMs: 400,
  }));
  lab.submit(list, { suites });
}

function play(lab: Lab, [kind, a, b]: Move): void {
  const name = names[a % names.length]!;
  const worker = lab.engine.state.workers.get(name as WorkerId);
  const held = heldBy(lab, name);
  const ref = held[b % Math.max(1, held.length)];
  if (kind === 0) startAll(lab);
  else if (kind === 1) lab.wait(500 * (1 + (b % 8)));
  else if (kind === 2 && worker !== undefined)
    lab.step({ kind: 'workerWentSilent', worker: worker.worker, session: worker.session });
  else if (kind === 3 && worker !== undefined) lab.cut(name);
  else if (kind === 4) lab.join(name, { held: b % 3 === 0 ? [] : held });
  else if (kind === 5) cancel(lab, a, b);
  else if (kind === 6 && ref !== undefined)
    lab.report(name, { kind: 'returned', attempts: [ref], reason: 'restarted' });
  else if (kind === 7 && lab.engine.state.runs.size < 3) submit(lab);
  else if (ref !== undefined) finish(lab, name, ref, b);
}

function startAll(lab: Lab): void {
  for (const name of names) for (const ref of heldBy(lab, name)) lab.start(name, ref);
}

function finish(lab: Lab, name: string, ref: AttemptRef, b: number): void {
  const verdicts = ['passed', 'passed', 'failed', 'errored', 'timedOut'] as const;
  const verdict = verdicts[b % verdicts.length]!;
  const failure =
    verdict === 'errored' ? { failure: { class: 'infrastructure' as const, code: 'CRASHED', message: 'gone' } } : {};
  const outcome = outcomeOf({ verdict, costMs: 100 + b, ...failure });
  // Sometimes it is said twice: the second time counts for nothing.
  for (let time = 0; time <= b % 2; time += 1) lab.report(name, { kind: 'finished', ...ref, outcome });
}

function cancel(lab: Lab, a: number, b: number): void {
  const runs = [...lab.engine.state.runs.keys()];
  const run = runs[a % Math.max(1, runs.length)];
  if (run === undefined) return;
  const some = b % 4 === 0 ? {} : { tasks: [`${run}.${b % tasks}` as TaskId] };
  lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough', ...some });
}

/** Late work and newcomers are common; the rest is rare enough that lives go on. */
const move: fc.Arbitrary<Move> = fc.tuple(
  fc.constantFrom(0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 8),
  fc.nat(30),
  fc.nat(60),
);
const life = fc.array(move, { minLength: 5, maxLength: 60, size: 'max' });

/** Follows the journal: which duplicates are live, how often each task was settled, how each run counts. */
class Ledger {
  readonly live = new Map<TaskId, number>();
  readonly settled = new Map<TaskId, number>();
  /** Attempts that decided or were to be repeated: the losers of two are `yield`, and dropped ones have no event here. */
  given = 0;

  hear(lab: Lab, events: readonly Event[]): void {
    for (const event of events) {
      if (event.kind === 'tasksAssigned' && event.isHedge === true) this.#begins(lab, event);
      else if (event.kind === 'hedgeDropped') {
        expect(this.live.get(event.task)).toBe(event.attempt);
        this.live.delete(event.task);
      } else if (event.kind === 'attemptSettled' && event.next.kind === 'yield') {
        expect(this.live.get(event.task)).toBe(event.next.to.attempt);
        expect(event.attempt).not.toBe(event.next.to.attempt);
        this.live.delete(event.task);
      } else if (event.kind === 'taskSettled') {
        this.settled.set(event.task, (this.settled.get(event.task) ?? 0) + 1);
        // Once settled, nothing of it is under way any more.
        expect(this.live.has(event.task)).toBe(false);
      }
    }
  }

  #begins(lab: Lab, event: Extract<Event, { kind: 'tasksAssigned' }>): void {
    this.given += 1;
    expect(event.tasks).toHaveLength(1);
    const task = `${event.run}.${event.tasks[0]!.index}` as TaskId;
    expect(this.live.has(task)).toBe(false);
    this.live.set(task, event.tasks[0]!.attempt);
    expect(suites[event.suite]?.name).toBe('tail');
    const slots = lab.engine.state.workers.size;
    const mine = [...this.live.keys()].filter((one) => one.startsWith(`${event.run}.`)).length;
    expect(mine).toBeLessThanOrEqual(Math.max(1, Math.floor(slots * share)));
  }
}

function follow(lab: Lab, ledger: Ledger, from: number): number {
  for (const { events } of lab.journal.slice(from)) ledger.hear(lab, events);
  for (const run of lab.engine.state.runs.values()) {
    let verdicts = 0;
    for (const count of Object.values(run.verdicts)) verdicts += count;
    expect(verdicts).toBe(run.counts.settled);
    expect(verdicts).toBe(run.tasks.filter(({ state }) => state.kind === 'settled').length);
    for (const { hedge, index } of run.tasks)
      expect(ledger.live.get(`${run.run}.${index}` as TaskId)).toBe(hedge?.attempt);
  }
  return lab.journal.length;
}

test('safety: a task counts once, has one duplicate at most, only where allowed and within the share; recovery agrees', () => {
  let given = 0;
  fc.assert(
    fc.property(life, fc.nat(59), (moves, cut) => {
      const lab = begin();
      const ledger = new Ledger();
      let seen = follow(lab, ledger, 0);
      let middle = snapshot(lab.engine.state);
      let already = lab.journal.length;
      for (const [at, one] of moves.entries()) {
        if (at === cut) {
          middle = snapshot(lab.engine.state);
          already = lab.journal.length;
        }
        play(lab, one);
        seen = follow(lab, ledger, seen);
      }
      for (const [task, times] of ledger.settled) expect([task, times]).toEqual([task, 1]);
      given += ledger.given;
      const folded = emptyState();
      for (const entry of asJson(lab.journal)) replay(folded, entry);
      expect(snapshot(folded)).toBe(snapshot(lab.engine.state));
      const restored = createEngine(lab.config, restore(middle));
      for (const { input, atMs, events } of lab.journal.slice(already))
        expect(asJson(restored.step(asJson(input), atMs).events)).toEqual(events);
      expect(snapshot(restored.state)).toBe(snapshot(lab.engine.state));
    }),
    { numRuns: 120 },
  );
  // A property about duplicates that saw none would prove nothing.
  expect(given).toBeGreaterThanOrEqual(60);
});

test('liveness: once nothing fails, every task settles, once, and no duplicate is left', () => {
  fc.assert(
    fc.property(life, (moves) => {
      const lab = begin();
      for (const one of moves) play(lab, one);
      for (const name of names) lab.join(name, { held: heldBy(lab, name) });
      const isOpen = (): RunId[] =>
        [...lab.engine.state.runs.values()].filter(({ state }) => state.kind !== 'settled').map(({ run }) => run);
      for (let round = 0; round < 400 && isOpen().length > 0; round += 1) {
        startAll(lab);
        for (const name of names)
          for (const ref of heldBy(lab, name))
            if (heldBy(lab, name).some(({ task, attempt }) => task === ref.task && attempt === ref.attempt))
              lab.finish(name, ref);
        lab.wait(1_000);
      }
      expect(isOpen()).toEqual([]);
      const settled = lab.journal.flatMap(({ events }) => only(events, 'taskSettled').map(({ task }) => task));
      expect(new Set(settled).size).toBe(settled.length);
      expect(settled.length).toBe(tasks * lab.engine.state.runs.size);
      for (const run of lab.engine.state.runs.values()) expect(run.hedges).toBe(0);
    }),
    { numRuns: 100 },
  );
});
