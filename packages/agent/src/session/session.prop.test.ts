import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextDeadlineMs } from './session.ts';
import { assign, finished, ref, started, World } from './session-world.ts';

type Action =
  | { kind: 'work'; isReady: boolean }
  | { kind: 'ready' }
  | { kind: 'open' | 'cut' | 'fail' | 'badFrame' }
  | { kind: 'coordinatorReads' | 'agentReads'; count: number }
  | { kind: 'pass'; ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('work' as const), isReady: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'ready' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'open' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ kind: 'cut' as const }, { kind: 'fail' as const }, { kind: 'badFrame' as const }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('coordinatorReads' as const, 'agentReads' as const),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
);

/** Plays the actions; returns the world and the numbers whose files are still on their way. */
function play(actions: readonly Action[]): { world: World; unready: number[]; added: number } {
  const world = new World();
  const unready: number[] = [];
  let added = 0;
  world.input({ kind: 'started' });
  for (const one of actions) {
    if (one.kind === 'work') {
      world.add(started(added, `t.${added}`));
      world.add(finished(added + 1, `t.${added}`), one.isReady);
      if (!one.isReady) unready.push(added + 1);
      added += 2;
    }
    if (one.kind === 'ready') becomeReady(world, unready.shift());
    if (one.kind === 'open') world.open();
    if (one.kind === 'cut') world.cut();
    if (one.kind === 'fail')
      world.input({ kind: 'linkFailed', link: world.state.links, code: null, message: 'refused' });
    if (one.kind === 'badFrame') world.input({ kind: 'badFrame', link: world.state.links, message: 'nonsense' });
    if (one.kind === 'coordinatorReads') world.coordinatorReads(one.count);
    if (one.kind === 'agentReads') world.agentReads(one.count);
    if (one.kind === 'pass') world.pass(one.ms);
  }
  return { world, unready, added };
}

function becomeReady(world: World, seq: number | undefined): void {
  const pending = world.state.pending.find((one) => one.report.seq === seq);
  if (pending !== undefined) world.input({ kind: 'reportReady', report: pending.report });
}

const actions = fc.array(action, { maxLength: 80 });

test('safety: under any interleaving nothing is sent before welcome, reports go in order and inside the window', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const { world } = play(list);
      expect(world.broken).toEqual([]);
      expect(world.accepted.map((report) => report.seq)).toEqual(world.accepted.map((_, index) => index));
    }),
    { numRuns: 500 },
  );
});

test('safety: a report that is not ready is never sent, and neither is anything after it', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const { world, unready } = play(list);
      for (const report of world.accepted) expect(report.seq).toBeLessThan(unready[0] ?? Number.POSITIVE_INFINITY);
    }),
    { numRuns: 300 },
  );
});

test('liveness: once the faults stop every report is accepted exactly once and nothing is held', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const { world, unready, added } = play(list);
      for (const seq of unready) becomeReady(world, seq);
      for (let round = 0; round < added && world.accepted.length < added; round += 1) world.settle();
      expect(world.accepted.map((report) => report.seq)).toEqual(Array.from({ length: added }, (_, index) => index));
      world.settle();
      expect(world.state.pending).toEqual([]);
      expect(world.state.held.size).toBe(0);
      expect(world.broken).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('safety: what was assigned stays held over lost links until the report of its end is accepted', () => {
  fc.assert(
    fc.property(actions, fc.integer({ min: 0, max: 40 }), (list, at) => {
      const world = new World();
      world.input({ kind: 'started' });
      world.settle();
      world.tell(assign('kept'));
      world.agentReads();
      for (const one of list.slice(0, at)) {
        if (one.kind === 'cut') world.cut();
        if (one.kind === 'open') world.open();
        if (one.kind === 'pass') world.pass(one.ms);
        if (one.kind === 'coordinatorReads') world.coordinatorReads(one.count);
        if (one.kind === 'agentReads') world.agentReads(one.count);
        expect([...world.state.held.values()].map((held) => held.ref)).toEqual([ref('kept')]);
        if (world.hello !== null && world.state.links > 1) expect(world.hello.held).toEqual([ref('kept')]);
      }
    }),
    { numRuns: 200 },
  );
});

test('liveness: a machine that has not ended always has a deadline, or was not started', () => {
  fc.assert(
    fc.property(actions, (list) => {
      const { world } = play(list);
      if (world.state.phase.kind === 'idle') return;
      expect(nextDeadlineMs(world.state)).not.toBeNull();
    }),
    { numRuns: 200 },
  );
});
