// Circuits under whatever happens: random failures of every class on a random small fleet, orders, looks at dependencies, restarts.
// The lab checks after every step that an open circuit admits nothing but its probe and that every permit is a probe.
import { failureClasses, type AttemptFailure, type AttemptOutcome, type WorkerId } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEngine } from '../engine/engine.ts';
import { replay, emptyState } from '../engine/evolve.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { Lab, suiteOf, tasksOf } from '../testing/lab.ts';

const codes = ['RUNNER_FAILED_TO_START', 'CONNECTION_REFUSED', 'BROWSER_CRASHED', 'SETUP_FAILED', 'TESTS_FAILED'];
const nothing = { passed: 0, failed: 0, skipped: 0, todo: 0 };

function outcomeFor(
  failureClass: AttemptFailure['class'] | 'well',
  code: number,
  costMs: number,
): Partial<AttemptOutcome> {
  if (failureClass === 'well') return { costMs };
  const failure = { class: failureClass, code: codes[code % codes.length]!, message: 'drawn' };
  return { verdict: failureClass === 'timeout' ? 'timedOut' : 'errored', counts: nothing, failure, costMs };
}

const action = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      worker: fc.nat(5),
      class: fc.constantFrom('well' as const, 'well' as const, ...failureClasses),
      code: fc.nat(4),
      costMs: fc.constantFrom(1, 100, 5_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 5_000, 20_000, 4_000_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('submit' as const), tasks: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const), isWell: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('force' as const), worker: fc.nat(5), forMs: fc.option(fc.nat(20_000)) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('order' as const), which: fc.nat(9), isRelease: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), worker: fc.nat(5) }) },
);
type Action = typeof action extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const by = { actor: 'ada', reason: 'a property' };

class Story {
  lab = new Lab();
  readonly names: string[];

  constructor(workers: number) {
    this.names = Array.from({ length: workers }, (_, index) => `w${index}`);
    for (const [index, name] of this.names.entries())
      this.lab.join(name, { slots: 1 + (index % 2), profileDigest: index < 4 ? 'one' : 'other' });
    this.submit(6);
  }

  submit(tasks: number): void {
    const suites = [suiteOf({ retries: 1 }), suiteOf({ name: 'pages', uses: ['payments'] })];
    this.lab.submit([...tasksOf(tasks, 0), ...tasksOf(tasks, 1)], { suites });
  }

  take(each: Action): void {
    const { lab } = this;
    const name = 'worker' in each ? this.names[each.worker % this.names.length]! : '';
    switch (each.kind) {
      case 'finish': {
        const [ref] = lab.held(name);
        if (ref !== undefined && lab.engine.state.workers.get(name as WorkerId)?.state.kind === 'connected')
          lab.finish(name, ref, outcomeFor(each.class, each.code, each.costMs));
        return;
      }
      case 'wait':
        return void lab.wait(each.ms);
      case 'submit':
        return this.submit(each.tasks);
      case 'look':
        return this.look(each.isWell);
      case 'force': {
        const untilMs = each.forMs === null ? null : lab.nowMs + 1 + each.forMs;
        const scope = { kind: 'worker', worker: name as WorkerId } as const;
        return void lab.step({ kind: 'forceCircuit', scope, to: 'open', untilMs, ...by });
      }
      case 'order': {
        const circuit = [...lab.engine.state.circuits.keys()][each.which];
        if (circuit !== undefined)
          lab.step({ kind: each.isRelease ? 'releaseCircuit' : 'resetCircuit', circuit, ...by });
        return;
      }
      case 'cut':
        lab.cut(name);
        return void lab.join(name, { held: lab.held(name) });
    }
  }

  look(isWell: boolean): void {
    const outcome = isWell ? 'success' : 'failure';
    this.lab.step({ kind: 'dependencyProbed', dependency: 'payments', outcome, durationMs: 1, detail: null });
  }
}

test('safety: whatever fails, an open circuit admits nothing but its probe, permits are conserved, and nothing is lost in a snapshot', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(action, { maxLength: 60 }), (workers, actions) => {
      const story = new Story(workers);
      for (const each of actions) story.take(each);
      const text = snapshot(story.lab.engine.state);
      expect(snapshot(restore(text))).toBe(text);
    }),
    { numRuns: 60 },
  );
});

test('safety: folding the journal makes the same circuits, and they decide alike from then on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(action, { maxLength: 50 }), (workers, actions) => {
      const story = new Story(workers);
      for (const each of actions) story.take(each);
      const folded = emptyState();
      for (const entry of story.lab.journal) replay(folded, entry);
      expect([...folded.circuits.values()].map(({ circuit, breaker }) => ({ circuit, breaker }))).toEqual(
        [...story.lab.engine.state.circuits.values()].map(({ circuit, breaker }) => ({ circuit, breaker })),
      );
      const { config, nowMs } = story.lab;
      const again = createEngine(config, restore(snapshot(folded)));
      expect(again.step({ kind: 'timePassed' }, nowMs + 30_000).events).toEqual(
        story.lab.engine.step({ kind: 'timePassed' }, nowMs + 30_000).events,
      );
    }),
    { numRuns: 60 },
  );
});

test('liveness: once nothing fails any more and nobody holds anything closed, all work is done', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(action, { maxLength: 50 }), (workers, actions) => {
      const story = new Story(workers);
      for (const each of actions) story.take(each);
      const { lab } = story;
      for (const { circuit, breaker } of [...lab.engine.state.circuits.values()])
        if (breaker.state.kind === 'forcedOpen') lab.step({ kind: 'releaseCircuit', circuit, ...by });
      story.look(true);
      for (let round = 0; round < 400; round += 1) {
        for (const name of story.names) for (const ref of lab.held(name)) lab.finish(name, ref, {});
        if ([...lab.engine.state.runs.values()].every(({ state }) => state.kind === 'settled')) return;
        lab.wait(5_000);
        story.look(true);
      }
      const waiting = [...lab.engine.state.runs.values()].map(({ run, counts }) => `${run} ${JSON.stringify(counts)}`);
      expect(waiting).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
