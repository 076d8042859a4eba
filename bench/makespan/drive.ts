// One workload through the real engine in virtual time: workers that join with profiles of their classes, earlier runs from
// which the engine learns what it can see, and the run that is measured. Only the engine decides; the workers here only take
// the time that the workload says.
import type { EngineConfig } from '../../packages/core/src/index.ts';
import { Fleet, type FleetResult, type FleetWorker } from '../../packages/core/src/testing/fleet.ts';
import { profileOf, suiteOf, type Lab } from '../../packages/core/src/testing/lab.ts';
import { drawRunMs, type Workload } from './workload.ts';

/**
 * What the engine knows before the measured run. none: nothing. own: it placed the same tests in `earlierRuns` runs. matrix: each
 * class did each test that fits it once, as nightly matrices do.
 */
export type History = 'none' | 'own' | 'matrix';
export const histories: readonly History[] = ['matrix', 'own', 'none'];

export const earlierRuns = 4;

export type Driven = FleetResult & {
  /** By test and class, what the measured run's times were. */
  readonly runMs: readonly (readonly number[])[];
  /** Busiest less idlest of equal workers, in shares of the makespan: the worst class. */
  readonly spread: number;
};

export type DriveOptions = {
  readonly history: History;
  /** How much a time differs from run to run: the standard deviation of its logarithm. */
  readonly noise: number;
  readonly config?: Partial<EngineConfig>;
};

type Submission = Parameters<Lab['submit']>;

export function drive(workload: Workload, options: DriveOptions): Driven {
  const classOf = new Map<string, number>();
  const workers = workload.classes.flatMap((_, at) => workersOf(workload, at, classOf));
  const indexOf = new Map(workload.tests.map(({ target }, index) => [target, index]));
  let runMs = drawRunMs(workload, 'first', options.noise);
  const fleet = new Fleet({
    workers,
    slots: 1,
    startupMs: workload.startupMs,
    realMs: (target, worker) => {
      const ms = runMs[indexOf.get(target)!]![classOf.get(worker)!]!;
      if (!Number.isFinite(ms)) throw new Error(`${target} was placed on ${worker}, where it does not fit`);
      return ms;
    },
    ...(options.config === undefined ? {} : { config: options.config }),
  });
  const earlier = earlierSubmissions(workload, options.history);
  for (const [number, submission] of earlier.entries()) {
    runMs = drawRunMs(workload, `earlier ${number}`, options.noise);
    fleet.run(...submission);
  }
  runMs = drawRunMs(workload, 'measured', options.noise);
  const result = fleet.run(...submissionOf(workload, null));
  return { ...result, runMs, spread: spreadOf(workload, result) };
}

function workersOf(workload: Workload, at: number, classOf: Map<string, number>): FleetWorker[] {
  const { name: kind, workers, slots } = workload.classes[at]!;
  const profile = profileOf({
    cpu: { count: 4 + at, model: `Model ${kind}`, isa: ['avx', 'avx2', 'sse3'] },
    memory: { totalMiB: 8_192 * (1 + at) },
    gpus: at % 2 === 1 ? [{ vendor: 'nvidia', model: `GPU ${kind}`, memoryMiB: 8_192, via: 'nvidia-smi' }] : [],
  });
  return Array.from({ length: workers }, (_, number) => {
    const name = `${kind}-${String(number).padStart(2, '0')}`;
    classOf.set(name, at);
    return { name, hello: { slots, profile, profileDigest: `profile-${kind}`, declared: { kind } } };
  });
}

function earlierSubmissions(workload: Workload, history: History): Submission[] {
  if (history === 'own') return Array.from({ length: earlierRuns }, () => submissionOf(workload, null));
  if (history === 'matrix') return workload.classes.map((_, at) => submissionOf(workload, at));
  return [];
}

/** The whole workload, or as much of it as fits one class, bound to that class. */
function submissionOf(workload: Workload, only: number | null): Submission {
  const suites = workload.suites.map(({ name, batching, classes }) =>
    suiteOf({
      name,
      batching,
      timeoutMs: 7 * 86_400_000,
      requires: requirementOf(workload, only === null ? classes : [only]),
    }),
  );
  const tests = workload.tests.filter(({ suite }) => only === null || workload.suites[suite]!.classes.includes(only));
  return [tests.map(({ suite, target }) => ({ suite, target })), { suites }];
}

function requirementOf({ classes }: Workload, fitting: readonly number[]): string {
  if (fitting.length === classes.length) return '';
  return `declared.kind in ${JSON.stringify(fitting.map((at) => classes[at]!.name))}`;
}

function spreadOf(workload: Workload, { busyMs, makespanMs }: FleetResult): number {
  let worst = 0;
  for (const { name, workers, slots } of workload.classes) {
    const shares = Array.from(
      { length: workers },
      (_, number) => (busyMs.get(`${name}-${String(number).padStart(2, '0')}`) ?? 0) / (slots * makespanMs),
    );
    worst = Math.max(worst, Math.max(...shares) - Math.min(...shares));
  }
  return worst;
}
