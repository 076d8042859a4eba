// Which devices of a worker a task gets. What a device must be is evaluated once for each group and class; here only shares are
// counted: a device has one whole, claims take a share of it each. Of devices that will do, the one with the least left that is enough
// is taken, so that whole devices stay whole for those who need one; then the order of the worker's devices decides.
//
// Names: `gpu:0` is the first GPU of the worker's profile as it was measured, also while another of its devices is set aside.
import type { Claim } from '@assay/protocol';
import type { DeviceHold, WorkerRecord } from '../engine/state.ts';
import { fit, parseRequirement } from '../hardware/requirement.ts';
import type { Facts, ParsedRequirement, Requirement } from '../hardware/requirement.ts';
import type { Admission } from './admission.ts';
import { splitDevice } from './withheld.ts';
import type { CapabilityClass, RequirementGroup } from './index-types.ts';

/** Shares are sums of fractions: what is over by less than this is not. */
const tolerance = 1e-9;
/** Bounds the search for a way to place up to eight claims; beyond it the claims wait, and say so. */
const looksMax = 5_000;

/** What a claim asks of a device, as a requirement over facts that have only that device. */
export function parseClaim({ device }: Claim): ParsedRequirement {
  return parseRequirement(`devices.exists(d, ${device})`);
}

/** For each claim the names of the devices that meet it, of a worker with these facts. */
export function unitsFor(tests: readonly Requirement[], facts: Facts): string[][] {
  const devices = Array.isArray(facts['devices']) ? (facts['devices'] as Record<string, unknown>[]) : [];
  const counts = new Map<string, number>();
  const named = devices.map((device) => {
    const kind = String(device['class']);
    const unit = counts.get(kind) ?? 0;
    counts.set(kind, unit + 1);
    return { name: `${kind}:${unit}`, facts: { ...facts, devices: [device] } };
  });
  return tests.map((test) => named.filter((one) => fit(test, one.facts).kind === 'fits').map(({ name }) => name));
}

/** Why a worker with nothing to do could not meet the claims, one reason each; empty where it could. */
export function claimsMisfit(claims: readonly Claim[], units: readonly (readonly string[])[]): string[] {
  const lacking = claims.filter((_, at) => units[at]?.length === 0).map(({ device }) => `no device is ${device}`);
  if (lacking.length > 0) return lacking;
  return assign(claims, units, new Map()) === null ? [`too few devices for ${claims.length} claims at once`] : [];
}

/** How many tasks a worker of the class with nothing to do could give their devices at once; counted up to `most`. */
export function claimsRoom({ claims, units }: RequirementGroup, capability: CapabilityClass, most: number): number {
  if (claims.length === 0) return most;
  const used = new Map<string, number>();
  for (let room = 0; room < most; room += 1) {
    const devices = assign(claims, units.get(capability) ?? [], used);
    if (devices === null) return room;
    for (const { device, share } of devices) used.set(device, (used.get(device) ?? 0) + share);
  }
  return most;
}

/** Devices for a task on this worker, beside what its open assignments hold and `more`. */
export function claimDevices(worker: WorkerRecord, group: RequirementGroup, more: readonly DeviceHold[]): Admission {
  const { claims } = group;
  if (claims.length === 0) return { kind: 'admitted', devices: [] };
  const used = heldOn(worker);
  for (const { device, share } of more) used.set(device, (used.get(device) ?? 0) + share);
  const units = (group.units.get(worker.class) ?? []).map((names) => names.map((name) => measuredName(worker, name)));
  const devices = assign(claims, units, used);
  if (devices !== null) return { kind: 'admitted', devices };
  const inUse = [...used].map(([device, share]) => (share >= 1 - tolerance ? device : `${device} (${share})`));
  return { kind: 'refused', reason: `its devices are in use: ${inUse.sort().join(', ')}` };
}

/** What the open assignments of a worker hold of each device. */
export function heldOn(worker: WorkerRecord): Map<string, number> {
  const used = new Map<string, number>();
  for (const { devices } of worker.assignments.values())
    for (const { device, share } of devices) used.set(device, (used.get(device) ?? 0) + share);
  return used;
}

function assign(
  claims: readonly Claim[],
  units: readonly (readonly string[])[],
  used: ReadonlyMap<string, number>,
): DeviceHold[] | null {
  const left = new Map(used);
  const taken: DeviceHold[] = [];
  // The hardest first: the largest share, then the fewest devices to choose from.
  const order = claims
    .map(({ share }, at) => ({ share, names: units[at] ?? [], at }))
    .sort((a, b) => b.share - a.share || a.names.length - b.names.length || a.at - b.at);
  let looks = 0;
  const place = (next: number): boolean => {
    const claim = order[next];
    if (claim === undefined) return true;
    const fitting = claim.names.filter((name) => (left.get(name) ?? 0) + claim.share <= 1 + tolerance);
    fitting.sort((a, b) => (left.get(b) ?? 0) - (left.get(a) ?? 0));
    for (const device of fitting) {
      looks += 1;
      if (looks > looksMax) return false;
      const before = left.get(device) ?? 0;
      left.set(device, before + claim.share);
      taken.push({ device, share: claim.share });
      if (place(next + 1)) return true;
      taken.pop();
      left.set(device, before);
    }
    return false;
  };
  return place(0) ? merged(taken) : null;
}

/** One entry a device: two claims of a task may share one. */
function merged(taken: readonly DeviceHold[]): DeviceHold[] {
  const shares = new Map<string, number>();
  for (const { device, share } of taken) shares.set(device, (shares.get(device) ?? 0) + share);
  return [...shares].map(([device, share]) => ({ device, share }));
}

/** The name by the profile as it was measured, of a device named by what the worker offers while others are set aside. */
function measuredName(worker: WorkerRecord, offered: string): string {
  if (worker.whole === null) return offered;
  const { kind, unit } = splitDevice(offered);
  if (kind !== 'gpu' || unit === null) return offered;
  let measured = unit;
  const { conditions, gates } = worker.health;
  const devices = new Set<string>();
  for (const [device, condition] of conditions) if (condition.kind !== 'ready') devices.add(device);
  for (const { device } of gates.values()) if (device !== null) devices.add(device);
  const aside = [...devices]
    .filter((device) => splitDevice(device).kind === kind)
    .map((device) => splitDevice(device).unit ?? -1)
    .sort((a, b) => a - b);
  for (const lost of aside) if (lost >= 0 && lost <= measured) measured += 1;
  return `${kind}:${measured}`;
}
