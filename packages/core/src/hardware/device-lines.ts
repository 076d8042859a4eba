// The devices of a profile in a line each, every attribute with its source where it is not measured: for people.
import type { Profile } from '@assay/protocol';
import { isQuantity, showQuantity } from './quantity.ts';
import { devicesOf } from './taxonomy/devices.ts';
import type { Attribute, Device } from './taxonomy/devices.ts';

/** What a line shows, in this order; long lists (instruction sets, WebGPU limits) are left to `--json`. */
const shownNames = [
  'vendor',
  'family',
  'model',
  'browser',
  'memory',
  'computeUnits',
  'clock',
  'isaGroups',
  'computeCapability',
  'migProfile',
  'apis',
  'precisions',
  'driver',
  'driverVersion',
  'firmware',
  'software',
] as const;

export function deviceLines(profile: Profile): string[] {
  return devicesOf(profile).map(deviceLine);
}

function deviceLine(device: Device): string {
  const parts = shownNames.flatMap((name) => {
    const attribute = device.attributes[name];
    return attribute === undefined ? [] : [`${name} ${shown(attribute)}`];
  });
  return `${device.class}:${device.unit}  ${parts.join(', ')}`;
}

function shown({ value, provenance, level }: Attribute): string {
  const text = isQuantity(value) ? showQuantity(value) : words(value);
  return provenance === 'catalogue' ? `${text} (by ${level})` : text;
}

function words(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, member]) => `${name} ${versionOf(member)}`)
      .join(' ');
  return String(value as string | number | boolean);
}

function versionOf(member: unknown): string {
  const version = (member as { version?: unknown } | null)?.version;
  return typeof version === 'string' ? version : JSON.stringify(member);
}
