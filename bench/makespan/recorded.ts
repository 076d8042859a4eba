// Workloads from times that were recorded (recorded/*.json, made by record.ts) on fleets that were not: the files' times on one
// machine are real, and those on other classes are that time over the class's speed, with a drawn affinity of file and class.
// What always holds: the first class of every such fleet is the machine of the recording.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomOf } from '../../packages/simulator/src/sim/random.ts';
import { logNormal } from '../draw.ts';
import type { Workload } from './workload.ts';

export type Recording = {
  readonly name: string;
  readonly about: string;
  readonly recordedOn: string;
  readonly machine: string;
  /** Of a start of the runner, median. */
  readonly startupMs: number;
  /** Target and milliseconds, start-up apart. */
  readonly tests: readonly (readonly [string, number])[];
};

type FleetShape = {
  readonly about: string;
  readonly classes: readonly { workers: number; slowness: number }[];
  readonly oddShare: number;
};

/** Fleets as teams have them. `oddShare` of the files differ up to 1,000-fold between classes, the rest by a tenth or so. */
const shapes: readonly FleetShape[] = [
  { about: '4 equal workers', classes: [{ workers: 4, slowness: 1 }], oddShare: 0 },
  { about: '8 equal workers', classes: [{ workers: 8, slowness: 1 }], oddShare: 0 },
  {
    about: '4 workers, 2 slower, 2 much slower',
    classes: [
      { workers: 4, slowness: 1 },
      { workers: 2, slowness: 2 },
      { workers: 2, slowness: 6 },
    ],
    oddShare: 0,
  },
  {
    about: '6 workers of 3 kinds, a tenth of the files odd',
    classes: [
      { workers: 2, slowness: 1 },
      { workers: 2, slowness: 0.7 },
      { workers: 2, slowness: 3 },
    ],
    oddShare: 0.1,
  },
];

const directory = join(import.meta.dirname, 'recorded');

export function readRecordings(): Recording[] {
  const names = readdirSync(directory).toSorted((a, b) => (a < b ? -1 : 1));
  return names.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Recording);
}

export function recordedWorkloads(): Workload[] {
  return readRecordings().flatMap((recording, at) =>
    shapes.map((shape, number) => workloadOf(recording, shape, 1_000 * (at + 1) + number)),
  );
}

function workloadOf({ name, startupMs, tests }: Recording, shape: FleetShape, seed: number): Workload {
  const random = randomOf(seed, 'recorded');
  const classes = shape.classes.map(({ workers }, at) => ({ name: `kind${at}`, workers, slots: 1 }));
  return {
    name: `${name} (${tests.length} files), ${shape.about}`,
    seed,
    kind: 'recorded',
    classes,
    suites: [{ name: 'suite', batching: 'shared', classes: classes.map((_, at) => at) }],
    tests: tests.map(([target, ms]) => {
      const isOdd = random.chance(shape.oddShare);
      const usualMs = shape.classes.map(({ slowness }, at) => {
        if (at === 0) return ms;
        const affinity = isOdd ? 1_000 ** (random.real() - 0.5) : logNormal(random, 1, 0.1);
        return Math.max(1, Math.round(ms * slowness * affinity));
      });
      return { target, suite: 0, usualMs };
    }),
    startupMs,
  };
}
