// A coordinator that is stopped while its results are far behind, as a real process over a journal that no results store has seen.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { Health, RunList } from '@assay/protocol';
import { openDuckDbResultStore } from './adapters/results-duckdb/store.ts';
import { writeLongJournal } from './testing/long-journal.ts';

const program = fileURLToPath(new URL('testing/serve.ts', import.meta.url));
const runs = 40_000;
const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Running = { child: ChildProcess; api: string; log: string[]; exit: Promise<unknown[]> };

async function start(place: string): Promise<Running> {
  const child = spawn(process.execPath, [program, place], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exit.then(() => null)]);
  if (first === null) throw new Error(`the coordinator did not start:\n${log.join('\n')}`);
  return { child, api: `${(JSON.parse(first[0] as string) as { url: string }).url}/api/v1`, log, exit };
}

async function health(api: string): Promise<Health> {
  return Health.parse(await (await fetch(`${api}/health`)).json());
}

async function storedRuns(api: string): Promise<string[]> {
  const names: string[] = [];
  for (let before: string | null = ''; before !== null;) {
    const response = await fetch(`${api}/runs?limit=1000${before === '' ? '' : `&before=${before}`}`);
    const page: RunList = RunList.parse(await response.json());
    names.push(...page.runs.map(({ run }) => run));
    before = page.next;
  }
  return names;
}

test('stopped with tens of thousands of entries behind and questions under way, it ends well and soon, and the next start has every row', async () => {
  const place = mkdtempSync(join(tmpdir(), 'assay-stop-'));
  cleanups.push(() => rmSync(place, { recursive: true, force: true }));
  const lastSeq = await writeLongJournal(place, runs);

  const first = await start(place);
  const asked = Array.from({ length: 20 }, () => fetch(`${first.api}/runs?limit=1000`).catch(() => null));
  const stoppedMs = performance.now();
  first.child.kill('SIGTERM');
  expect({ exit: await first.exit, log: first.log }).toMatchObject({ exit: [0, null] });
  // Far below what all entries take; a loaded machine may need some seconds for the batch that it was at.
  expect(performance.now() - stoppedMs).toBeLessThan(30_000);
  await Promise.all(asked);
  const store = await openDuckDbResultStore({ path: join(place, 'results.duckdb') });
  const appliedSeq = await store.appliedSeq();
  await store.close();
  expect(appliedSeq).toBeLessThan(lastSeq);

  const second = await start(place);
  const endMs = performance.now() + 200_000;
  while ((await health(second.api)).resultsSeq < lastSeq) {
    if (performance.now() > endMs) throw new Error(`not every entry is stored:\n${second.log.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const names = await storedRuns(second.api);
  expect(names).toHaveLength(runs);
  expect(new Set(names).size).toBe(runs);
  second.child.kill('SIGTERM');
  expect({ exit: await second.exit, log: second.log }).toMatchObject({ exit: [0, null] });
}, 330_000);
