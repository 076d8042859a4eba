// How near to the best possible end a run comes: drawn and recorded workloads through the real engine in virtual time, over the
// linear-programming lower bound (bound.ts), and beside splitting by test name alone (shards.ts).
//   npm run bench -- makespan [drawn workloads] [first seed]
// Virtual time: the figures are the same on any machine, however busy, and every seed can be run again.
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { median, quantile } from '../statistics.ts';
import { loadBoundSolver, type BoundSolver } from './bound.ts';
import { drive, histories, type History } from './drive.ts';
import { policies, type Policy } from './policies.ts';
import { shardsMakespanMs } from './shards.ts';
import { drawWorkload, slotsOf, type Workload } from './workload.ts';

/** How much a test's time differs from run to run: two thirds of them by less than about a quarter. */
const noise = 0.2;

type Figure = {
  workload: Workload;
  policy: string;
  history: History;
  /** Makespan over the bound, of the engine and of the two ways to split by name. */
  ratio: number;
  hash: number;
  turns: number;
  spread: number;
  longestWaitMs: number;
  /** Whether one test alone makes the bound: then equal workers cannot be equally busy. */
  isBoundByOne: boolean;
};

const [drawn = '60', firstSeed = '1'] = process.argv.slice(2);
const machine = describeMachine();
printMachine(machine);
const solve = await loadBoundSolver();
const workloads = Array.from({ length: Number(drawn) }, (_, index) => drawWorkload(Number(firstSeed) + index));
const startedMs = performance.now();
const figures = workloads.flatMap((workload) => measureAll(workload));
console.log(`${workloads.length} workloads in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
printByPolicy();
printGoals();
writeResults('makespan', {
  machine,
  noise,
  figures: figures.map(({ workload, ...rest }) => ({ seed: workload.seed, workload: workload.name, ...rest })),
});

function measureAll(workload: Workload): Figure[] {
  return policies.flatMap((policy) => histories.map((history) => measure(workload, policy, history, solve)));
}

function measure(workload: Workload, policy: Policy, history: History, bound: BoundSolver): Figure {
  const driven = drive(workload, { history, noise, config: policy.config });
  const { boundMs, longestMs } = bound({ slots: slotsOf(workload), durationsMs: driven.runMs });
  return {
    workload,
    policy: policy.name,
    history,
    ratio: driven.makespanMs / boundMs,
    hash: shardsMakespanMs(workload, driven.runMs, 'hash') / boundMs,
    turns: shardsMakespanMs(workload, driven.runMs, 'turns') / boundMs,
    spread: driven.spread,
    longestWaitMs: Math.max(...driven.waitsMs.values()),
    isBoundByOne: longestMs > boundMs / 4,
  };
}

function printByPolicy(): void {
  console.log('makespan over the lower bound              median     p95   worst   median spread of equal workers');
  for (const policy of policies) {
    for (const history of histories) {
      const of = figures.filter((figure) => figure.policy === policy.name && figure.history === history);
      const ratios = of.map(({ ratio }) => ratio);
      const spreads = of.filter(({ isBoundByOne }) => !isBoundByOne).map(({ spread }) => spread);
      const name = `${policy.name}, history: ${history}`;
      console.log(
        `${name.padEnd(40)} ${cell(median(ratios))} ${cell(quantile(ratios, 0.95))} ${cell(Math.max(...ratios))}   ${(median(spreads) * 100).toFixed(1)} % (worst ${(Math.max(...spreads) * 100).toFixed(1)} %)`,
      );
    }
  }
  for (const split of ['hash', 'turns'] as const) {
    const ratios = figures.filter(isMain).map((figure) => figure[split]);
    console.log(
      `${`split by name: ${split}`.padEnd(40)} ${cell(median(ratios))} ${cell(quantile(ratios, 0.95))} ${cell(Math.max(...ratios))}`,
    );
  }
}

/** What the goals speak of: the default policy, with history. */
function isMain({ policy, history }: Figure): boolean {
  return policy === policies[0]!.name && history === 'matrix';
}

function printGoals(): void {
  const main = figures.filter(isMain);
  const ratio = median(main.map((figure) => figure.ratio));
  const saved = median(main.map((figure) => 1 - figure.ratio / Math.min(figure.hash, figure.turns)));
  const spread = median(main.filter(({ isBoundByOne }) => !isBoundByOne).map((figure) => figure.spread));
  console.log('');
  goal('makespan over the lower bound, median', ratio.toFixed(3), 'at most 1.10', ratio <= 1.1);
  goal('less than the better split by name, median', `${(saved * 100).toFixed(0)} %`, 'at least 20 %', saved >= 0.2);
  goal('spread between equal workers, median', `${(spread * 100).toFixed(1)} %`, 'under 15 %', spread < 0.15);
}

function goal(what: string, measured: string, bar: string, isMet: boolean): void {
  console.log(`${what.padEnd(46)} ${measured.padStart(8)}   goal ${bar}: ${isMet ? 'met' : 'MISSED'}`);
}

function cell(value: number): string {
  return value.toFixed(3).padStart(7);
}
