// The vocabulary of requirements as rows: what `assay requires --list` prints and docs/reference/taxonomy.md is made of.
import { dimensions } from '../quantity.ts';
import { deviceAttributes } from './attributes.ts';
import type { AttributeEntry } from './attributes.ts';
import { sayShape } from './shape.ts';
import type { Shape } from './shape.ts';
import { vocabulary } from './vocabulary.ts';
import type { Root } from './vocabulary.ts';

export type FieldRow = {
  readonly field: string;
  readonly type: string;
  readonly meaning: string;
  /** `measured`, `declared` or `enforced`. */
  readonly vouched: string;
  readonly kubernetes?: string;
  readonly source?: string;
};

/** Attributes of a device `d`. */
export function deviceRows(): FieldRow[] {
  return Object.entries(deviceAttributes as Readonly<Record<string, AttributeEntry>>).map(
    ([name, { shape, meaning, kubernetes, source }]) => ({
      field: `d.${name}`,
      type: sayShape(shape),
      meaning,
      vouched: 'measured',
      source,
      ...(kubernetes === undefined ? {} : { kubernetes }),
    }),
  );
}

/** The other fields, one row a path; `[]` stands for one of a list and `NAME` for a name of the reader's choice. */
export function fieldRows(): FieldRow[] {
  const rows: FieldRow[] = [];
  for (const [root, { shape, meaning, vouched }] of Object.entries(vocabulary as Readonly<Record<string, Root>>)) {
    rows.push({ field: root, type: sayShape(shape), meaning, vouched });
    if (root !== 'devices') gather(rows, root, shape, vouched);
  }
  return rows;
}

function gather(rows: FieldRow[], path: string, shape: Shape, vouched: string): void {
  if (shape.kind === 'list') return gather(rows, `${path}[]`, shape.of, vouched);
  if (shape.kind === 'map' && shape.of.kind !== 'any') return gather(rows, `${path}.NAME`, shape.of, vouched);
  if (shape.kind !== 'record') return;
  for (const [name, field] of Object.entries(shape.fields)) {
    rows.push({ field: `${path}.${name}`, type: sayShape(field), meaning: '', vouched });
    gather(rows, `${path}.${name}`, field, vouched);
  }
}

export type UnitRow = { readonly dimension: string; readonly meaning: string; readonly units: readonly string[] };

export function unitRows(): UnitRow[] {
  return dimensions.map(({ name, meaning, units }) => ({
    dimension: name.toLowerCase(),
    meaning,
    units: Object.keys(units),
  }));
}
