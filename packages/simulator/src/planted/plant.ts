// What a seed plants: a fleet, its work, what is wrong with them, and so what ought to be found. Everything is drawn before the
// first moment; the truth is kept apart from the engine, which sees only what workers report.
// What always holds: the same seed of the same kind is the same plant; in every plant some tests are broken and some flaky,
// so that finding trouble everywhere is as wrong as finding none.
import type { Profile } from '@assay/protocol';
import { randomOf, type Random } from '../sim/random.ts';

export const plantKinds = [
  'sound',
  'bad devices',
  'bad driver',
  'black holes',
  'poison tests',
  'flapping links',
  'dependency down',
] as const;
export type PlantKind = (typeof plantKinds)[number];

export type PlantedClass = { readonly name: string; readonly profile: Profile };
export type PlantedWorker = {
  readonly name: string;
  readonly class: number;
  /** Has a check of its device, which tells a bad one. */
  readonly hasCheck: boolean;
};

export type PlantedTest = {
  readonly target: string;
  readonly suite: 'gpu' | 'cpu' | 'service';
  readonly durationMs: number;
  /** Fails by itself: always, or in this share of its attempts. */
  readonly ownFailures: number;
};

/** How a bad device or driver shows: in this share of the attempts that use it, and in this share of those as a wrong result only. */
export type Badness = { readonly failShare: number; readonly wrongResultShare: number };

export type Truth = {
  readonly badDevices: ReadonlyMap<string, Badness>;
  readonly badDriver: { readonly class: number; readonly badness: Badness } | null;
  readonly blackHoles: ReadonlySet<string>;
  readonly poison: ReadonlySet<string>;
  readonly flapping: ReadonlySet<string>;
  readonly down: { readonly fromMs: number; readonly untilMs: number } | null;
};

export type Plant = {
  readonly seed: number;
  readonly kind: PlantKind;
  readonly classes: readonly PlantedClass[];
  readonly workers: readonly PlantedWorker[];
  readonly tests: readonly PlantedTest[];
  /** The same tests, submitted so many times one after another. */
  readonly runs: number;
  readonly truth: Truth;
};

export const dependency = 'database';

export function drawPlant(seed: number, kind: PlantKind): Plant {
  const random = randomOf(seed, `plant ${kind}`);
  const classes = Array.from({ length: random.int(2, 4) }, (_, at) => drawClass(at));
  const workers = classes.flatMap((_, at) =>
    Array.from({ length: random.int(2, 6) }, (_worker, number): PlantedWorker => {
      return { name: `w-${at}-${number}`, class: at, hasCheck: random.chance(0.5) };
    }),
  );
  const tests = drawTests(random, workers.length);
  const truth = drawTruth(random, kind, classes, workers, tests);
  return { seed, kind, classes, workers, tests, runs: 3, truth };
}

function drawClass(at: number): PlantedClass {
  const name = `kind${at}`;
  return {
    name,
    profile: {
      os: { family: 'linux', arch: 'x64' },
      cpu: { count: 4 * (1 + at), isa: ['sse3', 'avx2'] },
      memory: { totalMiB: 16_384 },
      gpus: [
        {
          vendor: 'nvidia',
          model: `Model ${at}`,
          memoryMiB: 16_384,
          driver: `55${at}.10`,
          via: 'simulated',
          pciId: `10de:200${at}`,
        },
      ],
      runtimes: { node: { version: '24.0.0', major: 24, minor: 0 } },
      runners: { command: { version: '1', runtime: 'command' } },
      browsers: [],
      drivers: {},
      unknown: [],
    },
  };
}

function drawTests(random: Random, workers: number): PlantedTest[] {
  const suites = ['gpu', 'gpu', 'cpu', 'service'] as const;
  return Array.from({ length: workers * random.int(8, 14) }, (_, index): PlantedTest => {
    const luck = random.real();
    const ownFailures = luck < 0.03 ? 1 : luck < 0.06 ? 0.2 + 0.4 * random.real() : 0;
    return {
      target: `t${index}.test`,
      suite: random.pick(suites),
      durationMs: random.skewed(500, 20_000),
      ownFailures,
    };
  });
}

function drawTruth(
  random: Random,
  kind: PlantKind,
  classes: readonly PlantedClass[],
  workers: readonly PlantedWorker[],
  tests: readonly PlantedTest[],
): Truth {
  const some = (most: number): string[] => {
    const count = random.int(1, Math.max(1, Math.min(most, Math.floor(workers.length / 4))));
    return pickSome(
      random,
      workers.map(({ name }) => name),
      count,
    );
  };
  const badness = (): Badness => ({
    failShare: 0.6 + 0.4 * random.real(),
    wrongResultShare: random.pick([0, 0.3, 1]),
  });
  const isKind = (wanted: PlantKind): boolean => kind === wanted;
  return {
    badDevices: new Map(isKind('bad devices') ? some(3).map((name) => [name, badness()]) : []),
    badDriver: isKind('bad driver') ? { class: random.int(0, classes.length - 1), badness: badness() } : null,
    blackHoles: new Set(isKind('black holes') ? some(2) : []),
    poison: new Set(
      isKind('poison tests')
        ? pickSome(
            random,
            tests.map(({ target }) => target),
            random.int(1, 2),
          )
        : [],
    ),
    flapping: new Set(isKind('flapping links') ? some(3) : []),
    down: isKind('dependency down') ? drawDown(random) : null,
  };
}

function drawDown(random: Random): { fromMs: number; untilMs: number } {
  const fromMs = random.int(2_000, 30_000);
  return { fromMs, untilMs: fromMs + random.int(10_000, 90_000) };
}

function pickSome(random: Random, names: readonly string[], count: number): string[] {
  const left = [...names];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(random.int(0, left.length - 1), 1)[0]!);
}
