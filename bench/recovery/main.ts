// What is found, stopped and put right in fleets in which something is planted (packages/simulator/src/planted), how soon a lost
// worker's task runs elsewhere, and whether anything is lost or committed twice under seeded schedules of faults.
//   npm run bench -- recovery [--seeds 1000] [--first 1] [--kinds "bad devices,poison tests"] [--losses 200]
//                             [--schedules 10000] [--once] [--only plants|losses|schedules] [--faults 5]
// --first is the first seed of plants and of schedules: a long proof in parts loses little when it is stopped. Schedules run twice
// and must leave the same trace; with --once they run once, in half the time.
// Virtual time: the figures are the same on any machine, however busy. Shares come with their 95 % interval (Wilson). A seed in
// which something went wrong is named, with what: --faults says how many of each kind.
import { parseArgs } from 'node:util';
import { engineDefaults } from '../../packages/core/src/index.ts';
import { plantKinds, type Counts, type PlantKind } from '../../packages/simulator/src/planted/index.ts';
import { runSeeds } from '../../packages/simulator/src/run-seeds.ts';
import type { SimResult } from '../../packages/simulator/src/simulate.ts';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { median, quantile, shareText } from '../statistics.ts';
import { measureLoss } from './lost-worker.ts';
import { runPlants, type PlantFigures } from './plants.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    once: { type: 'boolean', default: false },
    kinds: { type: 'string' },
    losses: { type: 'string', default: '200' },
    schedules: { type: 'string', default: '10000' },
    only: { type: 'string' },
    faults: { type: 'string', default: '5' },
  },
});
const machine = describeMachine();
printMachine(machine);
const results: Record<string, unknown> = { machine };
const wants = (part: string): boolean => values.only === undefined || values.only === part;
if (wants('plants')) await plants();
if (wants('losses')) await losses();
if (wants('schedules')) await schedules();
writeResults('recovery', results);

async function plants(): Promise<void> {
  const first = Number(values.first);
  const wanted = values.kinds?.split(',').map((kind) => kind.trim());
  const kinds = plantKinds.filter((kind) => wanted === undefined || wanted.includes(kind));
  const startedMs = performance.now();
  const figures = await runPlants(kinds, first, first + Number(values.seeds) - 1);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(`\nplanted truths: ${values.seeds} seeds from ${first} of each kind, in ${seconds} s`);
  for (const each of figures) printPlants(each);
  printGoals(figures);
  results['plants'] = figures;
}

function printPlants({ kind, seeds, counts, blackHoleTasks, faults }: PlantFigures): void {
  console.log(`\n${kind} (${seeds} seeds)`);
  for (const [what, text] of linesOf(kind, counts)) console.log(`  ${what.padEnd(58)} ${text}`);
  if (blackHoleTasks.length > 0)
    console.log(
      `  ${'tasks of a black hole before its stop: median, p95, most'.padEnd(58)} ${median(blackHoleTasks)}, ${quantile(blackHoleTasks, 0.95).toFixed(0)}, ${Math.max(...blackHoleTasks)}`,
    );
  for (const { seed, fault } of faults.slice(0, Number(values.faults))) console.log(`    seed ${seed}: ${fault}`);
}

function linesOf(kind: PlantKind, counts: Counts): [string, string][] {
  const { rightStops, wrongStops, missedStops, rightClasses, wrongClasses, missedClasses } = counts;
  const lines: [string, string][] = [];
  if (rightStops + wrongStops > 0)
    lines.push(['stopped workers that were bad (precision)', shareText(rightStops, rightStops + wrongStops)]);
  if (rightStops + missedStops > 0)
    lines.push(['bad workers that were stopped (recall)', shareText(rightStops, rightStops + missedStops)]);
  if (kind === 'bad driver')
    lines.push(['stopped classes that had the driver', shareText(rightClasses, rightClasses + wrongClasses)]);
  else if (wrongClasses > 0) lines.push(['classes stopped, all of them wrongly', String(wrongClasses)]);
  if (rightClasses + missedClasses > 0)
    lines.push(['classes with the driver that were stopped', shareText(rightClasses, rightClasses + missedClasses)]);
  if (counts.blackHoles > 0)
    lines.push(['black holes stopped within five tasks', shareText(counts.blackHolesInTime, counts.blackHoles)]);
  if (counts.poison > 0)
    lines.push(['poison tests held after at most two workers', shareText(counts.poisonHeld, counts.poison)]);
  if (kind === 'dependency down') {
    lines.push(['times it was down and its circuit opened', shareText(counts.downsSeen, counts.downs)]);
    lines.push(['failures of it that their tests paid for', shareText(counts.downSpent, counts.downAttempts)]);
  }
  lines.push(['faults told right, of tasks with one kind of trouble', shareText(counts.toldRight, counts.told)]);
  lines.push(['sound tests that passed', shareText(counts.soundTasks - counts.soundNotPassed, counts.soundTasks)]);
  lines.push(['broken tests that did not', shareText(counts.brokenTasks - counts.brokenPassed, counts.brokenTasks)]);
  if (counts.unsettled > 0) lines.push(['NEVER OVER', String(counts.unsettled)]);
  return lines;
}

