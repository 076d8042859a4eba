// Says in words why one conjunct of a requirement is not true of a worker: the field, the value met and what was needed.
// "memory.totalMiB is 4096, needs >= 8192"; "gpus is unknown: nvidia-smi failed"; "cpu.isa lacks "avx2"".
// Pure wording: it decides nothing, and whatever the expression it gives some true sentence.
import { serialize } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { isQuantity, showQuantity } from './quantity.ts';
import type { Facts } from './requirement.ts';

type ValueOf = (part: ASTNode | string, facts: Facts) => unknown;
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=']);
const shownCharsMax = 160;

export function describeMisfit(
  ast: ASTNode,
  facts: Facts,
  value: unknown,
  error: string | null,
  valueOf: ValueOf,
): string {
  const text = serialize(ast);
  if (ast.op === 'rcall' && ast.args[0] === 'exists') {
    const list = valueOf(ast.args[1], facts);
    if (Array.isArray(list)) return describeNone(ast, list, facts, valueOf);
  }
  if (error !== null) return missingField(ast, facts) ?? `${text}: ${error}`;
  if (value !== false) return `${text} is ${shown(value)}, needs to be true or false`;
  if (comparisons.has(ast.op)) return describeComparison(ast, facts, valueOf) ?? `${text} is false`;
  if (ast.op === 'in') {
    const [needle, list] = ast.args;
    const wanted = valueOf(needle, facts);
    if (needle.op !== 'value') return `${serialize(needle)} is ${shown(wanted)}, needs to be in ${serialize(list)}`;
    return `${serialize(list)} lacks ${shown(wanted)}`;
  }
  return `${text} is false`;
}

/**
 * Of `list.exists(d, a && b && c)`, the first part that rules out the last that were left: "none of the 2 in devices with
 * d.class == "gpu" has d.memory >= GiB(8): there is GiB(4)". The parts are tried one after another, as their reader would;
 * an element that lacks what a part asks about is ruled out by it, and disturbs no other.
 */
function describeNone(
  ast: ASTNode & { op: 'rcall' },
  list: readonly unknown[],
  facts: Facts,
  valueOf: ValueOf,
): string {
  const [, source, [variable, predicate]] = ast.args as [string, ASTNode, [ASTNode, ASTNode]];
  const [name, from] = [serialize(variable), serialize(source)];
  if (list.length === 0) return `${from}: none`;
  const parts = conjunctsOf(predicate);
  let left = [...list.keys()].slice(0, elementsExplainedMax);
  const before: string[] = [];
  for (const part of parts) {
    const text = serialize(part);
    const kept = left.filter((index) => valueOf(`[${from}[${index}]].exists(${name}, ${text})`, facts) === true);
    if (kept.length === 0) {
      const met = metValues(
        part,
        name,
        left.map((index) => list[index]),
      );
      const narrowed = before.length === 0 ? '' : ` with ${before.join(' && ')}`;
      return `none of the ${before.length === 0 ? list.length : left.length} in ${from}${narrowed} has ${text}${met}`;
    }
    left = kept;
    before.push(text);
  }
  return `none of the ${list.length} in ${from} has ${serialize(predicate)}`;
}

/** A worker with more devices than this is explained by the first of them. */
const elementsExplainedMax = 64;

/** What the elements have where the part compares one of their fields: `: there are GiB(8), GiB(15)`. */
function metValues(part: ASTNode, variable: string, elements: unknown): string {
  if (!comparisons.has(part.op) || !Array.isArray(elements)) return '';
  const path = pathOf((part.args as [ASTNode, ASTNode])[0]);
  if (path === null || path[0] !== variable || path.length < 2) return '';
  const values = elements.map((element: unknown) =>
    path
      .slice(1)
      .reduce<unknown>(
        (value, key) =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, key)
            ? (value as Record<string, unknown>)[key]
            : undefined,
        element,
      ),
  );
  const words = [...new Set(values.map(shown))].sort();
  return words.length > 4 ? '' : `: there ${words.length === 1 ? 'is' : 'are'} ${words.join(', ')}`;
}

