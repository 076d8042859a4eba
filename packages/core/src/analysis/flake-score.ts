// How likely a test is a flake: whether it both passes and fails where nothing changed. Every execution counts, also those
// that a retry made good; what a revision broke, or one class of hardware, is told apart from luck.
// What always holds: under the minimum of evidence there is no score, and no test is called flaky that never did both at one
// revision on one class of hardware.
//
// The model, by Bayes' rule over two explanations of a test. Either way it is sound or broken at each revision, in a chain from
// the first to the last: it breaks with the probability `breaks`, and stays broken with `staysBroken` (a revision that broke it
// is followed by more before it is mended). Where it is broken it passes, and where it is sound and no flake it fails, with
// `spuriousRate` (a machine's own trouble that nobody named). A flake fails with a rate of its own where it is not broken; the
// rate is Beta(1, 3) before anything was seen. Chains of several hardware classes are broken each for itself and share the rate.
// Summed over states by the forward algorithm (L. Rabiner 1989), over rates by the midpoint rule.
import type { Estimate } from './robust.ts';

/** Executions at one revision on one hardware class: every attempt and every retry of the runner. */
export type Group = { readonly failed: number; readonly passed: number };

export type FlakeModel = {
  /** Share of tests that are flakes, before anything was seen. */
  readonly flakyShare: number;
  readonly breaks: number;
  readonly staysBroken: number;
  readonly spuriousRate: number;
};

export const flakeModelDefaults: FlakeModel = {
  flakyShare: 0.03,
  breaks: 0.02,
  staysBroken: 0.8,
  spuriousRate: 0.0005,
};

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

/** `chains` has one list of groups a hardware class, each in the order of revisions. */
export function judgeFlake(
  chains: readonly (readonly Group[])[],
  model: FlakeModel = flakeModelDefaults,
): FlakeJudgement {
  const groups = chains.flat();
  const failures = groups.reduce((sum, { failed }) => sum + failed, 0);
  const executions = groups.reduce((sum, { passed }) => sum + passed, failures);
  if (executions < flakeExecutionsMin) return { kind: 'tooFew', executions, need: flakeExecutionsMin };
  const logOf = (rate: number): number => chains.reduce((sum, chain) => sum + logChain(chain, rate, model), 0);
  const logSteady = logOf(model.spuriousRate);
  const logs = Array.from({ length: rateSteps }, (_, step) => {
    const rate = (step + 0.5) / rateSteps;
    const logPrior = Math.log(3) + 2 * Math.log1p(-rate) - Math.log(rateSteps);
    return logPrior + logOf(rate);
  });
  const most = Math.max(...logs, logSteady);
  const weights = logs.map((log) => Math.exp(log - most));
  const flaky = weights.reduce((sum, weight) => sum + weight, 0) * model.flakyShare;
  const steady = Math.exp(logSteady - most) * (1 - model.flakyShare);
  const score = flaky / (flaky + steady);
  const mixedGroups = groups.filter(({ failed, passed }) => failed > 0 && passed > 0).length;
  const verdict = score <= 1 - flakyFrom ? 'steady' : score >= flakyFrom && mixedGroups > 0 ? 'flaky' : 'unclear';
  return { kind: 'judged', verdict, score, rate: rateOf(weights), executions, failures, mixedGroups };
}

/** The logarithm of the probability of a chain where it fails with `rate` while it is not broken. */
function logChain(chain: readonly Group[], rate: number, { breaks, staysBroken, spuriousRate }: FlakeModel): number {
  let [sound, broken, log] = [1 - breaks, breaks, 0];
  for (const { failed, passed } of chain) {
    sound *= rate ** failed * (1 - rate) ** passed;
    broken *= (1 - spuriousRate) ** failed * spuriousRate ** passed;
    // Both underflow only where both explanations are far beyond any doubt; the floor keeps the logarithm finite.
    const sum = Math.max(sound + broken, 1e-300);
    log += Math.log(sum);
    [sound, broken] = [sound / sum, broken / sum];
    [sound, broken] = [sound * (1 - breaks) + broken * (1 - staysBroken), sound * breaks + broken * staysBroken];
  }
  return log;
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
