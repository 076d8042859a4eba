// The suites of the overhead benchmark: two real ones that we did not write, and a generated one whose files' durations are drawn.
// Each says how its runner runs it alone on two processors, and what to tell `assay run` to run the same files.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { outputOf, unpackPackage } from '../../packages/cli/src/system/foreign-suites.ts';
import type { Command } from './process.ts';

export type Suite = {
  name: string;
  about: string;
  /** What it is compared with, in words. */
  against: string;
  files: number;
  directory: string;
  /** Alone: one command, or several at the same time. */
  alone: readonly Command[];
  /** After `--`: the usual command of the project. */
  usual: readonly string[];
  env: Record<string, string>;
  /** Cases that the runner alone counts as passed, from what it printed. */
  passedIn(stdout: string): number;
};

const root = join(import.meta.dirname, '../..');
const vitestBin = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const vitest = (directory: string, args: string[]): Command => ({
  command: process.execPath,
  args: [vitestBin, 'run', '--root', directory, '--reporter=dot', ...args],
  cwd: directory,
  env: { NO_COLOR: '1' },
});

function vitestPassed(stdout: string): number {
  const found = [...stdout.matchAll(/^\s*Tests .*?(\d+) passed/gm)];
  return found.reduce((sum, match) => sum + Number(match[1]), 0);
}

export async function zodSuite(): Promise<Suite> {
  const directory = await unpackPackage('zod', '4.6.7');
  return {
    name: 'vitest',
    about: "zod 4.6.7's own tests from its npm package",
    against: 'vitest with two workers',
    files: globSync('src/**/*.test.ts', { cwd: directory }).length,
    directory,
    alone: [vitest(directory, ['--maxWorkers=2'])],
    usual: ['npx', 'vitest', 'run'],
    env: {},
    passedIn: vitestPassed,
  };
}

/** Every second test file of networkx as Debian installs it, in order of name: enough files, in less time. */
export async function networkxSuite(): Promise<Suite | string> {
  const directory = '/usr/lib/python3/dist-packages';
  const files = globSync('networkx/**/test_*.py', { cwd: directory })
    .sort()
    .filter((_, index) => index % 2 === 0);
  if (files.length === 0) return "networkx's tests are not installed (Debian: python3-networkx)";
  const versions = await outputOf(
    '/usr/bin/python3',
    ['-c', 'import networkx, pytest, xdist; print(networkx.__version__, pytest.__version__, xdist.__version__)'],
    '/',
  );
  const [networkx, pytest, xdist] = versions.trim().split(' ');
  if (xdist === undefined) return 'pytest-xdist is not installed (Debian: python3-pytest-xdist)';
  const options = ['-q', '-p', 'no:cacheprovider'];
  return {
    name: 'pytest',
    about: `every second test file of networkx ${networkx}, pytest ${pytest}`,
    against: `pytest-xdist ${xdist}, -n 2`,
    files: files.length,
    directory,
    alone: [{ command: '/usr/bin/python3', args: ['-m', 'pytest', ...options, '-n', '2', ...files], cwd: directory }],
    usual: ['python3', '-m', 'pytest', ...options, ...files],
    env: { PATH: `/usr/bin:${process.env['PATH'] ?? ''}` },
    passedIn: (stdout) => Number(/(\d+) passed/.exec(stdout.trimEnd().split('\n').at(-1) ?? '')?.[1] ?? Number.NaN),
  };
}

/** Shortest file, heaviness of the tail (Pareto), and longest file of the generated suite. */
const skew = { files: 120, shortestMs: 20, alpha: 0.6, longestMs: 10_000 };
/** A draw is skewed when the heavier of its two static shards has so many times the work of the lighter. */
const unevenFrom = 2;

const fileName = (index: number): string => `file-${String(index).padStart(3, '0')}.test.js`;

function drawMs(seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: skew.files }, () =>
    Math.round(Math.min(skew.longestMs, skew.shortestMs / (1 - random()) ** (1 / skew.alpha))),
  );
}

/** The work of the two halves that vitest's --shard makes: files in the order of the SHA-1 of their path, cut in the middle. */
function shardMs(drawn: readonly number[]): [number, number] {
  const order = drawn
    .map((ms, index) => ({
      ms,
      hash: createHash('sha1')
        .update(`/${fileName(index)}`)
        .digest('hex'),
    }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const sum = (part: typeof order): number => part.reduce((total, { ms }) => total + ms, 0);
  const middle = Math.ceil(order.length / 2);
  return [sum(order.slice(0, middle)), sum(order.slice(middle))];
}

/** The first seeds, counted from 1, whose draws are skewed: on the others static shards happen to be nearly even, and nobody gains. */
export function skewedSeeds(count: number): number[] {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < count; seed++) {
    const halves = shardMs(drawMs(seed));
    if (Math.max(...halves) >= unevenFrom * Math.min(...halves)) seeds.push(seed);
  }
  return seeds;
}

/** A vitest suite whose files keep a processor busy for drawn times: Pareto, so that a few files are most of it. */
export function skewedSuite(seed: number): Suite {
  const directory = join(root, '.assay/bench', `skewed-${seed}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "name": "skewed", "private": true, "type": "module" }\n');
  const drawn = drawMs(seed);
  const halves = shardMs(drawn);
  const totalMs = halves[0] + halves[1];
  for (const [index, ms] of drawn.entries()) {
    const text = `import { test } from 'vitest';\ntest('is busy for ${ms} ms', () => {\n  const until = performance.now() + ${ms};\n  while (performance.now() < until);\n}, 60_000);\n`;
    writeFileSync(join(directory, fileName(index)), text);
  }
  return {
    name: `skewed-${seed}`,
    about: `generated: ${skew.files} files, Pareto (alpha ${skew.alpha}, ${skew.shortestMs} to ${skew.longestMs} ms), seed ${seed}, ${(totalMs / 1_000).toFixed(1)} s of work, shards of ${halves.map((ms) => (ms / 1_000).toFixed(1)).join(' and ')} s: evenly spread it would be ${(totalMs / 2 / Math.max(...halves)).toFixed(2)} of the heavier`,
    against: 'vitest --shard 1/2 and 2/2 at the same time, one worker each',
    files: skew.files,
    directory,
    alone: [1, 2].map((part) => vitest(directory, ['--maxWorkers=1', `--shard=${part}/2`])),
    usual: ['npx', 'vitest', 'run'],
    env: {},
    passedIn: vitestPassed,
  };
}

/** mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
