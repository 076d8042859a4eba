import { expect, test } from 'vitest';
import { equalWorkers } from './fleet.ts';

test.each([
  [null, 2, 2, 1],
  [null, 64, 8, 8],
  [3, 2, 3, 1],
  [2, 8, 2, 4],
  [1, 1, 1, 1],
])('%s workers asked for on %i processors: %i workers of %i slots', (count, processors, workers, slots) => {
  const list = equalWorkers(count, processors);
  expect(list).toHaveLength(workers);
  expect(list.every((worker) => worker.slots === slots)).toBe(true);
  expect(new Set(list.map(({ name }) => name)).size).toBe(workers);
});
