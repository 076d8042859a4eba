// Hosts that serve several batches: the same results as from new ones, and none where anything differs or went wrong.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TaskId } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endOf, recordBatch, titlesOf } from './recorded-batch.ts';
import type { BatchOptions, RecordedBatch } from './recorded-batch.ts';
import { WarmHosts } from './warm-hosts.ts';

let scratchDir: string;
let warm: WarmHosts;

beforeEach(async () => {
  scratchDir = await mkdtemp(path.join(tmpdir(), 'assay-warm-'));
  warm = new WarmHosts({ waitMs: 60_000 });
});

afterEach(async () => {
  await warm.close('by force');
  expect((await readdir(scratchDir)).filter((name) => name !== 'kept')).toEqual([]);
  await rm(scratchDir, { recursive: true, force: true });
});

const examples = path.resolve(import.meta.dirname, '../../../../examples');
const ofFixtures = ['nested.test.js', 'fails-to-load.test.js', 'hook-fails.test.js', 'scratch.test.js'] as const;
const suites = [
  { runner: 'vitest', of: 'the fixtures', first: ofFixtures, second: ofFixtures.toReversed(), projectDir: undefined },
  {
    runner: 'node:test',
    of: 'the fixtures',
    first: ['nested.test.mjs', 'exits-1.test.mjs'],
    second: ['exits-0.test.mjs', 'fails-to-load.test.mjs', 'nested.test.mjs'],
    projectDir: undefined,
  },
  {
    runner: 'vitest',
    of: 'examples/storefront',
    first: ['test/stock.test.ts', 'test/money.test.ts'],
    second: ['test/cart.test.ts', 'test/rounding.test.ts'],
    projectDir: path.join(examples, 'storefront'),
  },
  {
    runner: 'node:test',
    of: 'examples/tokenizer',
    first: ['test/tokenize.test.js'],
    second: ['test/evaluate.test.js'],
    projectDir: path.join(examples, 'tokenizer'),
  },
] as const;

/** What a batch came to, without its times and places. */
function resultsOf({ byTarget }: RecordedBatch): unknown {
  const withoutTimes = (text: string): string =>
    text.replaceAll(/\d+(\.\d+)?\s?ms/g, 'N ms').replaceAll(/assay-\S+/g, '');
  return Object.values(byTarget).map((record) => ({
    target: record.target,
    end: endOf(record),
    message: withoutTimes(record.outcome?.failure?.message ?? ''),
    counts: record.outcome?.counts,
    titles: titlesOf(record),
    logs: Object.fromEntries(Object.entries(record.logs).map(([name, text]) => [name, withoutTimes(text)])),
  }));
}

const startsOf = ({ byTarget }: RecordedBatch): number =>
  Object.values(byTarget).filter(({ outcome }) => outcome?.startupMs !== undefined).length;

test.each(suites)(
  '$runner, $of: a host that an earlier batch left gives the results of a new one, and starts nothing',
  async ({ runner, first, second, projectDir }) => {
    const where = projectDir === undefined ? {} : { projectDir };
    const earlier = await recordBatch(runner, first, { ...where, warm, scratchDir });
    expect(warm.size).toBe(1);
    const later = await recordBatch(runner, second, { ...where, warm, scratchDir });
    expect([startsOf(earlier), startsOf(later)]).toEqual([1, 0]);
    expect(resultsOf(later)).toEqual(resultsOf(await recordBatch(runner, second, where)));
  },
);

const passes = ['all-skipped.test.js'];

