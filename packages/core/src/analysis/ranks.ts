// Ranks, and tests that use nothing else: what a distribution looks like does not matter to them. p-values are two-sided.
// Where there are no ties and few values the distribution is counted out; else it is the usual approximation.
import { normalCdf, studentCdf } from './distributions.ts';
import { mean } from './robust.ts';

export type RankTest = { readonly statistic: number; readonly p: number };

/** Ranks from 1, ties share the mean of theirs; `tieTerm` is the sum of t^3 - t over groups of ties. */
export function midRanks(values: readonly number[]): { ranks: number[]; tieTerm: number } {
  const order = values.map((_, at) => at).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = Array.from<number>({ length: values.length });
  let tieTerm = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1] as number] === values[order[from] as number]) to += 1;
    const size = to - from + 1;
    tieTerm += size ** 3 - size;
    for (let at = from; at <= to; at += 1) ranks[order[at] as number] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return { ranks, tieTerm };
}

/** Above this product of sizes, counting out costs more than it gives. */
const countedMax = 4_000;

/** Whether one of two samples tends to be larger (Mann and Whitney 1947). The statistic is U of `a`. Null where one is empty. */
export function mannWhitney(a: readonly number[], b: readonly number[]): RankTest | null {
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) return null;
  const { ranks, tieTerm } = midRanks([...a, ...b]);
  let rankSum = 0;
  for (let at = 0; at < n; at += 1) rankSum += ranks[at] as number;
  return rankSumTest(rankSum, n, m, tieTerm);
}

/** As `mannWhitney`, of the sum of the ranks of `n` values among `n + m`. */
export function rankSumTest(rankSum: number, n: number, m: number, tieTerm: number): RankTest {
  const u = rankSum - (n * (n + 1)) / 2;
  if (tieTerm === 0 && n * m <= countedMax) return { statistic: u, p: countedRankSumP(Math.min(u, n * m - u), n, m) };
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - tieTerm / (total * (total - 1)));
  if (variance <= 0) return { statistic: u, p: 1 };
  // Half a step towards the middle, as for every count that a normal stands for.
  const distance = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5);
  return { statistic: u, p: Math.min(1, 2 * normalCdf(-distance / Math.sqrt(variance))) };
}

/** Twice P(U <= u) where every order is as likely: the coefficients of the Gaussian binomial (Mann and Whitney 1947). */
function countedRankSumP(u: number, n: number, m: number): number {
  const cumulated = cumulatedOf(Math.min(n, m), Math.max(n, m));
  return Math.min(1, 2 * (cumulated[Math.floor(u)] as number));
}

// Kept by sizes: the same few are asked for at every point of every series. What is kept never changes an answer.
const kept = new Map<string, Float64Array>();