function printGoals(figures: readonly PlantFigures[]): void {
  const sum = (of: (counts: Counts) => number, only?: PlantKind): number =>
    figures
      .filter(({ kind }) => only === undefined || kind === only)
      .reduce((total, { counts }) => total + of(counts), 0);
  console.log('');
  const right = sum(({ rightStops, rightClasses }) => rightStops + rightClasses);
  const wrong = sum(({ wrongStops, wrongClasses }) => wrongStops + wrongClasses);
  share('precision of stops, workers and classes', right, right + wrong, 0.95);
  const rightDevices = sum(({ rightStops }) => rightStops, 'bad devices');
  const missedDevices = sum(({ missedStops }) => missedStops, 'bad devices');
  share('recall of quarantine, bad devices', rightDevices, rightDevices + missedDevices, 0.95);
  const rightClasses = sum(({ rightClasses: classes }) => classes);
  share(
    'bad drivers stopped by their class',
    rightClasses,
    rightClasses + sum(({ missedClasses }) => missedClasses),
    0.95,
  );
  share(
    'black holes stopped within five tasks',
    sum(({ blackHolesInTime }) => blackHolesInTime),
    sum(({ blackHoles }) => blackHoles),
    1,
  );
  share(
    'poison held after at most two workers',
    sum(({ poisonHeld }) => poisonHeld),
    sum(({ poison }) => poison),
    1,
  );
  share(
    'right verdicts',
    sum(({ toldRight }) => toldRight),
    sum(({ told }) => told),
    0.95,
  );
}

function share(what: string, hits: number, trials: number, bar: number): void {
  if (trials === 0) return;
  const isMet = hits / trials >= bar;
  const text = `goal ${bar === 1 ? 'all' : `at least ${bar * 100} %`}: ${isMet ? 'met' : 'MISSED'}`;
  console.log(`${what.padEnd(42)} ${shareText(hits, trials).padEnd(46)} ${text}`);
}

async function losses(): Promise<void> {
  const bar = 2 * engineDefaults.heartbeatMs + 1_000;
  console.log(`\nfrom a lost worker to its task running elsewhere (other workers idle; goal at most ${bar} ms)`);
  for (const isMachineGone of [false, true]) {
    const times: number[] = [];
    let unseen = 0;
    for (let seed = 1; seed <= Number(values.losses); seed += 1) {
      const loss = await measureLoss(seed, isMachineGone);
      if (loss === null) unseen += 1;
      else times.push(loss.elsewhereMs);
    }
    const worst = Math.max(...times);
    const name = isMachineGone ? 'the machine loses power' : 'the process is killed';
    console.log(
      `${name.padEnd(26)} median ${median(times).toFixed(0)} ms, p95 ${quantile(times, 0.95).toFixed(0)} ms, worst ${worst} ms of ${times.length}${unseen > 0 ? ` (${unseen} never ran again: LOST)` : ''}: ${worst <= bar && unseen === 0 ? 'met' : 'MISSED'}`,
    );
    results[isMachineGone ? 'lossOfMachineMs' : 'lossOfProcessMs'] = times;
  }
}

async function schedules(): Promise<void> {
  const count = Number(values.schedules);
  const first = Number(values.first);
  const startedMs = performance.now();
  const failed: { seed: number; invariant: string; message: string }[] = [];
  let tasks = 0;
  let attempts = 0;
  const times = values.once ? 'once' : 'twice';
  const onResult = (result: SimResult, done: number): void => {
    tasks += result.tasks;
    attempts += result.attempts;
    if (result.violation !== null) {
      failed.push({ seed: result.seed, ...result.violation });
      console.log(`seed ${result.seed}: ${result.violation.invariant}: ${result.violation.message.slice(0, 200)}`);
    }
    if (done % 1_000 === 0) console.log(`${done} of ${count} schedules`);
  };
  await runSeeds(first, first + count - 1, onResult, times);
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
  console.log(
    `\n${count} seeded fault schedules from ${first}, each ${times}, in ${minutes} min: ${tasks} tasks, ${attempts} attempts; ${failed.length === 0 ? 'nothing lost, nothing committed twice: met' : `${failed.length} FAILED`}`,
  );
  results['schedules'] = { first, count, times, tasks, attempts, failed };
}
