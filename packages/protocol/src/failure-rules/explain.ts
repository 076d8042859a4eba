// From what an agent saw of a failed attempt to the rule that explains it. The agent's own rule (why it was not a pass)
// is the answer unless something says more:
//
//   1  the kernel's log, where the attempt used the device or was cut short: no test can write there
//   2  a failing assertion: the test's, whatever else the text says
//   3  the messages of what failed, where one class explains every one of them; the project's rules before the built-in
//   4  the end of the output, where the attempt was cut short and no case tells
//   5  how the process ended
//
// What always holds: an assertion failure is never made infrastructure by a text, and a file of which one failure is not
// explained stays the test's. Nothing here turns a failure into a pass or a pass into a failure.
import type { FailureClass } from '../results.ts';
import { browserRules } from './browser.ts';
import { gpuRules } from './gpu.ts';
import { findExitRule, findRule } from './match.ts';
import type { Found } from './match.ts';
import { memoryRules } from './memory.ts';
import { networkRules } from './network.ts';
import { processRules } from './process.ts';
import type { CustomFailureRule, EvidenceSource, FailureRule, MatchedRule } from './rule.ts';

/** Every built-in rule. Order matters within what a rule reads: what says most stands first. */
export const failureRules: readonly FailureRule[] = [
  ...gpuRules,
  ...memoryRules,
  ...browserRules,
  ...networkRules,
  ...processRules,
];

const kernelRules = failureRules.filter(({ reads }) => reads === 'kernel');
const textRules = failureRules.filter(({ reads }) => reads === 'text');
const exitRules = failureRules.filter(({ reads }) => reads === 'exit');

/** Words of a failing assertion, in the message or at the top of the stack. */
export const assertionMarks: readonly string[] = [
  'AssertionError',
  'AssertionFailedError',
  'ERR_ASSERTION',
  'expect(',
  'E       assert ',
  'E   assert ',
  'assertion failed:',
  'assertion `left',
  'Expected equality of these values',
];

/** What the agent's own rules found, which a rule here may say more of. What is not named here is known for certain. */
const refinable: ReadonlySet<string> = new Set([
  'RUNNER_DIED',
  'TESTS_FAILED',
  'FILE_FAILED_TO_LOAD',
  'ERRORS_OUTSIDE_TESTS',
  'TIMED_OUT',
  'NO_OUTPUT',
  'REPORT_MISSING',
  'RUNNER_EXIT_MISMATCH',
  'RUNNER_FAILED_TO_START',
  'EXECUTION_FAILED',
]);

export type FailureEvidence = {
  readonly class: FailureClass;
  readonly code: string;
  readonly message: string;
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** Lines that the kernel wrote while the attempt ran. */
  readonly kernel: string;
  /** Message and stack of each failing case, of a load error, of errors outside the cases; `failuresLeftOut` more are not given. */
  readonly failures: readonly string[];
  readonly failuresLeftOut: number;
  /** The end of what it wrote. */
  readonly output: string;
  /** Whether its suite asks for a device, so that what happens to one concerns it. */
  readonly usesDevice: boolean;
};

export type Explained = { readonly class: FailureClass; readonly code: string; readonly rule: MatchedRule };

export function explainFailure(seen: FailureEvidence, custom: readonly CustomFailureRule[] = []): Explained {
  const own: Explained = {
    class: seen.class,
    code: seen.code,
    rule: {
      id: `assay/${seen.code.toLowerCase().replaceAll('_', '-')}`,
      source: 'agent',
      matched: firstLine(seen.message),
    },
  };
  if (!refinable.has(seen.code)) return own;
  return (
    fromKernel(seen) ??
    (hasAssertion(seen) ? asAssertion(own) : null) ??
    fromTexts(seen, custom) ??
    fromExit(seen) ??
    own
  );
}

function fromKernel(seen: FailureEvidence): Explained | null {
  if (seen.kernel === '') return null;
  const found = findRule(kernelRules, seen.kernel);
  if (found === null) return null;
  const isKilled = seen.exit?.signal === 'SIGKILL' || seen.exit?.code === 137;
  if (found.rule.code === 'OUT_OF_MEMORY') return isKilled ? explained(found, 'kernel') : null;
  const isDevices = found.rule.id.startsWith('gpu/');
  const isConcerned = isDevices ? seen.usesDevice : !hasAssertion(seen);
  return isConcerned ? explained(found, 'kernel') : null;
}

function hasAssertion({ failures }: FailureEvidence): boolean {
  return failures.some((text) => assertionMarks.some((mark) => text.includes(mark)));
}

function asAssertion(own: Explained): Explained {
  return { ...own, class: 'test', rule: { ...own.rule, id: 'assay/assertion', source: 'message' } };
}

function fromTexts(seen: FailureEvidence, custom: readonly CustomFailureRule[]): Explained | null {
  const rules = [...custom.map(asRule), ...textRules];
  if (seen.failures.length === 0) {
    const found = seen.output === '' ? null : findRule(rules, seen.output);
    return found === null ? null : explained(found, 'output');
  }
  if (seen.failuresLeftOut > 0) return null;
  let first: Found | null = null;
  for (const text of seen.failures) {
    const found = findRule(rules, text);
    if (found === null || (first !== null && found.rule.class !== first.rule.class)) return null;
    first ??= found;
  }
  return first === null ? null : explained(first, 'message');
}

function fromExit({ exit, code }: FailureEvidence): Explained | null {
  // The exit of a runner that reported failing cases says only that.
  if (exit === null || (code !== 'RUNNER_DIED' && code !== 'TESTS_FAILED')) return null;
  const found = findExitRule(exitRules, exit);
  return found === null ? null : explained(found, 'exit');
}

function explained({ rule, matched, subject }: Found, source: EvidenceSource): Explained {
  return {
    class: rule.class,
    code: rule.code,
    rule: { id: rule.id, source, matched, ...(subject === undefined ? {} : { subject: subject.slice(0, 200) }) },
  };
}

function asRule(rule: CustomFailureRule): FailureRule {
  return {
    id: `custom/${rule.id}`,
    class: rule.class,
    code: rule.code,
    reads: 'text',
    patterns: [rule.pattern],
    means: "A rule of the project's own.",
    source: 'assay.config',
  };
}

function firstLine(text: string): string {
  return text.slice(0, 300).split('\n', 1)[0] ?? '';
}
