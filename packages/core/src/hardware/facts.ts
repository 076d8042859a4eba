// What requirement expressions see of a worker, and the capability class that workers with equal facts share.
// Who vouches for a fact is in its first name: `declared.*` the operator, `enforced.*` and `pool` the server, the rest a probe.
import type { Profile } from '@assay/protocol';
import { compareText } from '../kernel/compare.ts';
import { isQuantity } from './quantity.ts';
import type { Facts } from './requirement.ts';
import { devicesOf } from './taxonomy/devices.ts';
import { isaGroupsOf } from './taxonomy/isa-groups.ts';
import { memoryOf } from './taxonomy/machine-units.ts';

export type DeclaredLabels = Readonly<Record<string, string | number | boolean>>;

/** The name of a capability class: equal exactly where pool, trust, profile and declared labels are. */
export function classKeyOf(
  pool: string,
  profileDigest: string,
  declared: DeclaredLabels,
  trust: string | null = null,
): string {
  const labels = Object.entries(declared).sort(([a], [b]) => compareText(a, b));
  return JSON.stringify([pool, profileDigest, labels, ...(trust === null ? [] : [trust])]);
}

/** A label so named would change what its object is, to JavaScript or to CEL: expressions do not see it. */
const unusableKeys = new Set(['__proto__', 'constructor']);

/** Whole numbers become BigInt, which is CEL's `int`: `memory.totalMiB / 2` then means what its reader expects. */
export function factsOf(pool: string, profile: Profile, declared: DeclaredLabels, trust: string | null = null): Facts {
  const measured = celValue(profile) as Record<string, Record<string, unknown>>;
  const { isa } = profile.cpu;
  const { totalMiB, limitMiB } = profile.memory;
  return {
    ...measured,
    cpu: { ...measured['cpu'], ...(isa === undefined ? {} : { isaGroups: isaGroupsOf(isa) }) },
    memory: {
      ...measured['memory'],
      ...(totalMiB === undefined ? {} : { total: memoryOf(totalMiB) }),
      ...(limitMiB === undefined ? {} : { limit: memoryOf(limitMiB) }),
    },
    devices: deviceFactsOf(profile),
    declared: celValue(declared),
    enforced: { pool, ...(trust === null ? {} : { trust }) },
    pool,
  };
}

/** The devices as expressions see them: `d.class`, `d.memory`, ... */
export function deviceFactsOf(profile: Profile): Record<string, unknown>[] {
  return devicesOf(profile).map(({ attributes }) =>
    Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, celValue(value)])),
  );
}

function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null || isQuantity(value)) return value;
  const members: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined && !unusableKeys.has(key)) members[key] = celValue(member);
  }
  return members;
}
