// Mutants of the product: each breaks one promise in one module of the coordinator. A drill has to be broken by each of them, by a
// check that names the harm; a drill that holds on a broken coordinator proves nothing.

export type Mutant = {
  readonly name: string;
  /** What is broken, in words. */
  readonly harm: string;
  /** The end of the module's address, and what is changed in its text. */
  readonly module: string;
  readonly changes: readonly (readonly [from: string, to: string])[];
  readonly faults: readonly string[];
  readonly tasks: number;
  /** Checks of which at least one has to be broken, as the beginning of their ids. */
  readonly caughtBy: readonly string[];
};

export const mutants: readonly Mutant[] = [
  {
    name: 'no fence',
    harm: 'a worker that was presumed lost goes on with what others have now, and is believed',
    module: '/core/src/engine/lookup.ts',
    changes: [
      [
        'const attempt = liveAttempt(found.task, ref.attempt);\n  if (attempt === null || attempt.worker !== worker) return null;',
        'const attempt = liveAttempt(found.task, ref.attempt) ?? found.task.attempts.find((one) => one.attempt === ref.attempt);\n  if (attempt === undefined) return null;',
      ],
    ],
    faults: ['worker-stop'],
    tasks: 2,
    caughtBy: ['fence-holds', 'nobody-fell'],
  },
  {
    name: 'acknowledged before it is durable',
    harm: 'reports are acknowledged while the journal still writes them',
    module: '/coordinator/src/driver/driver.ts',
    changes: [
      [
        "this.#options.journal.append(entries, (error) => {\n      if (this.#state.kind === 'dead') return;\n      if (error !== null) return this.#die(error);\n      this.#appends -= 1;\n      this.#tell(steps, entries);\n      this.#flush();\n    });",
        'this.#tell(steps, entries);\n    setTimeout(() => this.#options.journal.append(entries, (error) => {\n      if (error !== null) return this.#die(error);\n      this.#appends -= 1;\n      this.#flush();\n    }), 1_500);',
      ],
      ['appendsMax: 2 }', 'appendsMax: 200 }'],
    ],
    faults: ['coordinator-kill'],
    tasks: 9,
    caughtBy: ['acknowledged-is-durable'],
  },
  {
    name: 'circuits ignored',
    harm: 'placement goes past open circuits',
    module: '/core/src/circuits/stops.ts',
    changes: [
      ['if (blocking === 0) return null;', 'if (blocking >= 0) return null;'],
      ['if (areAllClosed(state)) return null;', 'return null;'],
    ],
    faults: ['dependency-down'],
    tasks: 2,
    // The engine refuses such a placement itself, as a bug, and the process ends.
    caughtBy: ['circuits-obeyed', 'nobody-fell'],
  },
  {
    name: 'permits kept',
    harm: 'what a probe of a half-open circuit showed is not taken, and its permit never comes back',
    module: '/core/src/engine/ops/feed-circuits.ts',
    changes: [['for (const circuit of probed) concludeProbe(step, circuit, hasFailed);', '']],
    faults: ['device-black-hole'],
    tasks: 2,
    caughtBy: ['circuit-', 'invariants'],
  },
  {
    name: 'silence unnoticed',
    harm: 'a worker that says nothing is never presumed lost',
    module: '/coordinator/src/liveness.ts',
    changes: [['return silent;', 'return [];']],
    faults: ['worker-stop'],
    tasks: 2,
    caughtBy: ['effect-'],
  },
  {
    name: 'assertions counted',
    harm: 'a failed assertion speaks to the circuits of the worker that ran it',
    module: '/core/src/circuits/attribute.ts',
    changes: [
      [
        "return named === 'test' || named === 'configuration' ? null : named;",
        "return named === 'configuration' ? null : named === 'test' ? 'infrastructure' : named;",
      ],
    ],
    faults: ['task-assertion'],
    tasks: 2,
    caughtBy: ['tests-feed-no-circuit'],
  },
  {
    name: 'lease never expires',
    harm: 'the work of a worker whose link closed is never given to another',
    module: '/core/src/engine/ops/part-with-worker.ts',
    changes: [['step.nowMs + step.config.reconnectGraceMs', 'step.nowMs + 1e9']],
    faults: ['worker-kill'],
    tasks: 2,
    caughtBy: ['effect-'],
  },
];
