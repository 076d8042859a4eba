// The types of an expression, walked from its leaves up against the shapes of the vocabulary. It refuses what cannot be meant
// (unknown fields, comparisons across types) and lets pass what only evaluation can know (labels, names of runtimes).
import { serialize } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from './did-you-mean.ts';
import { dimensions } from './quantity.ts';
import { sayShape } from './taxonomy/shape.ts';
import type { Shape } from './taxonomy/shape.ts';

type Names = ReadonlyMap<string, Shape>;

const any: Shape = { kind: 'any' };
const whole: Shape = { kind: 'int' };
const text: Shape = { kind: 'text' };
const truth: Shape = { kind: 'bool' };
const fraction: Shape = { kind: 'number' };
const unitShapes: Names = new Map(
  dimensions.flatMap(({ name, units }) =>
    Object.keys(units).map((unit): [string, Shape] => [unit, { kind: 'quantity', dimension: name }]),
  ),
);
const orders = new Set(['<', '<=', '>', '>=']);
const arithmetic = new Set(['+', '-', '*', '/', '%']);
const textTests = new Set(['startsWith', 'endsWith', 'contains']);

/** Thrown inside this file alone, to leave the walk. */
class Problem extends Error {}

/** What is wrong with the expression, or null. `expected` is what its value has to be. */
export function shapeProblem(ast: ASTNode, names: Names, expected: 'bool'): string | null {
  try {
    const shape = shapeOf(ast, names);
    if (shape.kind !== expected && shape.kind !== 'any')
      fail(`${serialize(ast)} is a ${sayShape(shape)}, needs to be true or false`);
    return null;
  } catch (problem) {
    if (problem instanceof Problem) return problem.message;
    throw problem;
  }
}

function fail(message: string): never {
  throw new Problem(message);
}

function shapeOf(ast: ASTNode, names: Names): Shape {
  switch (ast.op) {
    case 'value':
      return literalShape(ast.args);
    case 'id':
      return names.get(ast.args) ?? fail(unknownName(ast.args, names));
    case '.':
    case '.?':
      return fieldShape(ast.args[0], ast.args[1], names);
    case '[]':
    case '[?]':
      return indexShape(ast, names);
    case '&&':
    case '||':
      for (const side of ast.args) mustBe(side, truth, names);
      return truth;
    case '!_':
      mustBe(ast.args, truth, names);
      return truth;
    case '-_':
      return shapeOf(ast.args, names);
    case '?:': {
      mustBe(ast.args[0], truth, names);
      const then = shapeOf(ast.args[1], names);
      return isAlike(then, shapeOf(ast.args[2], names)) ? then : any;
    }
    case 'list': {
      const [first, ...rest] = ast.args.map((member) => shapeOf(member, names));
      return { kind: 'list', of: first !== undefined && rest.every((shape) => isAlike(first, shape)) ? first : any };
    }
    case 'map':
      for (const part of ast.args.flat()) shapeOf(part, names);
      return { kind: 'map', of: any };
    case 'call':
      return callShape(ast.args[0], ast.args[1], names);
    case 'rcall':
      return methodShape(ast.args[0], ast.args[1], ast.args[2], names);
    case 'in':
      return membershipShape(ast.args[0], ast.args[1], names);
    default:
      return binaryShape(ast, names);
  }
}

function literalShape(value: unknown): Shape {
  if (typeof value === 'bigint') return whole;
  if (typeof value === 'number') return fraction;
  if (typeof value === 'string') return text;
  if (typeof value === 'boolean') return truth;
  return any;
}

function fieldShape(owner: ASTNode, name: string, names: Names): Shape {
  const shape = shapeOf(owner, names);
  if (shape.kind === 'any') return any;
  if (shape.kind === 'map') return shape.of;
  if (shape.kind === 'record') {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (field !== undefined) return field;
    const known = Object.keys(shape.fields);
    return fail(`${serialize(owner)} has no field ${name}; ${didYouMean(name, known)}`);
  }
  if (shape.kind === 'list')
    return fail(
      `${serialize(owner)} is a ${sayShape(shape)}: ask one of them, as in ${serialize(owner)}.exists(x, x.${name} ...)`,
    );
  return fail(`${serialize(owner)} is a ${sayShape(shape)} and has no field ${name}`);
}

function indexShape(ast: ASTNode & { op: '[]' | '[?]' }, names: Names): Shape {
  const [owner, key] = ast.args;
  if (key.op === 'value' && typeof key.args === 'string') return fieldShape(owner, key.args, names);
  const shape = shapeOf(owner, names);
  if (shape.kind === 'list') {
    mustBe(key, whole, names);
    return shape.of;
  }
  return shape.kind === 'map' ? shape.of : any;
}

function callShape(name: string, args: readonly ASTNode[], names: Names): Shape {
  const unit = unitShapes.get(name);
  const shapes = name === 'has' ? [] : args.map((argument) => shapeOf(argument, names));
  const [first] = shapes;
  if (unit !== undefined) {
    if (first?.kind !== 'int' && first?.kind !== 'number' && first?.kind !== 'any')
      return fail(`${name}() takes a number, as in ${name}(8)`);
    return unit;
  }
  if (name === 'has') {
    for (const argument of args) shapeOf(argument, names);
    return truth;
  }
  if (name === 'size' || name === 'int') return whole;
  if (name === 'double') return fraction;
  return name === 'string' ? text : any;
}