function cumulatedOf(n: number, m: number): Float64Array {
  const key = `${n} ${m}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  let shares: Float64Array = new Float64Array(n * m + 1);
  shares[0] = 1;
  // Multiplied by (1 - q^(m+i)) / (1 - q^i) for i = 1 to n, and by the inverse of its growth, so that the sum stays 1.
  for (let i = 1; i <= n; i += 1) {
    for (let at = n * m; at >= m + i; at -= 1) shares[at] = (shares[at] as number) - (shares[at - m - i] as number);
    for (let at = i; at <= n * m; at += 1) shares[at] = (shares[at] as number) + (shares[at - i] as number);
    shares = shares.map((share) => (share * i) / (m + i));
  }
  let sum = 0;
  const cumulated = shares.map((share) => (sum += share));
  if (kept.size >= 2_000) kept.clear();
  kept.set(key, cumulated);
  return cumulated;
}

/**
 * Whether two samples come from one distribution, by the largest distance between their step functions (Kolmogorov 1933,
 * Smirnov 1939). Counted out over lattice paths (Hodges 1958) up to a total of 500; with ties that p is too large, never too
 * small. Null where one is empty.
 */
export function kolmogorovSmirnov(a: readonly number[], b: readonly number[]): RankTest | null {
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) return null;
  const [first, second] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j, distance] = [0, 0, 0];
  while (i < n && j < m) {
    const value = Math.min(first[i] as number, second[j] as number);
    while (i < n && first[i] === value) i += 1;
    while (j < m && second[j] === value) j += 1;
    distance = Math.max(distance, Math.abs(i * m - j * n));
  }
  const statistic = distance / (n * m);
  return { statistic, p: n + m <= 500 ? countedPathsP(distance, n, m) : smirnovTail(statistic, n, m) };
}

/** P(some point of a random path is at least `distance` away), as the share of paths that stay nearer taken from 1. */
function countedPathsP(distance: number, n: number, m: number): number {
  if (distance === 0) return 1;
  // outside[j]: the share of paths to (i, j) that were outside at some point.
  const outside = new Float64Array(m + 1);
  for (let i = 0; i <= n; i += 1)
    for (let j = 0; j <= m; j += 1) {
      if (Math.abs(i * m - j * n) >= distance) outside[j] = 1;
      else if (i + j > 0)
        outside[j] =
          (i * (i > 0 ? (outside[j] as number) : 0) + j * (j > 0 ? (outside[j - 1] as number) : 0)) / (i + j);
    }
  return Math.min(1, outside[m] as number);
}

function smirnovTail(statistic: number, n: number, m: number): number {
  const lambda = statistic * Math.sqrt((n * m) / (n + m));
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  return lambda < 0.2 ? 1 : Math.min(1, Math.max(0, sum));
}

/**
 * Whether paired differences lie on both sides of 0 alike (Wilcoxon 1945); zeros are left out. The statistic is the sum of the
 * ranks of positive ones. Counted out up to 60 differences without ties. Null where no difference is left.
 */
export function wilcoxonSignedRank(differences: readonly number[]): RankTest | null {
  const real = differences.filter((difference) => difference !== 0);
  const n = real.length;
  if (n === 0) return null;
  const { ranks, tieTerm } = midRanks(real.map((difference) => Math.abs(difference)));
  const statistic = ranks.reduce((sum, rank, at) => ((real[at] as number) > 0 ? sum + rank : sum), 0);
  const all = (n * (n + 1)) / 2;
  if (tieTerm === 0 && n <= 60) return { statistic, p: countedSignedP(Math.min(statistic, all - statistic), n) };
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm / 48;
  const distance = Math.max(0, Math.abs(statistic - all / 2) - 0.5);
  return { statistic, p: Math.min(1, 2 * normalCdf(-distance / Math.sqrt(variance))) };
}

function countedSignedP(statistic: number, n: number): number {
  const shares = new Float64Array(statistic + 1);
  shares[0] = 1;
  for (let rank = 1; rank <= n; rank += 1)
    for (let at = statistic; at >= 0; at -= 1)
      shares[at] = ((shares[at] as number) + (at >= rank ? (shares[at - rank] as number) : 0)) / 2;
  return Math.min(1, 2 * shares.reduce((sum, share) => sum + share, 0));
}

/**
 * Whether two things rise together, by ranks (Spearman 1904), over rows that have both; p by Student's t with n - 2 degrees.
 * Null under 5 rows, or where one of the two never changes.
 */
export function spearman(rows: readonly (readonly [number, number])[]): (RankTest & { rows: number }) | null {
  if (rows.length < 5) return null;
  const first = midRanks(rows.map(([a]) => a)).ranks;
  const second = midRanks(rows.map(([, b]) => b)).ranks;
  const middle = mean(first) ?? 0;
  let [both, a2, b2] = [0, 0, 0];
  for (const [at, rank] of first.entries()) {
    const [a, b] = [rank - middle, (second[at] as number) - middle];
    both += a * b;
    a2 += a * a;
    b2 += b * b;
  }
  if (a2 === 0 || b2 === 0) return null;
  const statistic = both / Math.sqrt(a2 * b2);
  const freedom = rows.length - 2;
  const p =
    Math.abs(statistic) >= 1
      ? 0
      : 2 * studentCdf(-Math.abs(statistic) * Math.sqrt(freedom / (1 - statistic ** 2)), freedom);
  return { statistic, p, rows: rows.length };
}
