// Requirements: CEL expressions over a worker's profile, its declared labels (`declared.lab`) and its `pool`.
// (CEL: the Common Expression Language, cel.dev.)
//
// Why CEL: it ends by construction, and people know it from Kubernetes. What always holds: a requirement is parsed once
// and never throws afterwards; each top-level conjunct that is not true gives one reason with the value that was met;
// a field that could not be measured is a misfit with its reason, not an error.
import { Environment, serialize } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { describeMisfit } from './misfit.ts';

/** What expressions may name at their root. */
export const requirementRoots = [
  'os',
  'cpu',
  'memory',
  'cgroup',
  'container',
  'gpus',
  'runtimes',
  'runners',
  'browsers',
  'drivers',
  'unknown',
  'declared',
  'pool',
] as const;

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

/** Whether the facts meet the requirement, with one reason for each conjunct that they do not. */
export function fit(requirement: Requirement, facts: Facts): Fit {
  const reasons: string[] = [];
  for (const conjunct of requirement.conjuncts) {
    let value: unknown;
    let error: string | null = null;
    try {
      value = conjunct.evaluate(facts);
    } catch (thrown) {
      // CEL says by throwing that a field is missing or two types do not compare.
      error = summaryOf(thrown);
    }
    if (value !== true) reasons.push(describeMisfit(conjunct.ast, facts, value, error, valueOf));
  }
  return reasons.length === 0 ? { kind: 'fits' } : { kind: 'misfits', reasons };
}

/** The value of a part of an expression, undefined where it has none. */
function valueOf(ast: ASTNode, facts: Facts): unknown {
  try {
    return environment.parse(serialize(ast))(facts);
  } catch {
    return undefined;
  }
}

function conjunctsOf(ast: ASTNode): ASTNode[] {
  if (ast.op !== '&&') return [ast];
  return [...conjunctsOf(ast.args[0]), ...conjunctsOf(ast.args[1])];
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
    ? `${unknownName[1] ?? ''} is not a field; there are ${requirementRoots.join(', ')}`
    : reason;
  return { kind: 'refused', reason: range === undefined ? said : `${said} (at character ${range.start + 1})` };
}

function summaryOf(error: unknown): string {
  const summary = (error as { summary?: unknown } | null)?.summary;
  if (typeof summary === 'string') return summary;
  return error instanceof Error ? error.message : 'it is not an expression';
}
