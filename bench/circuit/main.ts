// What a circuit costs a call that goes well: `circuit.wrap` beside cockatiel and opossum in the same run, and the bare call.
//   node bench/circuit/main.ts [--rounds N] [--calls N]
// One asynchronous function that gives back its argument is awaited again and again, one call at a time. The rounds are
// interleaved, each starts with another one, and the figure is the median of a call over the rounds.
// What always holds: a peer that cannot be installed is said, and then there is no goal; nothing is printed that was not measured.
import { parseArgs } from 'node:util';
import { breakerDefaults, type BreakerSettings } from '@assay/core';
import { createMonotonicClock } from '../../packages/coordinator/src/adapters/clock-system.ts';
import { Circuit } from '../../packages/coordinator/src/circuits/circuit.ts';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { installPeers, peerVersion } from '../peers/install.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, calls: { type: 'string', default: '100000' } },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);
const warmUpRounds = 3;

type Subject = {
  name: string;
  /** Of whom, for the goal: the best of ours that has a peer's features against the cheapest of theirs. */
  side: 'bare' | 'ours' | 'peer';
  call: (value: number) => Promise<number>;
  close?: () => void;
  nsOf: number[];
};

const bare = (value: number): Promise<number> => Promise.resolve(value);
// Both ways of writing a function that answers later, so that neither is the one that the engine of JavaScript prefers.
const answer = async (value: number): Promise<number> => bare(value);

function subject(name: string, side: Subject['side'], call: Subject['call'], close?: () => void): Subject {
  return { name, side, call, nsOf: [], ...(close === undefined ? {} : { close }) };
}

function ours(): Subject[] {
  const clock = createMonotonicClock();
  const make = (name: string, settings: Partial<BreakerSettings>, fallback?: () => number): Subject => {
    const circuit = new Circuit({ clock, settings: { ...breakerDefaults, ...settings } });
    const options = fallback === undefined ? {} : { fallback };
    const wrapped = circuit.wrap((_: AbortSignal, value: number) => answer(value), options);
    return subject(name, 'ours', (value) => wrapped(null, value));
  };
  return [
    make('assay, window by time', {}),
    make('assay, window by count', { window: { kind: 'count', calls: 100, ageMaxMs: 60_000 } }),
    make('assay, by time, slow calls too', { slowCallMs: 1_000, slowRate: 0.5 }),
    make('assay, by time, with a fallback', {}, () => -1),
  ];
}

type Cockatiel = {
  handleAll: unknown;
  circuitBreaker(policy: unknown, options: object): { execute<Value>(fn: () => Promise<Value>): Promise<Value> };
  fallback(policy: unknown, value: number): unknown;
  wrap(...policies: unknown[]): { execute<Value>(fn: () => Promise<Value>): Promise<Value> };
  CountBreaker: new (options: object) => unknown;
  SamplingBreaker: new (options: object) => unknown;
  ConsecutiveBreaker: new (failures: number) => unknown;
};
type Opossum = new (
  action: (value: number) => Promise<number>,
  options: object,
) => { fire(value: number): Promise<number>; fallback(fn: () => number): void; shutdown(): void };

