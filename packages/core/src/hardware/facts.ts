// What requirement expressions see of a worker, and the capability class that workers with equal facts share.
import type { Profile } from '@assay/protocol';
import { compareText } from '../kernel/compare.ts';
import type { Facts } from './requirement.ts';

export type DeclaredLabels = Readonly<Record<string, string | number | boolean>>;

/** The name of a capability class: equal exactly where pool, profile and declared labels are. */
export function classKeyOf(pool: string, profileDigest: string, declared: DeclaredLabels): string {
  const labels = Object.entries(declared).sort(([a], [b]) => compareText(a, b));
  return JSON.stringify([pool, profileDigest, labels]);
}

/** A label so named would change what its object is, to JavaScript or to CEL: expressions do not see it. */
const unusableKeys = new Set(['__proto__', 'constructor']);

/** Whole numbers become BigInt, which is CEL's `int`: `memory.totalMiB / 2` then means what its reader expects. */
export function factsOf(pool: string, profile: Profile, declared: DeclaredLabels): Facts {
  return { ...(celValue(profile) as Record<string, unknown>), declared: celValue(declared), pool };
}

function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null) return value;
  const members: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined && !unusableKeys.has(key)) members[key] = celValue(member);
  }
  return members;
}
