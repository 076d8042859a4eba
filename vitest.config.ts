// What `npm test` runs, in two projects, so that the fast half can be run alone:
//   unit  everything that stays inside one process (and short-lived children), in parallel;
//   real  tests that start real coordinators, workers and runners. They compete for the same cores, so at most
//         two files run at once and the time-outs are generous: a slow machine must not look like a bug.
// A file belongs to exactly one of the two, by its name alone.
import { defineConfig } from 'vitest/config';

const real = [
  'packages/**/*.real.test.ts',
  'integrations/**/*.real.test.ts',
  'bench/**/*.real.test.ts',
  'scripts/**/*.real.test.ts',
];
const never = ['**/node_modules/**', '**/fixtures/**', 'examples/**', '.assay/**'];

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          // Not 0: vitest puts a group 0 with one worker after all others.
          sequence: { groupOrder: 1 },
          maxWorkers: '100%',
          include: ['packages/**/*.test.ts', 'integrations/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...never, ...real],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'real',
          // After the unit tests, and never beside them.
          sequence: { groupOrder: 2 },
          include: real,
          exclude: never,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
