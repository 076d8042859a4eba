// The failure rules: data, matching, and what they say of a failed attempt.
export { assertionMarks, explainFailure, failureRules } from './explain.ts';
export type { Explained, FailureEvidence } from './explain.ts';
export { findRule, isInLine } from './match.ts';
export { CustomFailureRule, CustomFailureRules, EvidenceSource, MatchedRule } from './rule.ts';
export type { FailureRule } from './rule.ts';
export { isLoopback } from './subject.ts';
