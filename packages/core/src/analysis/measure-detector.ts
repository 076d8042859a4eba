// The detector measured on a series itself: how often it finds a step of a stated size in values that scatter as this series
// does, how soon, and how often it cries without one. The values of the steady part are drawn again in any order (with
// replacement), so what they owe to their order is lost, and figures hold for independent values only.
import type { Uniform } from '../kernel/random.ts';
import { detectorDefaults, judgeSeries, type DetectorSettings } from './detect-change.ts';
import { median } from './robust.ts';

export type DetectorFigures = {
  readonly rounds: number;
  /** Share of rounds in which a step was found within `afterMax` values. */
  readonly recall: number;
  /** Median number of values from the step to its alarm, among those found; null where none was. */
  readonly delay: number | null;
  /** Alarms without a step, and values judged without one. */
  readonly falseAlarms: number;
  readonly judged: number;
};

export type PlantedStep = {
  readonly share: number;
  readonly before: number;
  readonly afterMax: number;
  readonly rounds: number;
};

/** `step.share` is relative to the median of the values. Null under `headMin` values: what they scatter is not known. */
export function measureDetector(
  steady: readonly number[],
  step: PlantedStep,
  uniform: Uniform,
  settings: DetectorSettings = detectorDefaults,
): DetectorFigures | null {
  const middle = median(steady);
  if (middle === null || steady.length < settings.headMin) return null;
  const drawn = (): number => steady[Math.floor(uniform() * steady.length)] as number;
  const delays: number[] = [];
  let [falseAlarms, judged] = [0, 0];
  for (let round = 0; round < step.rounds; round += 1) {
    let values: number[] = [];
    for (let at = 0; at < step.before; at += 1) {
      values.push(drawn());
      const judgement = judgeSeries(values, uniform, settings);
      if (judgement.kind === 'tooFew') continue;
      judged += 1;
      if (judgement.kind !== 'changed') continue;
      falseAlarms += 1;
      values = values.slice(judgement.at);
    }
    for (let delay = 1; delay <= step.afterMax; delay += 1) {
      values.push(drawn() + step.share * middle);
      if (judgeSeries(values, uniform, settings).kind !== 'changed') continue;
      delays.push(delay);
      break;
    }
  }
  return { rounds: step.rounds, recall: delays.length / step.rounds, delay: median(delays), falseAlarms, judged };
}