export function conjunctsOf(ast: ASTNode): ASTNode[] {
  if (ast.op !== '&&') return [ast];
  return [...conjunctsOf(ast.args[0]), ...conjunctsOf(ast.args[1])];
}

function describeComparison(ast: ASTNode, facts: Facts, valueOf: ValueOf): string | null {
  const [left, right] = ast.args as [ASTNode, ASTNode];
  if (right.op === 'value' || right.op === 'call') {
    const list = sizeOf(left);
    if (list !== null && valueOf(left, facts) === 0n) return `${serialize(list)}: none`;
    return `${serialize(left)} is ${shown(valueOf(left, facts))}, needs ${ast.op} ${serialize(right)}`;
  }
  if (left.op === 'value') {
    // `8 <= cpu.count` reads as cpu.count >= 8.
    const mirrored: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
    return `${serialize(right)} is ${shown(valueOf(right, facts))}, needs ${mirrored[ast.op] ?? ast.op} ${shown(left.args)}`;
  }
  return `${serialize(left)} is ${shown(valueOf(left, facts))}, needs ${ast.op} ${serialize(right)} (${shown(valueOf(right, facts))})`;
}

function sizeOf(ast: ASTNode): ASTNode | null {
  if (ast.op === 'call' && ast.args[0] === 'size') return ast.args[1][0] ?? null;
  if (ast.op === 'rcall' && ast.args[0] === 'size') return ast.args[1];
  return null;
}

/** The first path of the expression that leads nowhere in the facts, said with the probe's own reason where it gave one. */
function missingField(ast: ASTNode, facts: Facts): string | null {
  for (const path of pathsOf(ast)) {
    let value: unknown = facts;
    const walked: string[] = [];
    for (const name of path) {
      walked.push(name);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) break;
      value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (value === undefined) return sayMissing(walked, facts);
    }
  }
  return null;
}

function sayMissing(walked: readonly string[], facts: Facts): string {
  const field = walked.join('.');
  const unknown = Array.isArray(facts['unknown']) ? (facts['unknown'] as { field?: unknown; reason?: unknown }[]) : [];
  for (const entry of unknown) {
    const name = String(entry.field);
    if (name === field || field.startsWith(`${name}.`)) return `${field} is unknown: ${String(entry.reason)}`;
  }
  if (walked[0] === 'declared') return `${field} is not declared`;
  if (field === 'enforced.trust') return 'enforced.trust: its token gives no trust';
  return `${field}: none`;
}

/** Field paths that start at a root (`cpu.isa`), outermost expression first; not those of loop variables. */
function pathsOf(ast: ASTNode): string[][] {
  const paths: string[][] = [];
  const visit = (node: ASTNode, bound: readonly string[]): void => {
    const path = pathOf(node);
    if (path !== null) {
      if (!bound.includes(path[0] as string)) paths.push(path);
      return;
    }
    const inner = node.op === 'rcall' && node.args[2][0]?.op === 'id' ? [...bound, node.args[2][0].args] : bound;
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) for (const member of value) collect(member);
      else if (typeof value === 'object' && value !== null && 'op' in value) visit(value as ASTNode, inner);
    };
    collect(node.args);
  };
  visit(ast, []);
  return paths;
}

function pathOf(ast: ASTNode): string[] | null {
  if (ast.op === 'id') return [ast.args];
  if (ast.op === '.') {
    const [inner, name] = ast.args;
    const path = pathOf(inner);
    return path === null ? null : [...path, name];
  }
  if (ast.op === '[]' && ast.args[1].op === 'value' && typeof ast.args[1].args === 'string') {
    const path = pathOf(ast.args[0]);
    return path === null ? null : [...path, ast.args[1].args];
  }
  return null;
}

function shown(value: unknown): string {
  const text =
    value === undefined
      ? 'unknown'
      : typeof value === 'bigint'
        ? value.toString()
        : isQuantity(value)
          ? showQuantity(value)
          : (JSON.stringify(value, (_key, member: unknown) => asShown(member)) ?? 'unknown');
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}...` : text;
}

function asShown(member: unknown): unknown {
  if (typeof member === 'bigint') return Number(member);
  return isQuantity(member) ? showQuantity(member) : member;
}
