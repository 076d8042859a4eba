// What a drill is going to do, drawn from its seed before anything starts, so that it can be printed first and repeated.
// What always holds: equal wishes give equal plans; a plan without a fault that opens a circuit gets one more step that does,
// and says so; a fault that cannot be done here is never replaced by another without a word.
import { AssayError } from '@assay/protocol';
import { type Family, families, type Fault } from './faults/fault.ts';
import { allFaults, faultOf, opensCircuit } from './faults/registry.ts';
import { type Random, randomOf } from './random.ts';
import type { Scenario } from './scenario.ts';

export type Wish = {
  readonly seed: number;
  readonly workers: number;
  /** Ordinary tasks, which pass; faults bring their own on top. */
  readonly tasks: number;
  /** How many faults are drawn; null: as many as `faults` names, or five. */
  readonly failures: number | null;
  /** Exactly so many of them are faults of a worker; null: as they are drawn. */
  readonly workerFailures: number | null;
  /** Ids and families that may be drawn; null is every fault. */
  readonly faults: readonly string[] | null;
  /** Instead of a drawing: these, in this order. */
  readonly scenario?: Scenario;
  /** Goes on with further faults, drawn in the same way, until so much time has passed since the first. */
  readonly durationMs?: number;
  /** Faults of real browsers are wanted. */
  readonly withBrowsers?: boolean;
};

export type Step = {
  /** From 1. */
  readonly number: number;
  readonly fault: Fault;
  /** The worker that it is done to; null for those of the coordinator, the service and tests. */
  readonly worker: string | null;
  /** Ordinary tasks given out with it. */
  readonly tasks: number;
};

export type Plan = {
  readonly seed: number;
  readonly workers: readonly string[];
  readonly tasks: number;
  /** Whether its faults were asked for by name. */
  readonly isNamed: boolean;
  readonly steps: readonly Step[];
  /** What follows while there is time: as many of them as fit. */
  readonly further: readonly Step[];
  readonly durationMs: number | null;
  readonly withBrowsers: boolean;
  /** What the wish did not name and the plan has all the same, and what it named and cannot be done here; in words. */
  readonly notes: readonly string[];
  /** Faults of the wish that cannot be done on this machine. */
  readonly notHere: readonly { readonly fault: string; readonly why: string }[];
};

const failuresUsually = 5;
const furtherMax = 10_000;
const furtherShown = 12;
/** What opens a circuit soonest, wherever a drill runs. */
const surest = 'dependency-down';

export function drawPlan(wish: Wish): Plan {
  const { seed, scenario } = wish;
  const named = scenario?.steps.flatMap(({ fault }) => faultsNamed(fault)) ?? wish.faults?.flatMap(faultsNamed);
  const candidates = named ?? allFaults;
  const notHere = candidates.flatMap((fault) => {
    const why = fault.whyNot?.() ?? null;
    return why === null ? [] : [{ fault: fault.id, why }];
  });
  const possible = candidates.filter(({ id }) => !notHere.some(({ fault }) => fault === id));
  const wanted = wish.failures ?? (named === undefined ? failuresUsually : possible.length);
  const chosen = scenario === undefined ? choose(possible, wanted, wish) : [...possible];
  const notes = withCircuit(chosen);
  const workers = Array.from({ length: scenario?.workers ?? wish.workers }, (_, index) => `worker-${index + 1}`);
  const target = targets(workers, seed);
  const shares = sharesOf(wish.tasks, chosen.length);
  const said = scenario?.steps.filter(({ fault }) => possible.some(({ id }) => id === fault)) ?? [];
  const steps = chosen.map((fault, index) => ({
    number: index + 1,
    fault,
    worker: target(fault, said[index]?.worker),
    tasks: said[index]?.tasks ?? shares[index] ?? 0,
  }));
  const share = Math.max(1, shares.at(-1) ?? 0);
  const further = wish.durationMs === undefined ? [] : furtherOf(possible, seed);
  return {
    seed,
    workers,
    tasks: steps.reduce((sum, { tasks }) => sum + tasks, 0),
    isNamed: named !== undefined,
    steps,
    further: further.map((fault, index) => ({
      number: steps.length + index + 1,
      fault,
      worker: target(fault),
      tasks: share,
    })),
    durationMs: wish.durationMs ?? null,
    withBrowsers: wish.withBrowsers === true,
    notes,
    notHere,
  };
}

/** Adds one that opens a circuit where none does; what is to be said of it. */
function withCircuit(chosen: Fault[]): string[] {
  const more = faultOf(surest);
  if (chosen.some(opensCircuit) || more === undefined) return [];
  chosen.push(more);
  return [`${surest} was added: none of the others opens a circuit, and a drill in which nothing opens proves little`];
}

