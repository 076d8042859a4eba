// A real Chromium on the dashboard of a real coordinator, for the system tests and for the pictures in the documents.
// What always holds: it notes whatever the page may not do: a request to another host, something that the page's policy
// forbade, an error in the console; a test ends by asking that there was none of it.
import { existsSync } from 'node:fs';
import AxeSource from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where the system has a Chromium; undefined where it has none. */
export const chromiumPath = [process.env.ASSAY_CHROMIUM ?? '', ...places].find(
  (path) => path !== '' && existsSync(path),
);

export type BrowserUnderTest = {
  page: Page;
  /** Requests of the page, in order. */
  requests: string[];
  /** What it did that it must not. */
  wrongs: string[];
  close(): Promise<void>;
};

export async function openBrowser(origin: string, size = { width: 1280, height: 900 }): Promise<BrowserUnderTest> {
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath ?? '',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
  });
  const context = await browser.newContext({ viewport: size });
  // axe is put into the page by the test, past the policy that the page itself is held to.
  const page = await context.newPage();
  const requests: string[] = [];
  const wrongs: string[] = [];
  page.on('request', (request) => {
    requests.push(`${request.method()} ${request.url()}`);
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url()))
      wrongs.push(`it asked another host: ${request.url()}`);
  });
  page.on('pageerror', (error) => wrongs.push(`it threw: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // Chromium logs every answer of 400 and more, and every connection that broke: tests cause both on purpose.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) wrongs.push(`it said: ${text}`);
  });
  return { page, requests, wrongs, close: () => browser.close() };
}

/** What axe finds against WCAG 2.2 AA, as sentences. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(AxeSource.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await page.evaluate<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>(
    `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(tags)} } })`,
  );
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html.slice(0, 200) ?? ''}`);
}
