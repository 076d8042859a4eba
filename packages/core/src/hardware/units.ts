// Units in requirement expressions: `GiB(8)`, `MHz(1400)`. Quantities of one dimension compare, add and subtract, and take a number
// as a factor; a quantity and a bare number do not compare. One exception that its name makes safe: fields named ...MiB
// are numbers of MiB and compare with memory. At evaluation any whole number does so; that it is such a field is what the
// static check sees to (check-requirement.ts).
import type { Environment } from '@marcbachmann/cel-js';
import { bytesPerMiB, dimensions } from './quantity.ts';
import type { Memory, Quantity } from './quantity.ts';

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  // `!=` follows from it in the library.
  '==': (a, b) => a === b,
};

export function registerUnits(environment: Environment): void {
  for (const { name, make: Make, units } of dimensions) {
    environment.registerType(name, { ctor: Make, fields: {} });
    for (const [unit, size] of Object.entries(units)) {
      environment.registerFunction(`${unit}(int): ${name}`, (count: bigint) => new Make(Number(count) * size));
      environment.registerFunction(`${unit}(double): ${name}`, (count: number) => new Make(count * size));
    }
    for (const [operator, holds] of Object.entries(comparisons))
      environment.registerOperator(`${name} ${operator} ${name}`, (a: Quantity, b: Quantity) =>
        holds(a.amount, b.amount),
      );
    environment.registerOperator(`${name} + ${name}`, (a: Quantity, b: Quantity) => new Make(a.amount + b.amount));
    environment.registerOperator(`${name} - ${name}`, (a: Quantity, b: Quantity) => new Make(a.amount - b.amount));
    environment.registerOperator(`${name} * int`, (a: Quantity, by: bigint) => new Make(a.amount * Number(by)));
  }
  for (const [operator, holds] of Object.entries(comparisons)) {
    environment.registerOperator(`int ${operator} Memory`, (mebibytes: bigint, memory: Memory) =>
      holds(Number(mebibytes) * bytesPerMiB, memory.amount),
    );
    // The library makes the mirror image of `==` itself.
    if (operator !== '==')
      environment.registerOperator(`Memory ${operator} int`, (memory: Memory, mebibytes: bigint) =>
        holds(memory.amount, Number(mebibytes) * bytesPerMiB),
      );
  }
}
