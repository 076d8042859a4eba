// Capability classes as history knows them: by a small number that stays, with the facts, so that what was learned on a class
// is still of use when its last worker left or a driver update made another class of it.
//
// What always holds: a number is given once and never again; a class has one from the first attempt on that really ran on it.
// Written by evolve alone; `historyTrimmed` drops the classes that came first. Similarities are kept as they are asked for:
// they follow from the facts and are no part of the state.
import { similarity } from '../hardware/similarity.ts';
import type { Facts } from '../hardware/requirement.ts';
import type { CapabilityClass } from './index-types.ts';

export type Machine = { readonly machine: number; readonly key: string; readonly facts: Facts };
/** How a class is written down: facts hold BigInt, which JSON does not know. */
export type MachineRow = readonly [machine: number, key: string, facts: unknown];

export class Machines {
  readonly #byKey = new Map<string, Machine>();
  readonly #byNumber = new Map<number, Machine>();
  #given = 0;
  #forgotten = 0;
  #changes = 0;
  readonly #alike = new WeakMap<CapabilityClass, Map<number, number>>();

  get size(): number {
    return this.#byKey.size;
  }

  /** Goes up when a class is given a number or loses it. */
  get changes(): number {
    return this.#changes;
  }

  /** Goes up when classes are forgotten: what was worked out of how alike they are is then out of date. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The number of a class, or -1 while nothing ever ran on it. */
  numberOf(capability: CapabilityClass): number {
    return this.#byKey.get(capability.key)?.machine ?? -1;
  }

  /** The number of a class, given now where it has none. */
  learn(capability: CapabilityClass): number {
    const known = this.#byKey.get(capability.key);
    if (known !== undefined) return known.machine;
    this.#given += 1;
    this.#put({ machine: this.#given, key: capability.key, facts: capability.facts });
    return this.#given;
  }

  /** How alike a live class and a known one are: 1 for the same, 0 where the known one was forgotten. */
  alike(capability: CapabilityClass, machine: number): number {
    const other = this.#byNumber.get(machine);
    if (other === undefined) return 0;
    if (other.key === capability.key) return 1;
    let known = this.#alike.get(capability);
    if (known === undefined) this.#alike.set(capability, (known = new Map()));
    let alike = known.get(machine);
    if (alike === undefined) known.set(machine, (alike = similarity(capability.facts, other.facts)));
    return alike;
  }

  dropOldest(count: number): void {
    let left = count;
    this.#forgotten += 1;
    this.#changes += 1;
    for (const one of this.#byKey.values()) {
      if (left <= 0) return;
      left -= 1;
      this.#byKey.delete(one.key);
      this.#byNumber.delete(one.machine);
    }
  }

  rows(): { given: number; rows: MachineRow[] } {
    const rows = [...this.#byKey.values()].map(({ machine, key, facts }): MachineRow => [machine, key, plain(facts)]);
    return { given: this.#given, rows };
  }

  restore(written: { given: number; rows: readonly MachineRow[] }): void {
    this.#given = written.given;
    for (const [machine, key, facts] of written.rows) this.#put({ machine, key, facts: lively(facts) as Facts });
  }

  #put(one: Machine): void {
    this.#changes += 1;
    this.#byKey.set(one.key, one);
    this.#byNumber.set(one.machine, one);
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

/** Whole numbers are BigInt in facts (hardware/facts.ts). */
function lively(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(lively);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, lively(member)]));
}
