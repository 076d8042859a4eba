// Requirements: CEL expressions over a worker's devices and profile, its declared labels (`declared.lab`) and its `pool`,
// with units as functions (`GiB(8)`). (CEL: the Common Expression Language, cel.dev.) `checkRequirement` in
// check-requirement.ts is the door for what comes from outside: it also checks the types against the taxonomy. This file
// stays lenient about fields, because a requirement that was taken once must be read again after every recovery.
//
// Why CEL: it ends by construction, and people know it from Kubernetes. What always holds: a requirement is parsed once
// and never throws afterwards; each top-level conjunct that is not true gives one reason with the value that was met;
// a field that could not be measured is a misfit with its reason, not an error.
import { Environment, serialize } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from './did-you-mean.ts';
import { conjunctsOf, describeMisfit } from './misfit.ts';
import { dimensions } from './quantity.ts';
import { registerUnits } from './units.ts';
import { rootNames } from './taxonomy/vocabulary.ts';

/** What expressions may name at their root. */
export const requirementRoots: readonly string[] = rootNames;

/** Functions and macros that end quickly on bounded input; `matches` is left out because a pattern can take for ever. */
const allowedCalls = new Set([
  'has',
  'size',
  'int',
  'double',
  'string',
  'all',
  'exists',
  'exists_one',
  'filter',
  'startsWith',
  'endsWith',
  'contains',
  ...dimensions.flatMap(({ units }) => Object.keys(units)),
]);
const loops = new Set(['all', 'exists', 'exists_one', 'filter']);
/** A loop inside a loop would be every pair of 512 instruction sets, for each class: `f in cpu.isa` says the same at once. */
const loopDepthMax = 1;

const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 40 },
});
for (const root of requirementRoots) environment.registerVariable(root, 'dyn');
registerUnits(environment);

/** One part that must be true. */
type Conjunct = { readonly ast: ASTNode; readonly evaluate: (context: Facts) => unknown };
export type Requirement = { readonly text: string; readonly conjuncts: readonly Conjunct[] };
export type ParsedRequirement = { kind: 'ok'; requirement: Requirement } | { kind: 'refused'; reason: string };
/** What an expression is evaluated over: a profile with `declared` and `pool`, whole numbers as BigInt (see facts.ts). */
export type Facts = Readonly<Record<string, unknown>>;
export type Fit = { readonly kind: 'fits' } | { readonly kind: 'misfits'; readonly reasons: readonly string[] };

/** Reads an expression; "" fits everything. */
export function parseRequirement(text: string): ParsedRequirement {
  if (text.trim() === '') return { kind: 'ok', requirement: { text, conjuncts: [] } };
  try {
    const parsed = environment.parse(text);
    const checked = parsed.check();
    if (!checked.valid) return refused(checked.error);
    if (checked.type !== 'bool' && checked.type !== 'dyn')
      return { kind: 'refused', reason: `must be true or false, but is ${String(checked.type)}` };
    const reason = disallowed(parsed.ast, 0);
    if (reason !== null) return { kind: 'refused', reason };
    const conjuncts = conjunctsOf(parsed.ast).map((ast) => ({
      ast,
      evaluate: environment.parse(serialize(ast)) as (context: Facts) => unknown,
    }));
    return { kind: 'ok', requirement: { text, conjuncts } };
  } catch (error) {
    return refused(error);
  }
}

const fits: Fit = { kind: 'fits' };

/** Whether the facts meet the requirement, with one reason for each conjunct that they do not. */
export function fit(requirement: Requirement, facts: Facts): Fit {
  for (const { evaluate } of requirement.conjuncts)
    if (valueWith(evaluate, facts).value !== true) return new Misfit(requirement, facts);
  return fits;
}

/** The reasons are worded when somebody asks: a fleet of many kinds has far more misfits than people who read them. */
class Misfit {
  readonly kind = 'misfits';
  readonly #requirement: Requirement;
  readonly #facts: Facts;
  #reasons: readonly string[] | null = null;

  constructor(requirement: Requirement, facts: Facts) {
    this.#requirement = requirement;
    this.#facts = facts;
  }

  get reasons(): readonly string[] {
    this.#reasons ??= this.#requirement.conjuncts.flatMap(({ ast, evaluate }) => {
      const { value, error } = valueWith(evaluate, this.#facts);
      return value === true ? [] : [describeMisfit(ast, this.#facts, value, error, valueOf)];
    });
    return this.#reasons;
  }
}

function valueWith(evaluate: Conjunct['evaluate'], facts: Facts): { value: unknown; error: string | null } {
  try {
    return { value: evaluate(facts), error: null };
  } catch (thrown) {
    // CEL says by throwing that a field is missing or two types do not compare.
    return { value: undefined, error: summaryOf(thrown) };
  }
}

/** Parts of expressions as programs: a memory of a pure function, emptied when it is full. */
const programs = new Map<string, (context: Facts) => unknown>();
const programsMax = 2_000;

/** The value of a part of an expression, undefined where it has none. */
function valueOf(part: ASTNode | string, facts: Facts): unknown {
  const text = typeof part === 'string' ? part : serialize(part);
  try {
    let program = programs.get(text);
    if (program === undefined) {
      program = environment.parse(text) as (context: Facts) => unknown;
      if (programs.size >= programsMax) programs.clear();
      programs.set(text, program);
    }
    return program(facts);
  } catch {
    return undefined;
  }
}

/** The reason why an expression is not taken, or null. */
function disallowed(ast: ASTNode, loopDepth: number): string | null {
  let depth = loopDepth;
  if (ast.op === 'call' || ast.op === 'rcall') {
    const name = ast.args[0];
    if (!allowedCalls.has(name))
      return `${name}() is not available in requirements; there are ${[...allowedCalls].join(', ')}`;
    if (loops.has(name)) depth += 1;
    if (depth > loopDepthMax) return 'a loop (all, exists, exists_one, filter) inside another';
  }
  // Conjuncts are read again from their text, which has at most nine decimals and no exponent.
  if (ast.op === 'value' && typeof ast.args === 'number' && Number(serialize(ast)) !== ast.args)
    return `the number ${ast.args} has more than nine decimals or too many digits`;
  // No fact is of these types, and the library does not treat them all as the specification says (ADR 4).
  if (ast.op === 'value' && typeof ast.args === 'object' && ast.args !== null)
    return 'unsigned numbers and bytes are not available in requirements';
  for (const child of childrenOf(ast)) {
    const reason = disallowed(child, depth);
    if (reason !== null) return reason;
  }
  return null;
}

function childrenOf(ast: ASTNode): ASTNode[] {
  const nodes: ASTNode[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) for (const member of value) collect(member);
    else if (isNode(value)) nodes.push(value);
  };
  collect(ast.args);
  return nodes;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function refused(error: unknown): ParsedRequirement {
  const reason = summaryOf(error);
  const range = (error as { range?: { start: number } } | undefined)?.range;
  const unknownName = /^Unknown variable: (.*)$/.exec(reason);
  const said = unknownName
    ? `${unknownName[1] ?? ''} is not a field; ${didYouMean(unknownName[1] ?? '', requirementRoots)}`
    : reason;
  return { kind: 'refused', reason: range === undefined ? said : `${said} (at character ${range.start + 1})` };
}

function summaryOf(error: unknown): string {
  const summary = (error as { summary?: unknown } | null)?.summary;
  if (typeof summary === 'string') return summary;
  return error instanceof Error ? error.message : 'it is not an expression';
}
