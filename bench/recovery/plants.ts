// Many plants over a few threads; the counts of each kind, in the order of the seeds.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import {
  addCounts,
  emptyCounts,
  type Counts,
  type PlantKind,
  type Score,
} from '../../packages/simulator/src/planted/index.ts';

export type PlantFigures = {
  readonly kind: PlantKind;
  readonly seeds: number;
  readonly counts: Counts;
  readonly blackHoleTasks: number[];
  /** The first seeds in which something was wrong, and what. */
  readonly faults: { seed: number; fault: string }[];
};

const faultsKept = 200;

export async function runPlants(kinds: readonly PlantKind[], from: number, to: number): Promise<PlantFigures[]> {
  const orders = kinds.flatMap((kind) => Array.from({ length: to - from + 1 }, (_, at) => ({ seed: from + at, kind })));
  const scores: { seed: number; kind: PlantKind; score: Score }[] = [];
  let next = 0;
  const lane = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('plants-thread.ts', import.meta.url), { name: 'plants' });
      const feed = (): void => {
        const order = orders[next++];
        if (order !== undefined) worker.postMessage(order);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('message', (scored: { seed: number; kind: PlantKind; score: Score }) => {
        scores.push(scored);
        feed();
      });
      worker.on('error', reject);
      feed();
    });
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
  scores.sort((a, b) => a.seed - b.seed);
  return kinds.map((kind) =>
    sumOf(
      kind,
      scores.filter((scored) => scored.kind === kind),
    ),
  );
}

function sumOf(kind: PlantKind, scores: readonly { seed: number; score: Score }[]): PlantFigures {
  const counts = emptyCounts();
  for (const { score } of scores) addCounts(counts, score);
  return {
    kind,
    seeds: scores.length,
    counts,
    blackHoleTasks: scores.flatMap(({ score }) => score.blackHoleTasks),
    faults: scores.flatMap(({ seed, score }) => score.faults.map((fault) => ({ seed, fault }))).slice(0, faultsKept),
  };
}
