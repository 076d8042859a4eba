// How often the detector of changes is right, on series whose truth is known:  node bench/detect/main.ts [--series N] [--seed S]
// Prints false alarms a judged value on steady series, recall, delay and where the place was said to be on planted steps,
// errors among many series judged together, A/A and A/B comparisons, and what appending a value costs. Beside it in the same
// run: Welch's t and a z-score rule. What always holds: every figure has its count, and the seed makes the run again.
import { parseArgs } from 'node:util';
import {
  comparePaired,
  confirmed,
  discoveries,
  judgeSeries,
  uniformOf,
  type LevelChange,
  type Uniform,
} from '@assay/core';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { median, quantile, shareText } from '../statistics.ts';
import { peers, type Rule } from './peers.ts';
import { drawMany, noisy, steadyShapes, type Shape } from './series.ts';

const { values: given } = parseArgs({
  options: { series: { type: 'string', default: '400' }, seed: { type: 'string', default: '1' } },
});
const seriesCount = Number(given.series);
const uniform = uniformOf(`bench/detect ${given.seed}`);
const length = 60;
const costsMs: number[] = [];

type Judge = { name: string; judge: (values: readonly number[]) => LevelChange | boolean };
const ours: Judge = {
  name: 'assay',
  judge: (values) => {
    // Processor time: others work on the machine too.
    const before = process.cpuUsage();
    const judgement = judgeSeries(values, uniform);
    const { user, system } = process.cpuUsage(before);
    costsMs.push((user + system) / 1_000);
    return judgement.kind === 'changed' ? judgement : false;
  },
};
const judges: Judge[] = [ours, ...peers.map(({ name, isAlarm }: Rule) => ({ name, judge: isAlarm }))];

const machine = describeMachine();
printMachine(machine);
const figures = {
  machine,
  seed: given.seed,
  steady: steadyShapes.flatMap((shape) => judges.map((judge) => steadyRow(shape, judge))),
  steps: [1, 2, 3].flatMap((noise) => judges.map((judge) => stepRow(noise, judge))),
  together: togetherRow(),
  aa: compareRow('A/A', 200, 1, uniform),
  ab: compareRow('A/B, 5 % slower', 200, 1.05, uniform),
  append: { judged: costsMs.length, meanMs: mean(costsMs), p50Ms: median(costsMs), p99Ms: quantile(costsMs, 0.99) },
};
const { append } = figures;
console.log(
  `\nappending a value, processor time: mean ${append.meanMs.toFixed(3)} ms, p50 ${append.p50Ms.toFixed(3)}, p99 ${append.p99Ms.toFixed(3)} (${append.judged} judged)`,
);
writeResults('detect', figures);

function steadyRow(shape: Shape, { name, judge }: Judge): object {
  let [alarms, judged] = [0, 0];
  for (let series = 0; series < seriesCount; series += 1) {
    const draw = shape.start(uniform);
    let values: number[] = [];
    for (let at = 0; at < length; at += 1) {
      values.push(draw());
      if (values.length < 14) continue;
      judged += 1;
      const alarm = judge(values);
      if (alarm === false) continue;
      alarms += 1;
      values = alarm === true ? [] : values.slice(alarm.at);
    }
  }
  const note = shape.isIndependent ? '' : '  (outside the promise)';
  console.log(
    `steady, ${shape.name}: ${name}: ${((1_000 * alarms) / judged).toFixed(2)} false alarms in 1,000 (${alarms} of ${judged})${note}`,
  );
  return { shape: shape.name, judge: name, alarms, judged };
}

function stepRow(noise: number, { name, judge }: Judge): object {
  const delays: number[] = [];
  let [early, held, located] = [0, 0, 0];
  for (let series = 0; series < seriesCount; series += 1) {
    const draw = noisy(noise).start(uniform);
    let values = drawMany(13, draw);
    let changedAt = 30;
    for (let at = 13; at < length; at += 1) {
      values.push(draw() * (at >= 30 ? 1.05 : 1));
      const alarm = judge(values);
      if (alarm === false) continue;
      if (at < 30) {
        early += 1;
        const dropped = alarm === true ? values.length : alarm.at;
        values = values.slice(dropped);
        changedAt -= dropped;
        continue;
      }
      delays.push(at - 29);
      if (alarm !== true && alarm.location !== null) {
        located += 1;
        if (alarm.location.first <= changedAt && changedAt <= alarm.location.last) held += 1;
      }
      break;
    }
  }
  const place = located === 0 ? '' : `, place within its 95 % set ${shareText(held, located)}`;
  const delay =
    delays.length === 0 ? 'none' : `median ${median(delays)}, p90 ${quantile(delays, 0.9).toFixed(0)} values`;
  console.log(
    `5 % step at ${noise} % noise: ${name}: found ${shareText(delays.length, seriesCount)}, delay ${delay}${place}; ${early} alarms before it`,
  );
  return { noise, judge: name, found: delays.length, series: seriesCount, early, held, located };
}

/** 50 of 500 series have a step eight values ago: how many of those called changed together were not. */
function togetherRow(): object {
  let [said, wrong, found] = [0, 0, 0];
  const rounds = 20;
  for (let round = 0; round < rounds; round += 1) {
    const judged = Array.from({ length: 500 }, (_, series) => {
      const draw = noisy(2).start(uniform);
      const isChanged = series < 50;
      const values = drawMany(40, draw).map((value, at) => value * (isChanged && at >= 32 ? 1.05 : 1));
      return { isChanged, judgement: judgeSeries(values, uniform) };
    });
    const alerts = discoveries(
      judged,
      ({ judgement }) => (judgement.kind === 'tooFew' ? null : judgement.p),
      0.05,
    ).filter(({ judgement }) => judgement.kind === 'changed');
    said += alerts.length;
    wrong += alerts.filter(({ isChanged }) => !isChanged).length;
    found += alerts.filter(({ isChanged }) => isChanged).length;
  }
  console.log(
    `500 series together, 50 changed, false discovery rate 5 %: ${shareText(wrong, said)} of those said were wrong, found ${shareText(found, rounds * 50)}`,
  );
  return { said, wrong, found };
}

/** Interleaved pairs on two devices with a drift of their own; a difference counts where both say so. */
function compareRow(name: string, comparisons: number, factor: number, luck: Uniform): object {
  const counts = { faster: 0, slower: 0, noDifference: 0, notEnough: 0 };
  const device = (): ReturnType<typeof comparePaired> => {
    const noise = noisy(2).start(luck);
    const pairs = Array.from({ length: 20 }, (_, at): [number, number] => [
      noise() + at / 4,
      noise() * factor + at / 4,
    ]);
    return comparePaired(pairs, { better: 'less', margin: 0.02, level: 0.01 });
  };
  for (let at = 0; at < comparisons; at += 1) counts[confirmed(device(), device())] += 1;
  console.log(`${name}, 20 pairs at 2 % noise on two devices, ${comparisons} times: ${JSON.stringify(counts)}`);
  return counts;
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}
