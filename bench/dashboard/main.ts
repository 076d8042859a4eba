// What the dashboard costs its viewer: bytes of the first page, times of its first paint, and whether many cases scroll and search
// without a stutter. A real coordinator, workers that do nothing, a real Chromium.
//   node bench/dashboard/main.ts [--cases N]        (needs chromium)
// What always holds: times are the browser's own (its performance entries and frames); a list that is not complete is an error and
// never a figure.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BrowserUnderTest, openBrowser } from '../../packages/cli/src/system/browser-under-test.ts';
import { until } from '../../packages/cli/src/system/fleet-under-test.ts';
import { createClient } from '../../packages/client/src/index.ts';
import { silentLog, startCoordinator } from '../../packages/coordinator/src/index.ts';
import { exampleSpec } from '../../packages/coordinator/src/testing/http-server.ts';
import { WireWorker } from '../../packages/coordinator/src/testing/wire-worker.ts';
import { dashboardDir } from '../../packages/dashboard/build/built.ts';
import { describeMachine, printMachine, writeResults } from '../machine.ts';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '100000' } } });
const cases = Number(values.cases);
const chunk = 5_000;
const workers = 8;
const frames = 300;
const waitMs = 240_000;

/** Bytes on the wire of what the first page loads; the charts come with the first chart. */
function firstPageBytes(directory: string): { script: number; style: number; charts: number } {
  const sizes = { script: 0, style: 0, charts: 0 };
  for (const name of readdirSync(join(directory, 'assets'))) {
    if (!name.endsWith('.gz')) continue;
    const { size } = statSync(join(directory, 'assets', name));
    if (name.endsWith('.css.gz')) sizes.style += size;
    else if (name.startsWith('index-')) sizes.script += size;
    else sizes.charts += size;
  }
  return sizes;
}

const watchPaint = `
globalThis.seen = { paint: null, largest: null, long: [] };
new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (entry.name === 'first-contentful-paint') seen.paint = entry.startTime; }).observe({ type: 'paint', buffered: true });
new PerformanceObserver((list) => { for (const entry of list.getEntries()) seen.largest = entry.startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
new PerformanceObserver((list) => { for (const entry of list.getEntries()) seen.long.push(entry.duration); }).observe({ type: 'longtask', buffered: true });
`;

const scroll = `new Promise((resolve) => {
  const place = document.querySelector('.virtual');
  const gaps = [];
  let last = performance.now();
  let frame = 0;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    place.scrollTop += 1_500;
    if (++frame < ${frames}) requestAnimationFrame(step);
    else resolve(gaps.slice(1));
  };
  requestAnimationFrame(step);
})`;

type Long = { count: number; longestMs: number };

/** The main thread's tasks above 50 ms since this was asked last. */
async function longTasks(page: BrowserUnderTest['page']): Promise<Long> {
  const long = await page.evaluate<number[]>('seen.long.splice(0)');
  return { count: long.length, longestMs: Math.round(Math.max(0, ...long)) };
}

const at = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) * 10) / 10;

const directory = dashboardDir();
if (directory === undefined) throw new Error('the dashboard is not built: node packages/dashboard/build/build.ts');
const machine = describeMachine();
printMachine(machine);
const stateDir = mkdtempSync(join(tmpdir(), 'assay-bench-'));
const coordinator = await startCoordinator({ stateDir, dashboardDir: directory, auth: 'loopbackOpen', log: silentLog });
const { url } = coordinator;
const fleet = Array.from({ length: workers }, (_, index) => new WireWorker({ url, worker: `w-${index}`, slots: 50 }));
const browser = await openBrowser(url);
const { page } = browser;
try {
  const client = createClient({ url });
  await page.addInitScript(watchPaint);
  await page.goto(url);
  await page.getByText('No run yet.').waitFor({ timeout: waitMs });
  const interactiveMs = Math.round(await page.evaluate<number>('performance.now()'));
  const { paint, largest } = await page.evaluate<{ paint: number; largest: number }>('seen');
  const first = {
    paintMs: Math.round(paint),
    largestMs: Math.round(largest),
    interactiveMs,
    long: await longTasks(page),
  };

  const tasks = (from: number) =>
    Array.from({ length: Math.min(chunk, cases - from) }, (_, index) => ({
      suite: 0,
      target: `t/${from + index}.test.ts`,
    }));
  const { run } = await client.submitRun({
    idempotencyKey: 'the-bench-of-pages',
    run: exampleSpec,
    tasks: tasks(0),
    sealed: cases <= chunk,
  });
  for (let from = chunk; from < cases; from += chunk)
    await client.addTasks(run, { chunk: from / chunk, tasks: tasks(from), sealed: from + chunk >= cases });
  await until('the run settles', async () => ((await client.readRun(run)).state === 'settled' ? true : null), waitMs);
  const live = await longTasks(page);

  const openedMs = performance.now();
  await page.locator(`a[href="/runs/${run}"]`).first().click();
  const table = page.getByRole('table', { name: 'Cases' });
  const rows = (number: number) =>
    until(
      `${number} rows`,
      async () => (Number(await table.getAttribute('aria-rowcount').catch(() => 0)) === number ? true : null),
      waitMs,
    );
  await rows(cases);
  const list = { seconds: Math.round((performance.now() - openedMs) / 100) / 10, long: await longTasks(page) };
  const gaps = (await page.evaluate<number[]>(scroll)).toSorted((a, b) => a - b);
  const scrolling = { medianMs: at(gaps, 0.5), p99Ms: at(gaps, 0.99), long: await longTasks(page) };
  const searchedMs = performance.now();
  await page.getByLabel('Search').fill(`t/${cases - 1}.test`);
  await rows(1);
  const search = { ms: Math.round(performance.now() - searchedMs), long: await longTasks(page) };

  const bytes = firstPageBytes(directory);
  const text = ({ count, longestMs }: Long): string =>
    count === 0 ? 'no task above 50 ms' : `${count} tasks above 50 ms, longest ${longestMs} ms`;
  console.log(
    `first page: ${(bytes.script / 1024).toFixed(0)} KiB of script, ${(bytes.style / 1024).toFixed(0)} KiB of style, gzipped; charts, when shown: ${(bytes.charts / 1024).toFixed(0)} KiB`,
  );
  console.log(
    `overview: first paint ${first.paintMs} ms, largest ${first.largestMs} ms, filled ${first.interactiveMs} ms; ${text(first.long)}`,
  );
  console.log(`${cases} cases recorded while the overview is open: ${text(live)}`);
  console.log(`their list: complete after ${list.seconds} s; ${text(list.long)}`);
  console.log(
    `scrolling ${frames} frames: median ${scrolling.medianMs} ms, 99 % within ${scrolling.p99Ms} ms a frame; ${text(scrolling.long)}`,
  );
  console.log(`search for one of them: ${search.ms} ms; ${text(search.long)}`);
  writeResults('dashboard', { machine, cases, bytes, first, live, list, scrolling, search });
} finally {
  await browser.close();
  for (const worker of fleet) worker.stop();
  await coordinator.stop();
  rmSync(stateDir, { recursive: true, force: true });
}