function methodShape(name: string, on: ASTNode, args: readonly ASTNode[], names: Names): Shape {
  const shape = shapeOf(on, names);
  const [variable, predicate] = args;
  if (['all', 'exists', 'exists_one', 'filter'].includes(name)) {
    if (shape.kind !== 'list' && shape.kind !== 'map' && shape.kind !== 'any')
      return fail(`${serialize(on)} is a ${sayShape(shape)}, and ${name}() needs a list`);
    if (variable?.op === 'id' && predicate !== undefined) {
      const element = shape.kind === 'list' ? shape.of : shape.kind === 'map' ? text : any;
      mustBe(predicate, truth, new Map([...names, [variable.args, element]]));
    }
    return name === 'filter' ? shape : truth;
  }
  for (const argument of args) shapeOf(argument, names);
  if (name === 'size') return whole;
  if (textTests.has(name) && shape.kind !== 'text' && shape.kind !== 'any')
    return fail(`${serialize(on)} is a ${sayShape(shape)}, and ${name}() needs a text`);
  return textTests.has(name) ? truth : any;
}

function membershipShape(needle: ASTNode, list: ASTNode, names: Names): Shape {
  const wanted = shapeOf(needle, names);
  const shape = shapeOf(list, names);
  if (wanted.kind === 'quantity') return fail(`compare ${serialize(needle)} with == or >=: "in" is for words`);
  if (shape.kind === 'list' && !isComparable(wanted, shape.of))
    return fail(`${serialize(list)} is a ${sayShape(shape)}, and ${serialize(needle)} is a ${sayShape(wanted)}`);
  if (shape.kind !== 'list' && shape.kind !== 'map' && shape.kind !== 'any')
    return fail(`${serialize(list)} is a ${sayShape(shape)}, and "in" needs a list or names`);
  return truth;
}

function binaryShape(ast: ASTNode, names: Names): Shape {
  const [left, right] = ast.args as [ASTNode, ASTNode];
  const [a, b] = [shapeOf(left, names), shapeOf(right, names)];
  if (arithmetic.has(ast.op)) return arithmeticShape(ast, a, b);
  if (!isComparable(a, b)) return fail(`${serialize(ast)}: ${sayMismatch(left, a, right, b)}`);
  if (orders.has(ast.op) && (a.kind === 'list' || a.kind === 'record' || a.kind === 'bool'))
    return fail(`${serialize(left)} is ${sayShape(a)}, which has no order`);
  return truth;
}

function arithmeticShape(ast: ASTNode, a: Shape, b: Shape): Shape {
  if (a.kind === 'any' || b.kind === 'any') return any;
  if (a.kind === 'quantity' || b.kind === 'quantity') {
    const isSum = (ast.op === '+' || ast.op === '-') && isSame(a, b);
    const isScaled = ast.op === '*' && a.kind === 'quantity' && b.kind === 'int';
    if (isSum || isScaled) return a;
    return fail(`${serialize(ast)}: quantities add up with their like, and are multiplied by a whole number`);
  }
  if (ast.op === '+' && a.kind === 'text' && b.kind === 'text') return text;
  if (!isNumber(a) || !isNumber(b)) return fail(`${serialize(ast)}: there is no ${ast.op} for these types`);
  // What is computed from MiB is a number without a unit in its name.
  return a.kind === 'number' || b.kind === 'number' ? fraction : whole;
}

function mustBe(ast: ASTNode, wanted: Shape, names: Names): void {
  const shape = shapeOf(ast, names);
  if (shape.kind !== wanted.kind && shape.kind !== 'any')
    fail(`${serialize(ast)} is a ${sayShape(shape)}, needs to be ${sayShape(wanted)}`);
}

function isNumber(shape: Shape): boolean {
  return shape.kind === 'int' || shape.kind === 'number' || shape.kind === 'mebibytes';
}

function isSame(a: Shape, b: Shape): boolean {
  return a.kind === 'quantity' && b.kind === 'quantity' ? a.dimension === b.dimension : a.kind === b.kind;
}

function isAlike(a: Shape, b: Shape): boolean {
  return isSame(a, b) || (isNumber(a) && isNumber(b));
}

function isComparable(a: Shape, b: Shape): boolean {
  if (a.kind === 'any' || b.kind === 'any' || isAlike(a, b)) return true;
  const isMemory = (shape: Shape): boolean => shape.kind === 'quantity' && shape.dimension === 'Memory';
  return (a.kind === 'mebibytes' && isMemory(b)) || (isMemory(a) && b.kind === 'mebibytes');
}

function sayMismatch(left: ASTNode, a: Shape, right: ASTNode, b: Shape): string {
  const [quantity, shape, other] = a.kind === 'quantity' ? [left, a, b] : [right, b, a];
  if (shape.kind === 'quantity' && isNumber(other)) {
    const units = dimensions.find(({ name }) => name === shape.dimension)?.units ?? {};
    const bare = quantity === left ? right : left;
    const example = shape.dimension === 'Memory' ? 'GiB(8)' : 'MHz(1400)';
    return bare.op === 'value'
      ? `${serialize(quantity)} is a ${sayShape(shape)}: give the number a unit, as in ${example} (there are ${Object.keys(units).join(', ')})`
      : `${serialize(bare)} is a ${sayShape(other)} and has no unit`;
  }
  return `${serialize(left)} is a ${sayShape(a)}, and ${serialize(right)} is a ${sayShape(b)}`;
}

function unknownName(name: string, names: Names): string {
  return `${name} is not a field; ${didYouMean(name, [...names.keys()])}`;
}
