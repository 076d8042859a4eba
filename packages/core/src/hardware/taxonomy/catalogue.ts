// Families and models that are known by name: what they have that no probe can ask for. An entry matches a unit by what was
// measured of it; a family's attributes hold for its models, and a model's win over its family's.
//
// What always holds: nothing here is a guess about a particular machine. An attribute stands here only where its maker publishes
// it for every part of that family or model (`source` says where); what differs between parts of one name is left out, and stays unknown.
import type { DeviceClass } from './classes.ts';

/** What was measured of a unit, in the words of the profile. */
export type Measured = {
  readonly class: DeviceClass;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly computeCapability?: string | undefined;
  readonly migProfile?: string | undefined;
  readonly pciId?: string | undefined;
  readonly pciRevision?: string | undefined;
  readonly usbId?: string | undefined;
  readonly compatible?: string | undefined;
  /** Of a CPU. */
  readonly arch?: string | undefined;
};

/** Every part that is there has to match. */
export type Match = {
  readonly computeCapability?: RegExp;
  readonly model?: RegExp;
  readonly ids?: readonly string[];
  readonly pciRevision?: RegExp;
  readonly compatible?: RegExp;
  readonly arch?: RegExp;
};

export type ModelEntry = {
  readonly model: string;
  readonly match: Match;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly source: string;
};

export type FamilyEntry = {
  readonly class: DeviceClass;
  /** Absent: of any vendor. */
  readonly vendor?: string;
  readonly family: string;
  readonly match: Match;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly models?: readonly ModelEntry[];
};

export function matches(match: Match, unit: Measured): boolean {
  const { ids } = match;
  if (ids !== undefined && !ids.includes(unit.pciId ?? '') && !ids.includes(unit.usbId ?? '')) return false;
  return (
    fits(match.computeCapability, unit.computeCapability) &&
    fits(match.model, unit.model) &&
    fits(match.pciRevision, unit.pciRevision) &&
    fits(match.compatible, unit.compatible) &&
    fits(match.arch, unit.arch)
  );
}

function fits(pattern: RegExp | undefined, value: string | undefined): boolean {
  return pattern === undefined || (value !== undefined && pattern.test(value));
}
