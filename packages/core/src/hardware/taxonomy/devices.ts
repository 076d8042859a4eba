// The devices of a worker, made from its profile: each a unit in the taxonomy, with the attributes that its class, family and model give
// it and those that were measured of it, measured ones last. Every attribute says where it is from.
//
// What always holds: the same profile gives the same devices in the same order, and equal profiles equal devices; `unit` counts the
// devices of a class from 0; what nobody measured and no catalogue publishes is absent; a slice of a GPU does not get
// the compute units of the whole.
import type { Profile } from '@assay/protocol';
import type { AttributeName } from './attributes.ts';
import { matches } from './catalogue.ts';
import type { FamilyEntry, Measured } from './catalogue.ts';
import { classTable } from './classes.ts';
import type { DeviceClass } from './classes.ts';
import { gpuFamilies } from './gpu-families.ts';
import { otherFamilies } from './other-families.ts';
import { browserUnits } from './browser-units.ts';
import { acceleratorUnit, cpuUnit, gpuUnit } from './machine-units.ts';

/** `measured`: by a probe; `derived`: computed from what was measured; `catalogue`: published of its class, family or model. */
export type Provenance = 'measured' | 'derived' | 'catalogue';

export type Attribute = {
  readonly value: unknown;
  readonly provenance: Provenance;
  readonly level: 'class' | 'family' | 'model' | 'unit';
  /** The probe, tool or publication. */
  readonly source: string;
};

export type Device = {
  readonly class: DeviceClass;
  readonly unit: number;
  readonly attributes: Readonly<Partial<Record<AttributeName, Attribute>>>;
};

/** A unit as a probe found it, before the catalogue is asked. */
export type FoundUnit = {
  readonly measured: Measured;
  readonly source: string;
  readonly values: Readonly<Partial<Record<AttributeName, unknown>>>;
  readonly derived?: Readonly<Partial<Record<AttributeName, unknown>>>;
  /** Attributes of the whole product that this unit is a part of: not inherited. */
  readonly withholds?: readonly AttributeName[];
};

/** In the order in which they are tried. */
export const families: readonly FamilyEntry[] = [...gpuFamilies, ...otherFamilies];

export function devicesOf(profile: Profile): Device[] {
  const units: FoundUnit[] = [
    cpuUnit(profile),
    ...(profile.gpus ?? []).map((gpu) => gpuUnit(gpu, profile)),
    ...(profile.accelerators ?? []).flatMap((found) => acceleratorUnit(found, profile)),
    ...profile.browsers.flatMap(browserUnits),
  ];
  const counts = new Map<DeviceClass, number>();
  return units.map((unit) => {
    const nth = counts.get(unit.measured.class) ?? 0;
    counts.set(unit.measured.class, nth + 1);
    return deviceOf(unit, nth);
  });
}

function deviceOf(unit: FoundUnit, nth: number): Device {
  const { measured } = unit;
  const attributes: Partial<Record<AttributeName, Attribute>> = {};
  const add = (values: Readonly<Record<string, unknown>>, rest: Omit<Attribute, 'value'>): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined && !(rest.provenance === 'catalogue' && unit.withholds?.includes(name as AttributeName)))
        attributes[name as AttributeName] = { value, ...rest };
    }
  };
  const entry = classTable.find((known) => known.class === measured.class);
  add(entry?.attributes ?? {}, { provenance: 'catalogue', level: 'class', source: 'class table' });
  const family = familyOf(measured);
  if (family !== undefined) {
    const { source } = family;
    add({ ...family.attributes, family: family.family }, { provenance: 'catalogue', level: 'family', source });
    const model = family.models?.find((known) => matches(known.match, measured));
    if (model !== undefined)
      add(
        { ...model.attributes, model: model.model },
        { provenance: 'catalogue', level: 'model', source: model.source },
      );
  }
  add(unit.derived ?? {}, { provenance: 'derived', level: 'unit', source: unit.source });
  add(unit.values, { provenance: 'measured', level: 'unit', source: unit.source });
  add({ class: measured.class, unit: nth }, { provenance: 'derived', level: 'unit', source: 'taxonomy' });
  if (measured.vendor !== undefined)
    add({ vendor: measured.vendor }, { provenance: 'measured', level: 'unit', source: unit.source });
  return { class: measured.class, unit: nth, attributes };
}

/** The first that fits, in the catalogue's order. */
function familyOf(measured: Measured): FamilyEntry | undefined {
  return families.find(
    (entry) =>
      entry.class === measured.class &&
      (entry.vendor === undefined || entry.vendor === measured.vendor) &&
      matches(entry.match, measured),
  );
}
