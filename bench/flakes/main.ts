// How often triage is right, on histories whose truth is known:  node bench/flakes/main.ts [--tests N] [--seed S]
// Draws tests that are sound, flaky, broken by a revision, or fail on one driver only; executes them over 20 revisions on four
// workers with up to two retries; and prints how many of those called flaky are, how many flakes are found by their rate, how
// often the place of a flake is named rightly or wrongly, how often the set of revisions holds the culprit, and when a
// quarantine lets go. What always holds: every figure has its count, and the seed makes the run again.
import { parseArgs } from 'node:util';
import { judgeFlake, locateCulprit, placeOfFailures, stepQuarantine, uniformOf, type Placed } from '@assay/core';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { median, shareText } from '../statistics.ts';

const { values: given } = parseArgs({
  options: { tests: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } },
});
const tests = Number(given.tests);
const luck = uniformOf(`bench/flakes ${given.seed}`);
const revisions = 20;
const runsARevision = 2;
const retriesMax = 2;
/** A failure that is nobody's: a machine's own trouble that no rule named. */
const spurious = 1 / 5_000;

const workers = [
  { worker: 'w1', gpu: 'A', driver: '550' },
  { worker: 'w2', gpu: 'B', driver: '550' },
  { worker: 'w3', gpu: 'A', driver: '535' },
  { worker: 'w4', gpu: 'B', driver: '535' },
] as const;
type Where = (typeof workers)[number];
type Truth = (revision: number, where: Where) => number;
type Execution = { revision: number; where: Where; isFailed: boolean };

/** Every run takes a worker by chance, and goes on elsewhere while it fails and may. */
function history(truth: Truth): Execution[] {
  const list: Execution[] = [];
  for (let revision = 0; revision < revisions; revision += 1)
    for (let run = 0; run < runsARevision; run += 1)
      for (let attempt = 0; attempt <= retriesMax; attempt += 1) {
        const where = workers[Math.floor(luck() * workers.length)] as Where;
        const isFailed = luck() < Math.max(truth(revision, where), spurious);
        list.push({ revision, where, isFailed });
        if (!isFailed) break;
      }
  return list;
}

function countsBy<Key>(
  list: readonly Execution[],
  keyOf: (one: Execution) => Key,
): Map<Key, { failed: number; passed: number }> {
  const counts = new Map<Key, { failed: number; passed: number }>();
  for (const one of list) {
    const { failed, passed } = counts.get(keyOf(one)) ?? { failed: 0, passed: 0 };
    counts.set(keyOf(one), one.isFailed ? { failed: failed + 1, passed } : { failed, passed: passed + 1 });
  }
  return counts;
}

const isCalledFlaky = (list: readonly Execution[]): boolean => {
  const kinds = [...new Set(list.map(({ where }) => `${where.gpu} ${where.driver}`))];
  const chains = kinds.map((kind) => [
    ...countsBy(
      list.filter(({ where }) => `${where.gpu} ${where.driver}` === kind),
      ({ revision }) => revision,
    ).values(),
  ]);
  const judged = judgeFlake(chains);
  return judged.kind === 'judged' && judged.verdict === 'flaky';
};
const placeOf = (list: readonly Execution[]): string[] | null => {
  const placed: Placed[] = [...countsBy(list, ({ where }) => where)].map(([where, counts]) => ({ where, ...counts }));
  const place = placeOfFailures(placed);
  return place === null ? null : [place, ...place.alike].map(({ dimension, value }) => `${dimension} ${value}`);
};
const times = <Value>(count: number, make: () => Value): Value[] => Array.from({ length: count }, make);

const machine = describeMachine();
printMachine(machine);
const sound = times(tests, () => isCalledFlaky(history(() => 0))).filter(Boolean).length;
console.log(`sound tests called flaky: ${shareText(sound, tests)}`);
const brokenAt =
  (at: number): Truth =>
  (revision) =>
    revision >= at ? 1 : 0;
const broken = times(tests, () => isCalledFlaky(history(brokenAt(10)))).filter(Boolean).length;
console.log(`tests broken by a revision called flaky: ${shareText(broken, tests)}`);
const onDriver = times(tests, () => isCalledFlaky(history((_, where) => (where.driver === '550' ? 1 : 0)))).filter(
  Boolean,
).length;
console.log(`tests that fail on one driver, always, called flaky: ${shareText(onDriver, tests)}`);
const flaky = [0.02, 0.05, 0.1, 0.2, 0.5].map((rate) => {
  const found = times(tests, () => isCalledFlaky(history(() => rate))).filter(Boolean).length;
  console.log(
    `flakes that fail ${rate * 100} % of the time, called flaky after ${revisions * runsARevision} runs: ${shareText(found, tests)}`,
  );
  return { rate, found };
});
const places = [0.1, 0.3, 0.6].map((rate) => {
  const said = times(tests, () => placeOf(history((_, where) => (where.driver === '550' ? rate : 0))));
  const named = said.filter((one) => one !== null);
  const right = named.filter((one) => one.length === 1 && one[0] === 'driver 550').length;
  const wrong = named.filter((one) => !one.includes('driver 550')).length;
  const nowhere = times(tests, () => placeOf(history(() => rate))).filter((one) => one !== null).length;
  console.log(
    `flakes at ${rate * 100} % on one driver only: it alone is named ${shareText(right, tests)}, among others ${shareText(named.length - right - wrong, tests)}, others only ${shareText(wrong, tests)}`,
  );
  console.log(`flakes at ${rate * 100} % everywhere: some place is named ${shareText(nowhere, tests)}`);
  return { rate, right, wrong, nowhere };
});
const culprits = [0, 0.1, 0.3].map((flakeRate) => {
  const widths: number[] = [];
  let held = 0;
  for (let test = 0; test < tests; test += 1) {
    const at = 1 + Math.floor(luck() * (revisions - 1));
    const counts = countsBy(
      history((revision) => (revision >= at ? 1 : flakeRate)),
      ({ revision }) => revision,
    );
    const found = locateCulprit(
      Array.from({ length: revisions }, (_, one) => counts.get(one) ?? { failed: 0, passed: 0 }),
    );
    if (found === null) continue;
    widths.push(found.last - found.first + 1);
    if (found.first <= at && at <= found.last) held += 1;
  }
  console.log(
    `culprit of a test that failed ${flakeRate * 100} % of the time before: in its 95 % set ${shareText(held, tests)}, set of ${median(widths)} revisions (median)`,
  );
  return { flakeRate, held, width: median(widths) };
});
const quarantines = [0, 0.02, 0.1].map((rate) => {
  const released = times(tests, () => isReleasedIn(rate, 100)).filter(Boolean).length;
  console.log(
    `set aside at a rate of 10 %, failing ${rate * 100} % since: let go within 100 executions ${shareText(released, tests)}`,
  );
  return { rate, released };
});
writeResults('flakes', {
  machine,
  seed: given.seed,
  tests,
  sound,
  broken,
  onDriver,
  flaky,
  places,
  culprits,
  quarantines,
});

function isReleasedIn(rate: number, executions: number): boolean {
  const request = {
    kind: 'quarantine',
    mode: 'mute',
    owner: 'bench',
    reason: 'planted',
    expiresAtMs: 1e9,
    rate: 0.1,
  } as const;
  let step = stepQuarantine({ kind: 'free' }, request, 0);
  for (let at = 0; at < executions && step.kind !== 'released'; at += 1)
    step = stepQuarantine(step.state, { kind: 'executed', isFailed: luck() < rate }, at + 1);
  return step.kind === 'released';
}
