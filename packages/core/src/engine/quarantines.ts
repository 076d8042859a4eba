// Which tests are set aside, as part of the engine's state: by the test that each names, so that a reported case is looked up at
// once. What always holds: one quarantine a test; its state is the pure machine of analysis/quarantine.ts; `nextEndMs` is the
// earliest of their ends.
import type { QuarantineView } from '@assay/protocol';
import type { Quarantine } from '../analysis/quarantine.ts';
import type { QuarantineEvent } from './events-quarantine.ts';
import type { Tally } from './ops/mute-failures.ts';
import type { State } from './state.ts';

export type QuarantineMode = QuarantineView['mode'];

/** A test as a quarantine names it: no titles for a whole file. */
export type TestOfQuarantine = {
  readonly project: string;
  readonly suite: string;
  readonly target: string;
  readonly path: readonly string[];
};

export type QuarantineRecord = TestOfQuarantine & {
  readonly quarantine: string;
  state: Extract<Quarantine, { kind: 'quarantined' }>;
};

export type Quarantines = {
  /** How many there ever were: the ids count. */
  order: number;
  readonly byTest: Map<string, QuarantineRecord>;
  /** Derived. */
  nextEndMs: number;
};

export type QuarantineRows = { order: number; rows: QuarantineRecord[] };

export const noQuarantines = (): Quarantines => ({ order: 0, byTest: new Map(), nextEndMs: Infinity });

export function quarantineKeyOf({ project, suite, target, path }: TestOfQuarantine): string {
  return JSON.stringify([project, suite, target, path]);
}

export function findQuarantine({ byTest }: Quarantines, id: string): QuarantineRecord | null {
  for (const record of byTest.values()) if (record.quarantine === id) return record;
  return null;
}

/** Part of evolve, the only writer of the state. */
export function evolveQuarantine(state: State, event: QuarantineEvent, atMs: number): void {
  const { quarantines } = state;
  if (event.kind === 'testReleased') {
    const record = findQuarantine(quarantines, event.quarantine);
    if (record !== null) quarantines.byTest.delete(quarantineKeyOf(record));
  } else {
    const { project, suite, target, path, mode, owner, reason, expiresAtMs, rate, passesNeeded } = event;
    const number = Number(event.quarantine.slice(2));
    quarantines.order = Math.max(quarantines.order, number);
    const test = { project, suite, target, path };
    const asked = { mode, owner, reason, expiresAtMs, rate };
    quarantines.byTest.set(quarantineKeyOf(test), {
      ...test,
      quarantine: event.quarantine,
      state: { kind: 'quarantined', ...asked, sinceMs: atMs, passesInRow: 0, passesNeeded },
    });
  }
  findNextEnd(quarantines);
}

/** Passes in a row as they were counted when an attempt ended. */
export function countPasses(state: State, counted: readonly { quarantine: string; passesInRow: number }[]): void {
  for (const { quarantine, passesInRow } of counted) {
    const record = findQuarantine(state.quarantines, quarantine);
    if (record !== null) record.state = { ...record.state, passesInRow };
  }
}

export function addTallies(known: readonly Tally[], more: readonly Tally[]): Tally[] {
  const sums = known.map((tally) => ({ ...tally }));
  for (const tally of more) {
    const sum = sums.find(({ quarantine }) => quarantine === tally.quarantine);
    if (sum === undefined) sums.push({ ...tally });
    else {
      sum.failed += tally.failed;
      sum.passed += tally.passed;
      sum.repeated += tally.repeated;
    }
  }
  return sums;
}

/** Nothing of an erased project stays. */
export function forgetQuarantines(quarantines: Quarantines, project: string): void {
  for (const [key, record] of quarantines.byTest) if (record.project === project) quarantines.byTest.delete(key);
  findNextEnd(quarantines);
}

export const quarantineRows = ({ order, byTest }: Quarantines): QuarantineRows => ({
  order,
  rows: [...byTest.values()],
});

export function restoreQuarantines(quarantines: Quarantines, { order, rows }: QuarantineRows): void {
  quarantines.order = order;
  for (const row of rows) quarantines.byTest.set(quarantineKeyOf(row), row);
  findNextEnd(quarantines);
}

export function viewQuarantines({ quarantines }: State): QuarantineView[] {
  return [...quarantines.byTest.values()].map(({ state, path, ...test }) => {
    const { kind: _, ...shown } = state;
    return { ...test, path: [...path], ...shown };
  });
}

function findNextEnd(quarantines: Quarantines): void {
  quarantines.nextEndMs = Infinity;
  for (const { state } of quarantines.byTest.values())
    quarantines.nextEndMs = Math.min(quarantines.nextEndMs, state.expiresAtMs);
}
