// Quantities: a number with a dimension, so that `d.memory >= GiB(8)` means what it says and `d.memory >= 8` is an error.
// One class a dimension, since CEL tells types apart by their class. The amount is in the dimension's base unit; equal
// amounts are equal quantities, whatever unit they were written in.

export class Memory {
  readonly amount: number;
  constructor(bytes: number) {
    this.amount = bytes;
  }
}
export class Frequency {
  readonly amount: number;
  constructor(hertz: number) {
    this.amount = hertz;
  }
}
export type Quantity = Memory | Frequency;
export type DimensionName = 'Memory' | 'Frequency';

export type Dimension = {
  readonly name: DimensionName;
  readonly meaning: string;
  readonly make: new (amount: number) => Quantity;
  /** Functions of requirement expressions, by name: how much of the base unit one is. Ascending, base first. */
  readonly units: Readonly<Record<string, number>>;
};

export const dimensions: readonly Dimension[] = [
  {
    name: 'Memory',
    meaning: 'memory and storage; KiB to TiB are powers of 1024 (IEC 80000-13), kB to TB of 1000',
    make: Memory,
    units: { B: 1, kB: 1e3, KiB: 2 ** 10, MB: 1e6, MiB: 2 ** 20, GB: 1e9, GiB: 2 ** 30, TB: 1e12, TiB: 2 ** 40 },
  },
  {
    name: 'Frequency',
    meaning: 'clocks',
    make: Frequency,
    units: { Hz: 1, kHz: 1e3, MHz: 1e6, GHz: 1e9 },
  },
];

export const bytesPerMiB = 2 ** 20;

export function isQuantity(value: unknown): value is Quantity {
  return value instanceof Memory || value instanceof Frequency;
}

export function dimensionOf(quantity: Quantity): Dimension {
  const found = dimensions.find(({ make }) => quantity instanceof make);
  if (found === undefined) throw new TypeError('a quantity of no dimension');
  return found;
}

/** The quantity in the largest unit in which it is a short number: `GiB(8)`, `MiB(15360)`, `MHz(1410)`. */
export function showQuantity(quantity: Quantity): string {
  const { units } = dimensionOf(quantity);
  const binary = Object.entries(units).filter(([name]) => quantity instanceof Frequency || !/^[kMGT]B$/.test(name));
  for (const [name, size] of binary.toReversed()) {
    const count = quantity.amount / size;
    if (count >= 1 && Math.round(count * 100) / 100 === count) return `${name}(${count})`;
  }
  const [base] = Object.keys(units);
  return `${base ?? ''}(${quantity.amount})`;
}
