// How alike two capability classes are, as a number in [0, 1]: used to borrow durations for hardware that is new, and to
// choose the retry whose result tells most.
//
//   similarity = 1 - (sum of weight x distance) / (sum of weight)      over every attribute that either of the two has
//
// (Gower, "A General Coefficient of Similarity and Some of Its Properties", Biometrics 27, 1971; his form takes averages
// over what both have, ours over what either has, so that a missing device counts as a difference.)
//
// Attributes are the leaves of the facts: scalars by their path, lists of words as one set, lists of records by the key of
// the record (a browser's name and channel, a GPU's position in the probe's own stable order). Distances:
//   equal 0; numbers |a - b| / max(|a|, |b|), at least 1/100; versions 1/4 where major and minor agree, 1/2 where the major does, else 1;
//   sets 1 - (common / all) (Jaccard); anything else, and what only one of them has, 1.
// What always holds (similarity.prop.test.ts): equal facts are exactly 1, however they were built; it is symmetric to the
// last bit; it lies in [0, 1]; and each further attribute that differs makes it strictly smaller.
import { compareText } from '../kernel/compare.ts';
import type { Facts } from './requirement.ts';
import { weightOf } from './similarity-weights.ts';

/** One attribute that differs; `a` or `b` is undefined where that one lacks it. `distance` is in (0, 1]. */
export type Difference = {
  readonly path: string;
  readonly weight: number;
  readonly distance: number;
  readonly a: unknown;
  readonly b: unknown;
};

/** 1 exactly where the facts are equal. Costs a walk over the attributes of both: remember it for each pair of classes. */
export function similarity(a: Facts, b: Facts): number {
  if (a === b) return 1;
  const [left, right] = [weighedOf(a), weighedOf(b)];
  let all = 0;
  let apart = 0;
  // Both are sorted by path: one walk meets every attribute of either, in one order whichever comes first.
  for (let i = 0, j = 0; i < left.length || j < right.length;) {
    const [one, other] = [left[i], right[j]];
    const order = one === undefined ? 1 : other === undefined ? -1 : compareText(one.path, other.path);
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
    const weight = (order <= 0 ? one?.weight : other?.weight) ?? 0;
    all += weight;
    apart += weight * (order === 0 && one !== undefined && other !== undefined ? distanceOf(one.leaf, other.leaf) : 1);
  }
  return all === 0 ? 1 : 1 - apart / all;
}

type Weighed = { readonly path: string; readonly leaf: Leaf; readonly weight: number };

/** Facts never change once made, so what is derived from them is kept as long as they are. */
const weighedByFacts = new WeakMap<Facts, readonly Weighed[]>();

function weighedOf(facts: Facts): readonly Weighed[] {
  const known = weighedByFacts.get(facts);
  if (known !== undefined) return known;
  const weighed = [...leavesOf(facts)]
    .map(([path, leaf]) => ({ path, leaf, weight: weightOf(path) }))
    .sort((x, y) => compareText(x.path, y.path));
  weighedByFacts.set(facts, weighed);
  return weighed;
}

/** What differs, heaviest first and then by path. */
export function differencesOf(a: Facts, b: Facts): Difference[] {
  const left = leavesOf(a);
  const right = leavesOf(b);
  const differences: Difference[] = [];
  for (const path of pathsOfBoth(left, right)) {
    const distance = distanceOf(left.get(path), right.get(path));
    if (distance > 0)
      differences.push({ path, weight: weightOf(path), distance, a: left.get(path), b: right.get(path) });
  }
  return differences.sort((x, y) => y.weight * y.distance - x.weight * x.distance || compareText(x.path, y.path));
}

/** Derived from other facts: a difference in them is counted where it comes from. */
const derived = new Set(['devices', 'enforced.pool', 'cpu.isaGroups', 'memory.total', 'memory.limit']);

export type Leaf = string | number | boolean | bigint | null | readonly string[];
type Leaves = ReadonlyMap<string, Leaf>;

/** Of facts, or of a profile as it came. */
export function leavesOf(facts: Facts): Leaves {
  const leaves = new Map<string, Leaf>();
  for (const [root, value] of Object.entries(facts)) gather(leaves, root, value);
  return leaves;
}

/** In one order whichever comes first, so that sums of floating-point numbers are the same both ways. */
function pathsOfBoth(left: Leaves, right: Leaves): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].sort(compareText);
}

function gather(leaves: Map<string, Leaf>, path: string, value: unknown): void {
  if (value === undefined || derived.has(path)) return;
  if (Array.isArray(value)) return gatherList(leaves, path, value);
  if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) gather(leaves, `${path}.${key}`, member);
    return;
  }
  leaves.set(path, value as Leaf);
}

function gatherList(leaves: Map<string, Leaf>, path: string, list: readonly unknown[]): void {
  if (path === 'unknown') {
    leaves.set(path, wordSet(list.map((entry) => String((entry as { field?: unknown }).field))));
    return;
  }
  const isOfRecords = list.some((entry) => typeof entry === 'object' && entry !== null);
  if (!isOfRecords) {
    leaves.set(path, wordSet(list.map(String)));
    return;
  }
  // Two records of one key (two equal GPUs) are told apart by their number among those of that key.
  const seen = new Map<string, number>();
  for (const entry of list) {
    const key = keyOf(entry as Record<string, unknown>);
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    gather(leaves, `${path}[${key}${nth}]`, entry);
  }
  // How many there are is an attribute of its own: a second GPU is more than the attributes that it has.
  leaves.set(`${path}.count`, list.length);
}

/** What names a record in its list besides its position. */
function keyOf(entry: Record<string, unknown>): string {
  const names = [entry['class'], entry['name'], entry['channel']].filter((name) => typeof name === 'string');
  return names.map((name) => `${String(name)} `).join('');
}

function wordSet(words: readonly string[]): readonly string[] {
  return [...new Set(words)].sort(compareText);
}

function distanceOf(a: Leaf | undefined, b: Leaf | undefined): number {
  if (a === undefined || b === undefined) return 1;
  if (Array.isArray(a) && Array.isArray(b)) return setDistance(a, b);
  const left = numberOf(a);
  const right = numberOf(b);
  if (left !== null && right !== null) return numberDistance(left, right);
  if (a === b) return 0;
  return typeof a === 'string' && typeof b === 'string' ? versionDistance(a, b) : 1;
}

function numberOf(value: Leaf): number | null {
  return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : null;
}

/** So that a difference is never lost in the rounding of the sum. */
const numberDistanceMin = 0.01;

function numberDistance(a: number, b: number): number {
  if (a === b) return 0;
  const distance = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  return Math.min(1, Math.max(distance, numberDistanceMin));
}

function setDistance(a: readonly string[], b: readonly string[]): number {
  // Both are sorted; most are equal.
  if (a.length === b.length && a.every((word, at) => word === b[at])) return 0;
  const other = new Set(b);
  const common = a.filter((word) => other.has(word)).length;
  const all = a.length + b.length - common;
  return all === 0 ? 0 : (all - common) / all;
}

/** Texts that both begin with numbers and dots are versions; any other two that differ are wholly apart. */
function versionDistance(a: string, b: string): number {
  const left = /^(\d+)(?:\.(\d+))?/.exec(a);
  const right = /^(\d+)(?:\.(\d+))?/.exec(b);
  if (left === null || right === null || left[1] !== right[1]) return 1;
  return left[2] !== undefined && left[2] === right[2] ? 0.25 : 0.5;
}
