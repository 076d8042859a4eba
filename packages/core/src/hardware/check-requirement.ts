// The door for requirements from outside: parses an expression and checks its types against the taxonomy, so that a field
// that does not exist, a quantity beside a bare number or a text beside a number is refused at submission with what was
// probably meant, instead of fitting no worker for ever. Pure; nothing is evaluated.
import { parseRequirement } from './requirement.ts';
import type { ParsedRequirement } from './requirement.ts';
import { shapeProblem } from './shape-check.ts';
import { vocabulary } from './taxonomy/vocabulary.ts';

/** As parseRequirement, and refused too where the types are wrong. "" fits everything. */
export function checkRequirement(text: string): ParsedRequirement {
  const parsed = parseRequirement(text);
  if (parsed.kind === 'refused') return parsed;
  const roots = new Map(Object.entries(vocabulary).map(([name, { shape }]) => [name, shape]));
  for (const { ast } of parsed.requirement.conjuncts) {
    const problem = shapeProblem(ast, roots, 'bool');
    if (problem !== null) return { kind: 'refused', reason: problem };
  }
  return parsed;
}

/** The same for the expression of a claim, which is over one device `d`. */
export function checkClaim(device: string): ParsedRequirement {
  const checked = checkRequirement(`devices.exists(d, (${device}))`);
  if (checked.kind === 'refused') return checked;
  const [only, ...more] = checked.requirement.conjuncts;
  // `true) || (true` is no expression over one device, though it would be one between these parentheses.
  if (only?.ast.op !== 'rcall' || more.length > 0)
    return { kind: 'refused', reason: 'a claim is one expression over a device d' };
  return checked;
}