/** Whom a fault is done to: who was asked for, or one drawn. */
function targets(workers: readonly string[], seed: number) {
  const luck = randomOf(seed, 'targets');
  return (fault: Fault, asked?: string): string | null => {
    const lucky = workers[luck.below(workers.length)] ?? null;
    if (!hasTarget(fault)) return null;
    if (asked !== undefined && !workers.includes(asked))
      throw new AssayError('USAGE', `There is no ${asked}: the workers are ${workers.join(', ')}.`);
    return asked ?? lucky;
  };
}

/** More than fit in a day, in rounds: every fault once in each. */
function furtherOf(possible: readonly Fault[], seed: number): Fault[] {
  const luck = randomOf(seed, 'further');
  const list: Fault[] = [];
  while (list.length < furtherMax) list.push(...inTurn(possible, luck));
  return list.slice(0, furtherMax);
}

function faultsNamed(name: string): Fault[] {
  const one = faultOf(name);
  if (one !== undefined) return [one];
  if (name === 'all') return [...allFaults];
  const family = allFaults.filter((fault) => fault.family === name);
  if (family.length > 0) return family;
  const known = [...families, ...allFaults.map(({ id }) => id)].join(', ');
  throw new AssayError('USAGE', `No fault and no family of faults is called "${name}". There are: ${known}, all.`);
}

/** Draws so many, each once before any comes again, families in turn, with as many of workers as were asked for. */
function choose(possible: readonly Fault[], wanted: number, { seed, workerFailures, faults }: Wish): Fault[] {
  if (possible.length === 0) throw new AssayError('USAGE', 'None of the faults can be done on this machine.');
  const luck = randomOf(seed, 'faults');
  if (workerFailures === null) return luck.shuffled(drawn(possible, wanted, luck, faults === null));
  if (workerFailures > wanted)
    throw new AssayError('USAGE', `${workerFailures} faults of workers are more than ${wanted} faults in all.`);
  const isOfWorker = ({ family }: Fault): boolean => family === 'worker';
  const ofWorkers = possible.filter(isOfWorker);
  const others = possible.filter((fault) => !isOfWorker(fault));
  const rest = wanted - workerFailures;
  if ((workerFailures > 0 && ofWorkers.length === 0) || (rest > 0 && others.length === 0))
    throw new AssayError(
      'USAGE',
      'The faults that may be drawn do not allow that many, and only that many, of workers.',
    );
  return luck.shuffled([
    ...drawn(ofWorkers, workerFailures, luck, false),
    ...drawn(others, rest, luck, faults === null),
  ]);
}

function drawn(from: readonly Fault[], wanted: number, luck: Random, withCircuit: boolean): Fault[] {
  const list: Fault[] = [];
  while (list.length < wanted && from.length > 0) list.push(...inTurn(from, luck));
  const kept = list.slice(0, wanted);
  const opener = list.find(opensCircuit);
  if (withCircuit && kept.length > 1 && opener !== undefined && !kept.some(opensCircuit))
    kept[kept.length - 1] = opener;
  return kept;
}

/** All of them in an order in which the families take turns. */
function inTurn(from: readonly Fault[], luck: Random): Fault[] {
  const queues = new Map<Family, Fault[]>();
  for (const fault of luck.shuffled(from)) queues.set(fault.family, [...(queues.get(fault.family) ?? []), fault]);
  const order: Fault[] = [];
  const turns = luck.shuffled([...queues.values()]);
  while (order.length < from.length)
    for (const queue of turns) {
      const next = queue.shift();
      if (next !== undefined) order.push(next);
    }
  return order;
}

const hasTarget = ({ family }: Fault): boolean => family === 'worker' || family === 'link' || family === 'device';

function sharesOf(tasks: number, steps: number): number[] {
  const share = Math.floor(tasks / Math.max(1, steps));
  return Array.from({ length: steps }, (_, index) => share + (index < tasks - share * steps ? 1 : 0));
}

/** The plan in words, a line each. */
export function sayPlan({ seed, workers, tasks, steps, further, durationMs, notes, notHere }: Plan): string[] {
  return [
    `seed ${seed}: ${workers.length} workers, ${tasks} ordinary tasks, ${steps.length} faults`,
    ...steps.map(
      ({ number, fault, worker }) =>
        `${String(number).padStart(3)}. ${fault.id.padEnd(20)} ${worker === null ? '' : `${worker}: `}${fault.title}`,
    ),
    ...(durationMs === null
      ? []
      : [
          `then, until ${Math.round(durationMs / 1_000)} s have passed: ${further
            .slice(0, furtherShown)
            .map(({ fault, worker }) => (worker === null ? fault.id : `${fault.id} (${worker})`))
            .join(', ')} and so on`,
        ]),
    ...notes,
    ...notHere.map(({ fault, why }) => `${fault} cannot be done here: ${why}`),
  ];
}
