// The dashboard as its people use it: a real Chromium, a real coordinator, real workers and real work. Nothing is reloaded in
// here: what the pages show changes because it changed.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityFaults, type BrowserUnderTest, chromiumPath, openBrowser } from './browser-under-test.ts';
import { type CuttableProxy, FleetUnderTest, until } from './fleet-under-test.ts';

// Debian's package chromium; ASSAY_CHROMIUM names another.
const isThere = chromiumPath !== undefined || process.env.ASSAY_REQUIRE_ALL === '1';
if (!isThere) console.warn('SKIPPED: there is no Chromium here, so the dashboard was not tested (ASSAY_CHROMIUM)');

// Needs a browser, which is said above where there is none.
const browserTest = test.skipIf(!isThere);

const fleet = new FleetUnderTest();
let proxy: CuttableProxy;
let browser: BrowserUnderTest;
let reader = '';

beforeAll(async () => {
  if (!isThere) return;
  await fleet.up(['--quiet']);
  proxy = await fleet.proxy();
  reader = (await fleet.client.createToken({ name: 'the viewer', scopes: ['submit', 'operate'] })).secret;
  browser = await openBrowser(proxy.url);
});
afterAll(async () => {
  await browser?.close();
  await fleet.close();
});

const waitMs = 30_000;
const text = (words: string | RegExp) => browser.page.getByText(words).first();
const seen = (words: string | RegExp) => text(words).waitFor({ timeout: waitMs });
const visit = async (path: string, heading: RegExp): Promise<void> => {
  await browser.page.goto(`${proxy.url}${path}`);
  await browser.page.getByRole('heading', { level: 1, name: heading }).waitFor({ timeout: waitMs });
};

/** What a page comes to: charts are drawn anew and colours fade for a moment after a change of size or theme. Its last answer, where it never does. */
async function settled<Value>(ask: () => Promise<Value>, isWanted: (value: Value) => boolean): Promise<Value> {
  const endMs = performance.now() + 5_000;
  for (;;) {
    const value = await ask();
    if (isWanted(value) || performance.now() > endMs) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The page as it stands, in both themes. */
async function expectAccessible(): Promise<void> {
  const { page } = browser;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const faults = await settled(
      () => accessibilityFaults(page),
      (found) => found.length === 0,
    );
    expect({ on: `${page.url()}, ${colorScheme}`, faults }).toEqual({
      on: `${page.url()}, ${colorScheme}`,
      faults: [],
    });
  }
}

/** Nothing sticks out sideways on a narrow screen. */
async function expectNarrow(): Promise<void> {
  const { page } = browser;
  const before = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 780 });
  const over = await settled(
    () => page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
    (pixels) => pixels === 0,
  );
  if (before !== null) await page.setViewportSize(before);
  expect({ on: page.url(), over }).toEqual({ on: page.url(), over: 0 });
}

browserTest('one signs in with a token, and sees an empty fleet for what it is', async () => {
  const { page } = browser;
  await page.goto(proxy.url);
  await seen('This coordinator asks who you are.');
  await expectAccessible();
  await page.getByLabel('Token').fill('not-a-token');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await seen('the token is unknown or was revoked');
  await page.getByLabel('Token').fill(reader);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await seen('No run yet.');
  await seen('Live');
  expect(await page.evaluate('document.cookie')).toBe('');
  await expectAccessible();
  await expectNarrow();
  for (const [path, heading, empty] of [
    ['/workers', /Workers/, 'None has joined.'],
    ['/circuits', /Circuits/, /None is known yet/],
    ['/recovery', /Recovery/, 'No step of recovery was taken yet.'],
    ['/nowhere', /no such page/, 'To the overview'],
  ] as const) {
    await visit(path, heading);
    await seen(empty);
    await expectAccessible();
  }
});