test.each<[string, BatchOptions]>([
  ['another run', { run: 'r-other' }],
  ['another environment', { env: { ...process.env, OF_ANOTHER_MACHINE: '1' } }],
  ['other variables of the suite', { suite: { env: { ANOTHER: '1' } } }],
  ['other arguments for the runner', { suite: { arguments: ['-t', 'value'] } }],
  ['another project', { projectDir: path.join(examples, 'storefront') }],
])('%s: a new host, and the one that waited is ended', async (_what, other) => {
  await recordBatch('vitest', passes, { warm, scratchDir });
  const targets = other.projectDir === undefined ? passes : ['test/money.test.ts'];
  expect(startsOf(await recordBatch('vitest', targets, { warm, scratchDir, ...other }))).toBe(1);
  expect(warm.size).toBe(1);
});

test.each([
  ['dies', ['kills-itself.test.js'], {}],
  ['hangs', ['hangs.test.js'], { timeoutMs: 3_000 }],
  ['leaves a process behind', ['leaves-children.test.js'], {}],
  ['shares its process with the next', ['shared/part-1.test.js'], {}],
  ['is to have a host of its own', passes, { batching: 'single' }],
] as const)('a host is not kept when a file %s', async (_what, targets, suite) => {
  await recordBatch('vitest', targets, { warm, scratchDir, suite });
  expect(warm.size).toBe(0);
});

test('pytest: fixtures of the session are torn down with the batch, so that its host is never kept', async () => {
  await recordBatch('pytest', ['test_outcomes.py'], { warm, scratchDir });
  expect(warm.size).toBe(0);
});

test('a host that has grown beyond what it may is not kept', async () => {
  // Any is larger than this allows: what is tested is that the host says its size, and that the bound is asked.
  const narrow = new WarmHosts({ grownMiBMax: -100_000 });
  await recordBatch('vitest', passes, { warm: narrow, scratchDir });
  expect(narrow.size).toBe(0);
});

test('a host that is killed while it waits costs its start, and no result', async () => {
  await recordBatch('vitest', passes, { warm, scratchDir });
  for (const pid of await hostsIn(scratchDir)) process.kill(pid, 'SIGKILL');
  const later = await recordBatch('vitest', passes, { warm, scratchDir });
  expect(endOf(later.byTarget['all-skipped.test.js'])).toBe('skipped');
});

test('what has not started can be taken back from a host that was kept, which serves another batch after it', async () => {
  await recordBatch('vitest', passes, { warm, scratchDir });
  const targets = ['scratch.test.js', 'scratch-too.test.js', 'nested.test.js'];
  const thinned = await recordBatch('vitest', targets, {
    warm,
    scratchDir,
    steer: (batch, started) => {
      const refs = [1, 2].map((index) => ({ task: `r-test.${index}` as TaskId, attempt: 1 }));
      if (started?.target === 'scratch.test.js') batch.withdraw(refs);
    },
  });
  expect(targets.map((target) => endOf(thinned.byTarget[target]))).toEqual([
    'passed',
    'returned takenBack',
    'returned takenBack',
  ]);
  expect(warm.size).toBe(1);
  expect(startsOf(await recordBatch('vitest', passes, { warm, scratchDir }))).toBe(0);
});

test('a host that no batch wants ends by itself', async () => {
  const impatient = new WarmHosts({ waitMs: 50 });
  await recordBatch('vitest', passes, { warm: impatient, scratchDir });
  await expect.poll(async () => (await hostsIn(scratchDir)).length, { timeout: 20_000 }).toBe(0);
  expect(impatient.size).toBe(0);
  await impatient.close('politely');
});

test('a host ends before the directory that it works in is removed', async () => {
  await recordBatch('vitest', ['test/money.test.ts'], {
    warm,
    scratchDir,
    projectDir: path.join(examples, 'storefront'),
  });
  await warm.closeUnder('/elsewhere');
  expect(warm.size).toBe(1);
  await warm.closeUnder(examples);
  expect([warm.size, await hostsIn(scratchDir)]).toEqual([0, []]);
});

/** Running processes whose temporary files are below a directory (Linux). */
async function hostsIn(directory: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (environment.includes(`TMPDIR=${directory}/`)) found.push(Number(name));
  }
  return found;
}
