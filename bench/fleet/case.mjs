// One test of bench/fleet: it takes as long as its target says on the kind of machine that this one is declared to be
// (BENCH_DECLARED_KIND), and fails on a kind that it must not run on. Waiting, not computing, so that eight workers on two processors
// do not disturb each other.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const target = process.argv[2];
const kind = process.env.BENCH_DECLARED_KIND;
const test = JSON.parse(readFileSync(join(import.meta.dirname, 'tests.json'), 'utf8'))[target];
const ms = test?.[kind];
if (typeof ms !== 'number') {
  console.error(`${target} must not run on ${kind}`);
  process.exit(1);
}
await new Promise((resolve) => setTimeout(resolve, ms));
