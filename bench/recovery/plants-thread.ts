// Plants one seed after another, as told, and sends back what the story scores.
import { parentPort } from 'node:worker_threads';
import { drawPlant, PlantedFleet, scoreOf, type PlantKind } from '../../packages/simulator/src/planted/index.ts';

if (parentPort === null) throw new Error('plants-thread.ts runs as a worker thread');
const port = parentPort;
port.on('message', ({ seed, kind }: { seed: number; kind: PlantKind }) => {
  const plant = drawPlant(seed, kind);
  new PlantedFleet(plant).tell().then(
    (story) => port.postMessage({ seed, kind, score: scoreOf(plant, story) }),
    (error: unknown) => {
      throw new Error(`seed ${seed} of ${kind}`, { cause: error });
    },
  );
});