async function peers(): Promise<Subject[]> {
  const trouble = installPeers(import.meta.dirname);
  if (trouble !== null) {
    console.log(`no peers, so no goal: ${trouble}`);
    return [];
  }
  // By name at run time: the type check must pass where the peers are not installed.
  const load = async (path: string): Promise<unknown> => import(new URL(`./${path}`, import.meta.url).href);
  const cockatiel = (await load('node_modules/cockatiel/dist/index.js')) as Cockatiel;
  const { default: Breaker } = (await load('node_modules/opossum/index.js')) as { default: Opossum };
  const { circuitBreaker, handleAll } = cockatiel;
  const sampling = (): unknown => new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 60_000 });
  const breaker = (kind: unknown) => circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: kind });
  const ofCockatiel = (name: string, policy: ReturnType<typeof breaker>): Subject =>
    subject(`cockatiel, ${name}`, 'peer', (value) => policy.execute(() => answer(value)));
  const ofOpossum = (name: string, options: object, fallback?: () => number): Subject => {
    const circuit = new Breaker(answer, { timeout: false, volumeThreshold: 10, ...options });
    if (fallback !== undefined) circuit.fallback(fallback);
    return subject(
      `opossum, ${name}`,
      'peer',
      (value) => circuit.fire(value),
      () => circuit.shutdown(),
    );
  };
  return [
    ofCockatiel('window by count', breaker(new cockatiel.CountBreaker({ threshold: 0.5, size: 100 }))),
    ofCockatiel('window by time', breaker(sampling())),
    ofCockatiel('failures in a row only', breaker(new cockatiel.ConsecutiveBreaker(5))),
    ofCockatiel('by time, with a fallback', cockatiel.wrap(cockatiel.fallback(handleAll, -1), breaker(sampling()))),
    ofOpossum('by time', {}),
    ofOpossum('by time, without percentiles and snapshots', {
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    }),
    ofOpossum('by time, with a fallback', {}, () => -1),
  ];
}

async function measure({ call }: Subject): Promise<number> {
  let sum = 0;
  const startNs = process.hrtime.bigint();
  for (let value = 0; value < calls; value += 1) sum += await call(value);
  const ns = Number(process.hrtime.bigint() - startNs) / calls;
  if (sum !== (calls * (calls - 1)) / 2) throw new Error('a call gave back something else');
  return ns;
}

const medianOf = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
const best = (list: readonly Subject[]): Subject | undefined =>
  list.toSorted((a, b) => medianOf(a.nsOf) - medianOf(b.nsOf))[0];

const machine = describeMachine();
printMachine(machine);
const subjects = [subject('the bare call', 'bare', answer), ...ours(), ...(await peers())];
for (let round = -warmUpRounds; round < rounds; round += 1) {
  for (let turn = 0; turn < subjects.length; turn += 1) {
    const each = subjects[(turn + round + warmUpRounds) % subjects.length];
    if (each === undefined) continue;
    const ns = await measure(each);
    if (round >= 0) each.nsOf.push(ns);
  }
}
const versions = { cockatiel: '', opossum: '' };
const hasPeers = subjects.some(({ side }) => side === 'peer');
if (hasPeers)
  for (const name of ['cockatiel', 'opossum'] as const) versions[name] = peerVersion(name, import.meta.dirname);
if (hasPeers) console.log(`cockatiel ${versions.cockatiel}, opossum ${versions.opossum}`);
console.log(`${rounds} rounds of ${calls.toLocaleString('en-US')} calls each; nanoseconds a call`);
const bareNs = medianOf(subjects[0]?.nsOf ?? []);
for (const { name, nsOf } of subjects) {
  const [low, high] = [Math.min(...nsOf), Math.max(...nsOf)];
  const over = medianOf(nsOf) - bareNs;
  console.log(
    `${name.padEnd(56)} ${medianOf(nsOf).toFixed(0).padStart(6)}   over the bare call ${over.toFixed(0).padStart(6)}   (${low.toFixed(0)} to ${high.toFixed(0)})`,
  );
}
const [our, their] = [
  subjects.find(({ side }) => side === 'ours'),
  best(subjects.filter(({ side }) => side === 'peer')),
];
if (our !== undefined && their !== undefined) {
  const isMet = medianOf(our.nsOf) < medianOf(their.nsOf);
  console.log(
    `goal: ${our.name} cheaper than the cheapest of the peers (${their.name}): ${medianOf(our.nsOf).toFixed(0)} against ${medianOf(their.nsOf).toFixed(0)} ns: ${isMet ? 'met' : 'missed'}`,
  );
}
writeResults('circuit', {
  machine,
  versions,
  rounds,
  calls,
  ns: Object.fromEntries(subjects.map(({ name, nsOf }) => [name, nsOf])),
});
for (const { close } of subjects) close?.();
