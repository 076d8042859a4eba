// Says in words why one conjunct of a requirement is not true of a worker: the field, the value met and what was needed.
// "memory.totalMiB is 4096, needs >= 8192"; "gpus is unknown: nvidia-smi failed"; "cpu.isa lacks "avx2"".
// Pure wording: it decides nothing, and whatever the expression it gives some true sentence.
import { serialize } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import type { Facts } from './requirement.ts';

type ValueOf = (ast: ASTNode, facts: Facts) => unknown;
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
  if (error !== null) return missingField(ast, facts) ?? `${text}: ${error}`;
  if (value !== false) return `${text} is ${shown(value)}, needs to be true or false`;
  if (comparisons.has(ast.op)) return describeComparison(ast, facts, valueOf) ?? `${text} is false`;
  if (ast.op === 'in') {
    const [needle, list] = ast.args;
    const wanted = valueOf(needle, facts);
    if (needle.op !== 'value') return `${serialize(needle)} is ${shown(wanted)}, needs to be in ${serialize(list)}`;
    return `${serialize(list)} lacks ${shown(wanted)}`;
  }
  if (ast.op === 'rcall' && ast.args[0] === 'exists') {
    const list = valueOf(ast.args[1], facts);
    if (Array.isArray(list) && list.length === 0) return `${serialize(ast.args[1])}: none`;
    if (Array.isArray(list))
      return `none of the ${list.length} in ${serialize(ast.args[1])} has ${serialize(ast.args[2][1] as ASTNode)}`;
  }
  return `${text} is false`;
}

function describeComparison(ast: ASTNode, facts: Facts, valueOf: ValueOf): string | null {
  const [left, right] = ast.args as [ASTNode, ASTNode];
  if (right.op === 'value') {
    const list = sizeOf(left);
    if (list !== null && valueOf(left, facts) === 0n) return `${serialize(list)}: none`;
    return `${serialize(left)} is ${shown(valueOf(left, facts))}, needs ${ast.op} ${shown(right.args)}`;
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
        : (JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? Number(member) : member)) ??
          'unknown');
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}...` : text;
}
