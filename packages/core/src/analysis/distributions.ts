// The distributions that tests are read from. Pure; compared with SciPy's values in primitives.test.ts.

/**
 * P(Z <= x) of a standard normal, to about 1e-13 of itself down to x = -37: J. F. Hart's 1968 rational function as given by
 * G. West (Wilmott 2005), and beyond it Laplace's continued fraction (Abramowitz and Stegun 26.2.14).
 */
export function normalCdf(x: number): number {
  const size = Math.abs(x);
  const tail = size > 37 ? 0 : Math.exp((-size * size) / 2) * hart(size);
  return x > 0 ? 1 - tail : tail;
}

const upper = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
  220.206867912376,
];
const lower = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
  793.826512519948, 440.413735824752,
];
const horner = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

function hart(x: number): number {
  if (x < 7.07106781186547) return horner(upper, x) / horner(lower, x);
  // Thirty levels: West's five, with his 0.65 for the rest, are right to 1e-8 of the tail only.
  let rest = 0;
  for (let level = 30; level >= 1; level -= 1) rest = level / (x + rest);
  return 1 / ((x + rest) * Math.sqrt(2 * Math.PI));
}

/** The x with P(Z <= x) = `share`, by halving: as exact as `normalCdf`, and without constants of its own. */
export function normalQuantile(share: number): number {
  if (!(share > 0 && share < 1)) return share === 0 ? -Infinity : share === 1 ? Infinity : Number.NaN;
  // The lower half only: near 1 the difference to 1 has no digits left.
  if (share > 0.5) return -normalQuantile(1 - share);
  return halve(-38, 0, (x) => normalCdf(x) < share);
}

/** Natural logarithm of the gamma function for x > 0 (C. Lanczos 1964; g = 7, nine terms as given by P. Godfrey). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const at = x - 1;
  const sum = lanczos.reduce((total, term, index) => total + (index === 0 ? term : term / (at + index)), 0);
  const base = at + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (at + 0.5) * Math.log(base) - base + Math.log(sum);
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Natural logarithm of n over k. */
export function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** P(X <= x) of Beta(a, b): the regularised incomplete beta function by its continued fraction (Numerical Recipes 6.4). */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

export function betaQuantile(share: number, a: number, b: number): number {
  return halve(0, 1, (x) => betaCdf(x, a, b) < share);
}

/** P(T <= t) of Student's t with `freedom` degrees, through the beta function. */
export function studentCdf(t: number, freedom: number): number {
  const tail = betaCdf(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 10_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

function halve(low: number, high: number, isBelow: (x: number) => boolean): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 200 && from < to; step += 1) {
    const middle = (from + to) / 2;
    if (middle === from || middle === to) break;
    if (isBelow(middle)) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}
