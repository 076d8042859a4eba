// What a worker offers while some of its devices are set aside: its profile without them. Such a worker is of another
// capability class meanwhile, so that what needs the device does not fit it and everything else still does; and it is counted as
// possible in the class that it would be of, because the device may come back and work that waits for it is not impossible.
import type { Profile } from '@assay/protocol';
import type { DeclaredLabels } from '../hardware/facts.ts';
import { compareText } from '../kernel/compare.ts';

export type Offer = { readonly digest: string; readonly profile: Profile; readonly declared: DeclaredLabels };

/**
 * The offer without the devices: `gpu:1` leaves the list of GPUs, `npu:0` the first NPU that of accelerators, and `rig` or `rig:0` the
 * declared label of that name.
 */
export function withhold(offer: Offer, devices: readonly string[]): Offer {
  const names = [...devices].sort(compareText);
  const unknown = [...offer.profile.unknown];
  const declared: Record<string, string | number | boolean> = { ...offer.declared };
  const lostGpus = new Set<number>();
  for (const name of names) {
    const { kind, unit } = splitDevice(name);
    if (kind === 'gpu' && unit !== null) lostGpus.add(unit);
    for (const label of [name, kind]) {
      if (!Object.hasOwn(declared, label)) continue;
      delete declared[label];
      unknown.push({ field: `declared.${label}`, reason: 'the device is set aside' });
    }
  }
  const { gpus, accelerators, ...rest } = offer.profile;
  const kept = gpus?.filter((_, index) => !lostGpus.has(index));
  if (gpus !== undefined && kept?.length === 0 && gpus.length > 0)
    unknown.push({ field: 'gpus', reason: 'every GPU is set aside' });
  const others = accelerators === undefined ? undefined : withoutUnits(accelerators, new Set(names));
  const hasGpus = kept !== undefined && (kept.length > 0 || gpus?.length === 0);
  return {
    digest: `${offer.digest} without ${names.join(' ')}`,
    profile: {
      ...rest,
      ...(hasGpus ? { gpus: kept } : {}),
      ...(others === undefined ? {} : { accelerators: others }),
      unknown,
    },
    declared,
  };
}

/** Units are counted by class, in the order of the profile. */
function withoutUnits<Unit extends { readonly class: string }>(
  units: readonly Unit[],
  names: ReadonlySet<string>,
): Unit[] {
  const counts = new Map<string, number>();
  return units.filter(({ class: kind }) => {
    const unit = counts.get(kind) ?? 0;
    counts.set(kind, unit + 1);
    return !names.has(`${kind}:${unit}`);
  });
}

export function splitDevice(device: string): { readonly kind: string; readonly unit: number | null } {
  const at = device.lastIndexOf(':');
  return at < 0 ? { kind: device, unit: null } : { kind: device.slice(0, at), unit: Number(device.slice(at + 1)) };
}

/** The kind of a device, by which the success of recovery steps is remembered: its model where the profile has it. */
export function deviceClassOf(profile: Profile | undefined, device: string | null): string {
  if (device === null) return 'worker';
  const { kind, unit } = splitDevice(device);
  const found =
    kind === 'gpu'
      ? profile?.gpus?.[unit ?? -1]
      : profile?.accelerators?.filter((one) => one.class === kind)[unit ?? -1];
  return found === undefined ? kind : `${kind} ${found.vendor} ${found.model ?? 'of unknown model'}`;
}
