// Makes docs/images/dashboard-*.png: starts a real fleet, gives it real work of which some fails on purpose, and photographs the
// pages in both themes. Run it when the pages change:
//   node scripts/docs/dashboard-pictures.ts [folder]      (needs chromium; with a folder, every page, theme and width goes there)
// What always holds: the pictures show what the pages showed; nothing is drawn over.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openBrowser } from '../../packages/cli/src/system/browser-under-test.ts';
import { FleetUnderTest, until } from '../../packages/cli/src/system/fleet-under-test.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = process.argv[2];
const files = 12;
const failing = `import assert from 'node:assert/strict';
import test from 'node:test';
test('rounds half up', () => { console.log('\\u001b[33mchecking\\u001b[39m the total'); assert.equal(1.005.toFixed(2), '1.01'); });
test('adds up', () => new Promise((resolve) => setTimeout(resolve, 40)));
`;

const fleet = new FleetUnderTest();
try {
  await fleet.up(['--quiet']);
  const token = await fleet.workerToken();
  for (const name of ['lab-large', 'lab-medium', 'lab-small']) await fleet.worker(name, token);
  const browser = await openBrowser(fleet.url);
  const { page } = browser;
  try {
    const { secret } = await fleet.client.createToken({ name: 'viewer', scopes: ['submit', 'operate'] });
    await page.goto(fleet.url);
    await page.getByLabel('Token').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    const path = fleet.project(files, 6, 60);
    for (const file of [3, 7]) writeFileSync(join(path, 'test', `file-${file}.test.mjs`), failing);
    const first = await fleet.submit(path, files);
    await fleet.settled(first);
    const run = await fleet.submit(path, files, { name: 'integration' });
    await until('some of it is done', async () => ((await fleet.client.readRun(run)).tasks.settled >= 4 ? true : null));
    const worker = (await fleet.client.listWorkers()).workers[1]?.worker ?? '';
    await fleet.client.forceCircuit(`worker:${worker}`, { to: 'metricsOnly', reason: 'a fan is being replaced' });
    if (folder === undefined) await forDocuments(run);
    else await everything(folder, run, worker);
  } finally {
    await browser.close();
  }

  async function shoot(address: string, file: string, theme: 'light' | 'dark', fullPage: boolean): Promise<void> {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    // By a link of the app's own where it is open already: what was seen live stays.
    if (new URL(page.url()).pathname + new URL(page.url()).search !== address)
      await page.goto(`${fleet.url}${address}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await until('all is read', async () => ((await page.getByText('Reading').count()) === 0 ? true : null));
    await page.screenshot({ path: file, fullPage });
  }

  async function forDocuments(id: string): Promise<void> {
    const images = join(root, 'docs', 'images');
    await page.setViewportSize({ width: 1280, height: 800 });
    await shoot('/', join(images, 'dashboard-overview.png'), 'light', false);
    await fleet.settled(id);
    await shoot(`/runs/${id}?tab=timeline`, join(images, 'dashboard-run.png'), 'dark', false);
  }

  async function everything(into: string, id: string, workerId: string): Promise<void> {
    mkdirSync(into, { recursive: true });
    const pages = {
      overview: '/',
      cases: `/runs/${id}`,
      tasks: `/runs/${id}?tab=tasks`,
      timeline: `/runs/${id}?tab=timeline`,
      task: `/tasks/${id}.3`,
      workers: '/workers',
      worker: `/workers/${workerId}`,
      circuits: '/circuits',
      recovery: '/recovery',
      circuit: `/circuits/worker:${workerId}`,
    };
    for (const [name, address] of Object.entries(pages))
      for (const [width, theme] of [
        [1280, 'light'],
        [1280, 'dark'],
        [390, 'light'],
      ] as const) {
        await page.setViewportSize({ width, height: 850 });
        await shoot(address, join(into, `${name}-${width}-${theme}.png`), theme, true);
      }
  }
} finally {
  await fleet.close();
}
