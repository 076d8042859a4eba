// Where failures live: the hardware class, driver, browser or worker on which a test fails more often than elsewhere.
// Each value of each dimension is tested against all others (Fisher's exact test), and the smallest p is corrected for having
// looked at all of them (Bonferroni). What always holds: of places that what was executed does not tell apart (the only worker
// of a class and its class) all are named: those that hold 95 % of the posterior over places, each as likely before, with a
// rate of failing inside and one outside, both uniform.
import { logBeta } from './distributions.ts';
import { fisherExact } from './many-tests.ts';

/** Executions in one place: `where` names the value of each dimension. */
export type Placed = {
  readonly where: Readonly<Record<string, string>>;
  readonly failed: number;
  readonly passed: number;
};

export type Place = {
  readonly dimension: string;
  readonly value: string;
  /** Corrected for all that was looked at. */
  readonly p: number;
  readonly here: { readonly failed: number; readonly executions: number };
  readonly elsewhere: { readonly failed: number; readonly executions: number };
  /** Others that what was executed does not tell apart from this one. */
  readonly alike: readonly { readonly dimension: string; readonly value: string }[];
};

const level = 0.01;
/** The share of the posterior over places that the named ones hold. */
const confidence = 0.95;

type Candidate = Omit<Place, 'alike'> & { readonly logWeight: number };

/** The place that explains most, or null where failures do not keep to one. */
export function placeOfFailures(placed: readonly Placed[]): Place | null {
  const candidates = candidatesOf(placed);
  const risky = candidates
    .filter(({ here, elsewhere }) => here.failed / here.executions > elsewhere.failed / elsewhere.executions)
    .sort((a, b) => b.logWeight - a.logWeight || compare(a.dimension, b.dimension) || compare(a.value, b.value));
  const best = risky[0];
  if (best === undefined) return null;
  const p = Math.min(1, Math.min(...risky.map((one) => one.p)) * candidates.length);
  if (p > level) return null;
  const weights = risky.map(({ logWeight }) => Math.exp(logWeight - best.logWeight));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let held = weights[0] as number;
  const alike = risky.slice(1).filter((_, at) => {
    const isOpen = held < confidence * all;
    held += weights[at + 1] as number;
    return isOpen;
  });
  const { dimension, value, here, elsewhere } = best;
  return {
    dimension,
    value,
    p,
    here,
    elsewhere,
    alike: alike.map((one) => ({ dimension: one.dimension, value: one.value })),
  };
}

function candidatesOf(placed: readonly Placed[]): Candidate[] {
  const names = [...new Set(placed.flatMap(({ where }) => Object.keys(where)))];
  return names.flatMap((dimension) => {
    const values = [...new Set(placed.flatMap(({ where }) => where[dimension] ?? []))];
    // Where all ran in one place there is no elsewhere.
    return values.flatMap((value) => candidateOf(placed, dimension, value) ?? []);
  });
}

function candidateOf(placed: readonly Placed[], dimension: string, value: string): Candidate | null {
  const isIn = placed.map(({ where }) => where[dimension] === value);
  let [failed, passed, otherFailed, otherPassed] = [0, 0, 0, 0];
  for (const [at, one] of placed.entries())
    if (isIn[at]) [failed, passed] = [failed + one.failed, passed + one.passed];
    else [otherFailed, otherPassed] = [otherFailed + one.failed, otherPassed + one.passed];
  if (failed + passed === 0 || otherFailed + otherPassed === 0) return null;
  return {
    dimension,
    value,
    p: fisherExact([
      [failed, passed],
      [otherFailed, otherPassed],
    ]),
    here: { failed, executions: failed + passed },
    elsewhere: { failed: otherFailed, executions: otherFailed + otherPassed },
    logWeight: logBeta(1 + failed, 1 + passed) + logBeta(1 + otherFailed, 1 + otherPassed),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
