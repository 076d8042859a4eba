// Where the built dashboard is, for who serves it.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const dist = resolve(import.meta.dirname, '..', 'dist');

/** The folder of the built files, or undefined where they were not built yet (any `npm` script of the root builds them). */
export function dashboardDir(): string | undefined {
  return existsSync(resolve(dist, 'index.html')) ? dist : undefined;
}
