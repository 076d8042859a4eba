// How likely a test is a flake: whether it both passes and fails where nothing changed. Every execution counts, also those
// that a retry made good; what a revision broke, or one class of hardware, is told apart from luck.
// What always holds: under the minimum of evidence there is no score, and no test is called flaky that never did both at one
// revision on one class of hardware.
//
// The model, by Bayes' rule over three explanations of a test. In a group (one revision, one hardware class) a test that is no
// flake is sound or, with probability `brokenShare`, broken, and then gives the other answer with probability `spuriousRate`
// (a machine's own trouble that nobody named). A flake fails with a rate of its own, the same in all groups that are not
// broken; the rate is Beta(1, 3) before anything was seen. Integrated by the midpoint rule.
import type { Estimate } from './robust.ts';

/** Executions in one group: every attempt and every retry of the runner. */
export type Group = { readonly failed: number; readonly passed: number };

export type FlakeModel = {
  /** Share of tests that are flakes, before anything was seen. */
  readonly flakyShare: number;
  readonly brokenShare: number;
  readonly spuriousRate: number;
};

export const flakeModelDefaults: FlakeModel = { flakyShare: 0.03, brokenShare: 0.02, spuriousRate: 0.0005 };

/** Executions under which nothing is said. */
export const flakeExecutionsMin = 5;
/** From this score on a test is called flaky; at one less it and below, steady. */
export const flakyFrom = 0.95;

export type FlakeJudgement =
  | { readonly kind: 'tooFew'; readonly executions: number; readonly need: number }
  | {
      readonly kind: 'judged';
      readonly verdict: 'flaky' | 'steady' | 'unclear';
      /** Probability that it is a flake. */
      readonly score: number;
      /** How often it fails where it is not broken, if it is a flake, with the 95 % interval. */
      readonly rate: Estimate;
      readonly executions: number;
      readonly failures: number;
      /** Groups in which it both passed and failed. */
      readonly mixedGroups: number;
    };

const rateSteps = 400;

export function judgeFlake(groups: readonly Group[], model: FlakeModel = flakeModelDefaults): FlakeJudgement {
  const seen = groups.filter(({ failed, passed }) => failed + passed > 0);
  const failures = seen.reduce((sum, { failed }) => sum + failed, 0);
  const executions = seen.reduce((sum, { passed }) => sum + passed, failures);
  if (executions < flakeExecutionsMin) return { kind: 'tooFew', executions, need: flakeExecutionsMin };
  const logSteady = seen.reduce((sum, group) => sum + Math.log(likelihoodSteady(group, model)), 0);
  const logs = Array.from({ length: rateSteps }, (_, step) => {
    const rate = (step + 0.5) / rateSteps;
    const logPrior = Math.log(3) + 2 * Math.log1p(-rate) - Math.log(rateSteps);
    return seen.reduce((sum, group) => sum + Math.log(likelihoodFlaky(group, rate, model)), logPrior);
  });
  const most = Math.max(...logs, logSteady);
  const weights = logs.map((log) => Math.exp(log - most));
  const flaky = weights.reduce((sum, weight) => sum + weight, 0) * model.flakyShare;
  const steady = Math.exp(logSteady - most) * (1 - model.flakyShare);
  const score = flaky / (flaky + steady);
  const mixedGroups = seen.filter(({ failed, passed }) => failed > 0 && passed > 0).length;
  const verdict = score <= 1 - flakyFrom ? 'steady' : score >= flakyFrom && mixedGroups > 0 ? 'flaky' : 'unclear';
  return { kind: 'judged', verdict, score, rate: rateOf(weights), executions, failures, mixedGroups };
}

// Powers underflow only where both explanations do, far beyond any doubt; the floor keeps the logarithm finite.
const floor = 1e-300;

function likelihoodSteady({ failed, passed }: Group, { brokenShare, spuriousRate: rare }: FlakeModel): number {
  const sound = (1 - brokenShare) * rare ** failed * (1 - rare) ** passed;
  const broken = brokenShare * (1 - rare) ** failed * rare ** passed;
  return Math.max(floor, sound + broken);
}

function likelihoodFlaky(
  { failed, passed }: Group,
  rate: number,
  { brokenShare, spuriousRate: rare }: FlakeModel,
): number {
  const flaky = (1 - brokenShare) * rate ** failed * (1 - rate) ** passed;
  const broken = brokenShare * (1 - rare) ** failed * rare ** passed;
  return Math.max(floor, flaky + broken);
}

function rateOf(weights: readonly number[]): Estimate {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const at = (share: number): number => {
    let held = 0;
    const step = weights.findIndex((weight) => (held += weight) >= share * sum);
    return (Math.max(0, step) + 0.5) / rateSteps;
  };
  return { value: at(0.5), low: at(0.025), high: at(0.975) };
}