browserTest('a run appears, moves and settles on the page, and its cases come in, without a reload', async () => {
  const { page } = browser;
  await visit('/', /Overview/);
  await seen('Live');
  const loads = browser.requests.filter((request) => request.endsWith(`${proxy.url}/`)).length;
  await fleet.worker('lab-1', await fleet.workerToken());
  const path = fleet.project(4, 5, 30);
  const run = await fleet.submit(path, 4);
  await page.getByRole('link', { name: 'system', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: /system/ }).waitFor();
  await seen('4 of 4 settled');
  await page.getByRole('heading', { level: 1, name: /passed/ }).waitFor({ timeout: waitMs });
  const table = page.getByRole('table', { name: 'Cases' });
  await until('all cases are listed', async () => ((await table.getAttribute('aria-rowcount')) === '20' ? true : null));
  await until('rows are drawn', async () => ((await table.getByRole('row').count()) > 5 ? true : null));
  expect(browser.requests.filter((request) => request.endsWith(`${proxy.url}/`)).length).toBe(loads);
  await page.getByLabel('Search').fill('file-2');
  await until('the search is applied', async () => ((await table.getAttribute('aria-rowcount')) === '5' ? true : null));
  await until('the address has the search', async () => (page.url().includes('q=file-2') ? true : null));
  for (const tab of ['cases', 'tasks', 'timeline']) {
    await visit(`/runs/${run}?tab=${tab}`, /system/);
    await page.getByRole('heading', { level: 2, name: new RegExp(tab, 'i') }).waitFor();
    await expectAccessible();
    await expectNarrow();
  }
  await visit(`/tasks/${run}.0`, /file-0/);
  await seen('Attempt 1');
  await expectAccessible();
  await expectNarrow();
});

browserTest('it says that the connection is lost, and afterwards shows what it missed', async () => {
  const { page } = browser;
  await visit('/', /Overview/);
  await seen('Live');
  proxy.cut();
  await seen('Connection lost; trying again');
  const run = await fleet.submit(fleet.project(1, 1, 1), 1);
  await fleet.settled(run);
  proxy.mend();
  await page.locator(`a[href="/runs/${run}"]`).first().waitFor({ timeout: waitMs });
  await seen('Live');
});

browserTest('workers and circuits are seen, and a circuit is forced and released with a reason', async () => {
  const { page } = browser;
  await visit('/workers', /Workers/);
  await page.getByRole('table', { name: 'Fleet' }).getByRole('link', { name: 'lab-1' }).waitFor();
  await expectAccessible();
  await expectNarrow();
  await page.getByRole('table', { name: 'Fleet' }).getByRole('link', { name: 'lab-1' }).click();
  await page.getByRole('heading', { level: 1, name: /lab-1/ }).waitFor();
  await expectAccessible();
  await expectNarrow();
  const worker = (await fleet.client.listWorkers()).workers[0]?.worker ?? '';
  const circuit = `worker:${worker}`;
  await fleet.client.forceCircuit(circuit, { to: 'metricsOnly', reason: 'to have one' });
  await visit(`/circuits/${circuit}`, /metrics only/);
  await page.getByRole('button', { name: 'Force' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('To').selectOption('open');
  await dialog.getByLabel('Reason').fill('the fan is loud');
  await dialog.getByRole('button', { name: 'Force' }).click();
  await page.getByRole('heading', { level: 1, name: /forced open/ }).waitFor({ timeout: waitMs });
  const forced = await fleet.client.readCircuit(circuit);
  expect([forced.state, forced.reason, forced.actor]).toEqual(['forcedOpen', 'the fan is loud', 'the viewer']);
  await expectAccessible();
  await expectNarrow();
  await visit('/circuits', /Circuits/);
  await page
    .getByRole('img', { name: /Unknown: nothing was measured/ })
    .first()
    .waitFor();
  await expectAccessible();
  await expectNarrow();
});

browserTest('signing out ends it, and the page did nothing that its policy forbids', async () => {
  const { page } = browser;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await seen('This coordinator asks who you are.');
  expect(browser.wrongs).toEqual([]);
});
