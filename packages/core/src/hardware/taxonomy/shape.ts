// The type of a field that requirement expressions may name, as data: what the static check and the reference read.
import type { DimensionName } from '../quantity.ts';

export type Shape =
  | { readonly kind: 'text' | 'int' | 'bool' | 'any' | 'null' }
  /** Whole or with a fraction, both of which an expression may compare it with. */
  | { readonly kind: 'number' }
  /** A whole number of mebibytes, its unit in its name: compares with a bare number as with a quantity of memory. */
  | { readonly kind: 'mebibytes' }
  | { readonly kind: 'quantity'; readonly dimension: DimensionName }
  | { readonly kind: 'list'; readonly of: Shape }
  /** Known names only: any other is a mistake. */
  | { readonly kind: 'record'; readonly fields: Readonly<Record<string, Shape>> }
  /** Open names: runtimes, labels, limits. */
  | { readonly kind: 'map'; readonly of: Shape };

/** The shape in words, as messages and the reference say it. */
export function sayShape(shape: Shape): string {
  switch (shape.kind) {
    case 'list':
      return `list of ${shape.of.kind === 'record' ? 'records' : sayShape(shape.of)}`;
    case 'map':
      return `${sayShape(shape.of)} by name`;
    case 'quantity':
      return `quantity of ${shape.dimension.toLowerCase()}`;
    case 'mebibytes':
      return 'whole number of MiB';
    case 'int':
      return 'whole number';
    case 'bool':
      return 'true or false';
    case 'record':
      return 'record';
    case 'number':
    case 'text':
    case 'any':
    case 'null':
      return shape.kind;
  }
}
