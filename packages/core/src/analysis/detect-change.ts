// Whether a series of measurements changed its level, asked after each new value: the incremental form of E-divisive over a
// bounded window. A change is said only where
// - the rank scan at four fifths of the level or the energy statistic at one fifth says so, each corrected for having looked at
//   every place, so that a steady series of independent values is called changed with a probability of at most the level,
//   each time a value is added (Bonferroni, weighted);
// - Mann-Whitney or Kolmogorov-Smirnov votes for it at the place found;
// - the interval of the shift leaves out 0.
// Values that depend on their neighbours (a machine that warms up over days) break that promise; bench/detect shows by how much.
// After a change the series starts again with what came after it.
import type { Uniform } from '../kernel/random.ts';
import { locateShift, type Location } from './change-location.ts';
import { clipped, energySplit } from './energy.ts';
import { scanRanks } from './rank-scan.ts';
import { kolmogorovSmirnov, mannWhitney } from './ranks.ts';
import { hodgesLehmann, shiftBetween, type Estimate } from './robust.ts';

export type DetectorSettings = {
  /** Most values that are looked at: the newest. */
  readonly windowMax: number;
  /** Fewest values before a change, and after it. Under their sum nothing is said. */
  readonly headMin: number;
  readonly tailMin: number;
  /** Largest probability of an alarm at one value of a steady series. */
  readonly level: number;
};

export const detectorDefaults: DetectorSettings = { windowMax: 60, headMin: 10, tailMin: 4, level: 0.001 };

/** A vote at the place of a change that was found by other means; no proof alone. */
const voteLevel = 0.01;
const drawsEnough = 10;
const votingDraws = 199;
/** Of the level. */
const energyShare = 0.2;
/** Above this p of ranks the energy statistic is not asked: that can only make alarms rarer, and keeps most points cheap. */
const ranksTellNothing = 0.05;

export type Change = {
  readonly kind: 'changed';
  /** Place in the values given of the first one after the change, and the places that hold it at 95 %. */
  readonly at: number;
  readonly location: Location | null;
  readonly p: number;
  /** Hodges and Lehmann's estimate on either side, in the values' unit. */
  readonly before: number;
  readonly after: number;
  /** By how much it moved, in the values' unit, with the 95 % interval. */
  readonly shift: Estimate;
  readonly votes: { readonly energyP: number; readonly mannWhitneyP: number; readonly kolmogorovSmirnovP: number };
};

export type Judgement =
  | { readonly kind: 'tooFew'; readonly have: number; readonly need: number }
  | { readonly kind: 'steady'; readonly p: number }
  | Change;

/** Judges the newest values of one series. */
export function judgeSeries(
  values: readonly number[],
  uniform: Uniform,
  settings: DetectorSettings = detectorDefaults,
): Judgement {
  const { windowMax, headMin, tailMin, level } = settings;
  const need = headMin + tailMin;
  if (values.length < need) return { kind: 'tooFew', have: values.length, need };
  const offset = Math.max(0, values.length - windowMax);
  const window = clipped(values.slice(offset));
  const sizes = { headMin, tailMin };
  const draws = { max: Math.ceil(4 / level), enough: drawsEnough };
  const ranks = scanRanks(window, sizes, draws, uniform);
  if (ranks === null || ranks.drawnP > ranksTellNothing) return { kind: 'steady', p: 1 };
  const ranksP = Math.min(ranks.drawnP, ranks.boundP) / (1 - energyShare);
  // Where ranks have decided, the energy statistic has the place and a vote, and needs no small p.
  // Else it must never be reached by a drawn order, so the first that reaches it ends the drawing.
  const energyDraws =
    ranksP <= level
      ? { max: votingDraws, enough: votingDraws }
      : { max: Math.ceil(1 / (level * energyShare)), enough: 1 };
  const split = energySplit(window, sizes, energyDraws, uniform);
  if (split === null) return { kind: 'steady', p: 1 };
  const p = Math.min(1, ranksP, split.p / energyShare);
  if (p > level) return { kind: 'steady', p };
  const found = describeSplit(window, split.at, offset);
  if (found === null) return { kind: 'steady', p: 1 };
  return { ...found, p, votes: { ...found.votes, energyP: split.p } };
}

type Described = Omit<Change, 'p'>;

/** What lies before and after, or null where the votes or the interval say that it is no shift. */
function describeSplit(window: readonly number[], at: number, offset: number): Described | null {
  const [head, tail] = [window.slice(0, at), window.slice(at)];
  const [rank, distance] = [mannWhitney(head, tail), kolmogorovSmirnov(head, tail)];
  const shift = shiftBetween(head, tail);
  const [before, after] = [hodgesLehmann(head), hodgesLehmann(tail)];
  if (rank === null || distance === null || shift === null || before === null || after === null) return null;
  if (Math.min(rank.p, distance.p) > voteLevel) return null;
  if (shift.low <= 0 && shift.high >= 0) return null;
  const location = locateShift(window);
  return {
    kind: 'changed',
    at: at + offset,
    location: location === null ? null : moved(location, offset),
    before,
    after,
    shift,
    votes: { energyP: 1, mannWhitneyP: rank.p, kolmogorovSmirnovP: distance.p },
  };
}

const moved = ({ first, last, likeliest }: Location, by: number): Location => ({
  first: first + by,
  last: last + by,
  likeliest: likeliest + by,
});

/**
 * Every change of a whole series in the order of time, as the incremental form would have found them: value by value, starting
 * again after each change. `seenAt` is the place of the value at which it was said.
 */
export function changesOf(
  values: readonly number[],
  uniform: Uniform,
  settings: DetectorSettings = detectorDefaults,
): (Change & { readonly seenAt: number })[] {
  const changes: (Change & { readonly seenAt: number })[] = [];
  let start = 0;
  for (let end = 1; end <= values.length; end += 1) {
    const judgement = judgeSeries(values.slice(start, end), uniform, settings);
    if (judgement.kind !== 'changed') continue;
    const at = start + judgement.at;
    const location = judgement.location === null ? null : moved(judgement.location, start);
    changes.push({ ...judgement, at, location, seenAt: end - 1 });
    start = at;
  }
  return changes;
}

/** A change relative to what was before, as shares: 0.05 is 5 % more. Null where before was 0 or less. */
export function relativeShift({ before, shift }: Pick<Change, 'before' | 'shift'>): Estimate | null {
  if (!(before > 0)) return null;
  return { value: shift.value / before, low: shift.low / before, high: shift.high / before };
}
