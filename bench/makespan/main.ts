// How near to the best possible end a run comes: drawn and recorded workloads through the real engine in virtual time, over the
// linear-programming lower bound (bound.ts), and beside splitting by test name alone (shards.ts).
//   npm run bench -- makespan [drawn workloads] [first seed]
// Virtual time: the figures are the same on any machine, however busy, and every seed can be run again.
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { median, quantile } from '../statistics.ts';
import { loadBoundSolver, type BoundSolver } from './bound.ts';
import { drive, histories, type History } from './drive.ts';
import { policies, type Policy } from './policies.ts';
import { readRecordings, recordedWorkloads } from './recorded.ts';
import { shardsMakespanMs } from './shards.ts';
import { measureWaits } from './waits.ts';
import { drawWorkload, slotsOf, type Workload } from './workload.ts';

/** How much a test's time differs from run to run: two thirds of them by less than about a quarter. */
const noise = 0.2;

/** Streams of runs with priorities. */
const streams = 20;

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
const recorded = recordedWorkloads();
for (const { name, about, recordedOn, machine: where } of readRecordings())
  console.log(`recorded ${name}: ${about}; ${recordedOn}, ${where}`);
const workloads = [
  ...Array.from({ length: Number(drawn) }, (_, index) => drawWorkload(Number(firstSeed) + index)),
  ...recorded,
];
const startedMs = performance.now();
const waits = Array.from({ length: streams }, (_, index) => measureWaits(Number(firstSeed) + index));
const figures = workloads.flatMap((workload) => measureAll(workload));
console.log(`${workloads.length} workloads in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
printByPolicy('drawn', ({ kind }) => kind !== 'recorded');
printByPolicy('recorded', ({ kind }) => kind === 'recorded');
printRecorded();
printGoals();
writeResults('makespan', {
  machine,
  noise,
  figures: figures.map(({ workload, ...rest }) => ({ seed: workload.seed, workload: workload.name, ...rest })),
});

function measureAll(workload: Workload): Figure[] {
  return policies.flatMap((policy, at) => historiesOf(at).map((history) => measure(workload, policy, history, solve)));
}

/** What the others do with less history is not asked: the default is what is compared with them. */
function historiesOf(policy: number): readonly History[] {
  return policy === 0 ? histories : ['matrix'];
}

function measure(workload: Workload, policy: Policy, history: History, bound: BoundSolver): Figure {
  const driven = drive(workload, { history, noise, config: policy.config });
  const { boundMs: relaxedMs, longestMs } = bound({ slots: slotsOf(workload), durationsMs: driven.runMs });
  // No slot ends its first test before its first start-up is over.
  const boundMs = relaxedMs + workload.startupMs;
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

function printByPolicy(kind: string, isOfKind: (workload: Workload) => boolean): void {
  const title = `makespan over the bound, ${kind} workloads`;
  console.log(`${title.padEnd(46)} median     p95   worst   median spread of equal workers`);
  const some = figures.filter(({ workload }) => isOfKind(workload));
  for (const [at, policy] of policies.entries()) {
    for (const history of historiesOf(at)) {
      const of = some.filter((figure) => figure.policy === policy.name && figure.history === history);
      const spreads = of.filter(hasSpread).map(({ spread }) => spread);
      const spread = `${percent(median(spreads))} (worst ${percent(Math.max(...spreads))})`;
      const ratios = of.map(({ ratio }) => ratio);
      console.log(`${rowOf(`${policy.name}, history: ${history}`, ratios)}   ${spread}`);
    }
  }
  for (const split of ['hash', 'turns'] as const) {
    const ratios = some.filter(isMain).map((figure) => figure[split]);
    console.log(rowOf(`split by name: ${split}`, ratios));
  }
  console.log('');
}

function rowOf(name: string, ratios: readonly number[]): string {
  const cells = [median(ratios), quantile(ratios, 0.95), Math.max(...ratios)].map((value) =>
    value.toFixed(3).padStart(7),
  );
  return `${name.padEnd(44)} ${cells.join(' ')}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function printRecorded(): void {
  for (const { workload, ratio, hash, turns } of figures.filter(isMain)) {
    if (workload.kind !== 'recorded') continue;
    console.log(
      `${workload.name.padEnd(70)} ${ratio.toFixed(3)}; split by hash ${hash.toFixed(2)}, by turns ${turns.toFixed(2)}`,
    );
  }
  console.log('');
}

/** Equal workers there are, and no test so long that one of them has to be busier. */
function hasSpread({ workload, isBoundByOne }: Figure): boolean {
  return !isBoundByOne && workload.classes.some(({ workers }) => workers > 1);
}

/** What the goals speak of: the default policy, with history. */
function isMain({ policy, history }: Figure): boolean {
  return policy === policies[0]!.name && history === 'matrix';
}

function printGoals(): void {
  const main = figures.filter(isMain);
  const ratio = median(main.map((figure) => figure.ratio));
  const saved = main.map((figure) => 1 - figure.ratio / Math.min(figure.hash, figure.turns));
  const spread = median(main.filter(hasSpread).map((figure) => figure.spread));
  goal('makespan over the lower bound, median', ratio.toFixed(3), 'at most 1.10', ratio <= 1.1);
  goal('less than the better split by name, median', percent(median(saved)), 'at least 20 %', median(saved) >= 0.2);
  goal('spread between equal workers, median', percent(spread), 'under 15 %', spread < 0.15);
  const beyond = waits.reduce((sum, one) => sum + one.beyond, 0);
  goal('waits beyond the bound of starvation', String(beyond), 'none', beyond === 0);
  const placements = waits.reduce((sum, one) => sum + one.placements, 0);
  const allowed = waits.reduce((sum, one) => sum + one.allowed, 0);
  const nearest = Math.max(...waits.map((one) => one.nearest));
  console.log(
    `(${waits.length} streams, ${placements} placements; ${allowed} overtakings by priority, the latest at ${percent(nearest)} of what is allowed)`,
  );
}

function goal(what: string, measured: string, bar: string, isMet: boolean): void {
  console.log(`${what.padEnd(46)} ${measured.padStart(8)}   goal ${bar}: ${isMet ? 'met' : 'MISSED'}`);
}
