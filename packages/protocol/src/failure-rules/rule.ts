// One row of the failure rules: which text, exit or kernel message names which failure class and code. Rules are data, so
// that they are documented (docs/reference/failure-rules.md), tested row by row, and extended by a project's own.
//
// What a rule reads matters as much as what it says. The kernel's log is beyond the reach of a test; a message, the output
// and the exit of a process are what the test itself chose to say: such a failure is only *said*, and whoever acts on it
// bounds what that can cost (see core/recovery).
import { z } from 'zod';
import type { FailureClass } from '../results.ts';

/** Where evidence was read. `agent`: the agent's own measurement, such as a counter of its control group. */
export const evidenceSources = ['kernel', 'agent', 'exit', 'message', 'output'] as const;
export const EvidenceSource = z.enum(evidenceSources);
export type EvidenceSource = z.infer<typeof EvidenceSource>;

export type FailureRule = {
  /** Stable, `topic/what`: recorded with the attempt. */
  readonly id: string;
  readonly class: FailureClass;
  readonly code: string;
  /** `text` is a failing case's own message, an error outside the cases, or the end of the output. */
  readonly reads: 'kernel' | 'text' | 'exit';
  /** Line patterns, see match.ts; the first that is found is the evidence. Not used for `exit`. */
  readonly patterns: readonly string[];
  readonly exit?: { readonly codes?: readonly number[]; readonly signals?: readonly string[] };
  /** What it means, for people. */
  readonly means: string;
  /** Where the text comes from: a source file, a manual, or a test that made it. */
  readonly source: string;
};

/** The rule that named a failure, kept with the attempt. */
export const MatchedRule = z.strictObject({
  id: z.string().min(1).max(100),
  source: EvidenceSource,
  /** The line, exit code or signal that matched, cut. */
  matched: z.string().max(500),
  /** What failed, where the evidence names it: a PCI address, a host and port. */
  subject: z.string().max(200).optional(),
});
export type MatchedRule = z.infer<typeof MatchedRule>;

/** Classes that a project's own rule may give. The rest needs evidence that a project cannot give. */
const customClasses = ['test', 'device', 'driver', 'browser', 'infrastructure', 'configuration', 'timeout'] as const;

/** At least so much plain text in a pattern: less would match everything and name nothing. */
const plainCharsMin = 6;
const starsMax = 8;

/** A rule of a project's own, from `failureRules` in assay.config. It reads text, and never the kernel's log. */
export const CustomFailureRule = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'lower-case letters, digits and dashes, at most 61')
    .describe('Names the rule; recorded as custom/ID with each attempt that it explains.'),
  pattern: z
    .string()
    .max(300)
    .refine((text) => !/[\n\r]/.test(text), 'a pattern is within one line')
    .refine(
      (text) => text.replaceAll('*', '').trim().length >= plainCharsMin,
      `at least ${plainCharsMin} plain characters`,
    )
    .refine((text) => text.split('*').length - 1 <= starsMax, `at most ${starsMax} stars`)
    .describe('A piece of a line of the message or output; * stands for anything within the line.'),
  class: z.enum(customClasses).describe('The failure class that it names.'),
  code: z
    .string()
    .regex(/^CUSTOM_[A-Z0-9_]{2,50}$/, 'starts with CUSTOM_')
    .describe('The code that the attempt gets.'),
});
export type CustomFailureRule = z.infer<typeof CustomFailureRule>;

/** The rules of one suite. */
export const CustomFailureRules = z
  .array(CustomFailureRule)
  .max(50)
  .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, 'ids are unique');
