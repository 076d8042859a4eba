// One browser, held through its WebDriver by selenium-webdriver over our wire client, and for Chromium beside that by the
// DevTools protocol, which tells what WebDriver cannot: crashes, the GPU process, console, and a world in the page that the
// page's own scripts cannot reach.
// What always holds: it has a directory of its own and a guardian; after `close` nothing of it is left.
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { InstalledBrowser } from '@assay/protocol';
import { Executor } from 'selenium-webdriver/http/index.js';
import { Capabilities } from 'selenium-webdriver/lib/capabilities.js';
import { WebDriver } from 'selenium-webdriver/lib/webdriver.js';
import { Cdp } from './cdp.ts';
import { startGuarded } from './guardian.ts';
import type { Guarded } from './guardian.ts';
import { browserKey, knownGoodFor } from './known-good.ts';
import { WireClient } from './wire-client.ts';

export type SessionRequest = {
  readonly browser: InstalledBrowser;
  readonly driverPath: string;
  /** Rendered by the CPU: where no GPU was seen. */
  readonly isSoftware: boolean;
  /** Beyond the known-good ones. */
  readonly flags: readonly string[];
  /** Where the session's directory is made. */
  readonly parentDir: string;
};

/** What was started, as it says of itself. */
export type SessionIdentity = {
  readonly browser: string;
  readonly browserVersion: string;
  readonly driver: string;
  readonly driverVersion: string;
  readonly flags: readonly string[];
};

/** Why a session is over, with a code of the error catalogue. */
export type SessionEnd = { readonly code: 'BROWSER_GONE' | 'TAB_CRASHED'; readonly message: string };

/** The browser could not be had; `log` is the end of its driver's. */
export class BrowserStartError extends Error {
  constructor(message: string, log: string) {
    super(log === '' ? message : `${message}\n${log}`);
    this.name = 'BrowserStartError';
  }
}

const startDeadlineMs = 60_000;
const commandDeadlineMs = 60_000;
const gpuProcessDeadlineMs = 20_000;

/** By the DevTools protocol: the target, and the session that is attached to it. */
type Page = { readonly target: string; readonly session: string };

export class BrowserSession {
  readonly identity: SessionIdentity;
  readonly driver: WebDriver;
  readonly cdp: Cdp;
  readonly debuggerAddress: string;
  /** Resolves when it can do no more: browser, driver or page are gone. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly startMs: number;
  end: SessionEnd | null = null;
  #page: Page;
  readonly #guarded: Guarded;
  readonly #wire: WireClient;

  private constructor(parts: {
    identity: SessionIdentity;
    driver: WebDriver;
    cdp: Cdp;
    page: Page;
    debuggerAddress: string;
    guarded: Guarded;
    wire: WireClient;
    startMs: number;
  }) {
    this.identity = parts.identity;
    this.driver = parts.driver;
    this.cdp = parts.cdp;
    this.#page = parts.page;
    this.debuggerAddress = parts.debuggerAddress;
    this.startMs = parts.startMs;
    this.#guarded = parts.guarded;
    this.#wire = parts.wire;
    this.ended = new Promise((resolve) => {
      const over = (end: SessionEnd): void => {
        this.end ??= end;
        resolve(end);
      };
      void this.#guarded.ended.then((how) => over({ code: 'BROWSER_GONE', message: how }));
      void this.cdp.closed.then(() => over({ code: 'BROWSER_GONE', message: 'browser has disconnected' }));
      this.cdp.listen(({ method, sessionId, params }) => {
        if (method === 'Inspector.targetCrashed' && sessionId === this.page)
          over({ code: 'TAB_CRASHED', message: 'tab crashed' });
        if (method === 'Target.detachedFromTarget' && params['sessionId'] === this.page)
          over({ code: 'BROWSER_GONE', message: 'the page was closed' });
      });
    });
  }

  /** Of the DevTools protocol, for the session's one page. */
  get page(): string {
    return this.#page.session;
  }

  /** The session's own directory. */
  get directory(): string {
    return this.#guarded.directory;
  }

  /** Throws BrowserStartError, and leaves nothing then. */
  static async start(request: SessionRequest): Promise<BrowserSession> {
    const begunMs = performance.now();
    const guarded = await startGuarded(request.parentDir, () => [
      request.driverPath,
      '--port=0',
      ...driverFlags(request),
    ]);
    let wire: WireClient | null = null;
    let cdp: Cdp | null = null;
    try {
      const port = await driverPort(guarded);
      wire = new WireClient(`http://127.0.0.1:${port}`, commandDeadlineMs);
      const flags = flagsOf(request);
      const capabilities = new Capabilities(await chromiumCapabilities(request, flags, guarded.directory));
      // Awaited by hand: a WebDriver is thenable.
      const driver = WebDriver.createSession(new Executor(wire as never), capabilities);
      const got = await driver.getCapabilities();
      const options = (got.get('goog:chromeOptions') ?? got.get('ms:edgeOptions')) as { debuggerAddress: string };
      cdp = await Cdp.connect(await devToolsAddress(options.debuggerAddress));
      const page = await attachToPage(cdp);
      const said = (got.get('chrome') ?? got.get('msedge') ?? {}) as { chromedriverVersion?: string };
      const identity = {
        browser: browserKey(request.browser),
        browserVersion: String(got.get('browserVersion')),
        driver: path.basename(request.driverPath),
        driverVersion: said.chromedriverVersion?.split(' ')[0] ?? 'unknown',
        flags,
      };
      const { debuggerAddress } = options;
      const startMs = performance.now() - begunMs;
      return new BrowserSession({ identity, driver, cdp, page, debuggerAddress, guarded, wire, startMs });
    } catch (error) {
      const log = await guarded.log();
      cdp?.close();
      wire?.close();
      await guarded.close();
      throw new BrowserStartError(`${browserKey(request.browser)} could not be started: ${String(error)}`, log);
    }
  }

  /** Opens a new page, with a process of its own, and closes the one before it. Throws where the browser does not. */
  async renewPage(): Promise<void> {
    const { cdp, driver } = this;
    const before = this.#page;
    const { targetId } = await cdp.send('Target.createTarget', { url: 'about:blank' });
    this.#page = await attachTo(cdp, String(targetId));
    const handles = await driver.getAllWindowHandles();
    const handle = handles.find((one) => one.endsWith(String(targetId)));
    if (handle === undefined) throw new Error('the driver does not know the new page');
    await driver.switchTo().window(handle);
    await cdp.send('Target.closeTarget', { targetId: before.target });
  }

  /** Ends the GPU process and waits for its successor, whose number it returns. Throws where there is none to end, or none comes. */
  async renewGpuProcess(): Promise<number> {
    const before = await gpuProcessOf(this.cdp);
    if (before === null) throw new Error('the browser has no GPU process');
    await this.cdp.send('Browser.crashGpuProcess');
    const until = performance.now() + gpuProcessDeadlineMs;
    while (performance.now() < until) {
      const now = await gpuProcessOf(this.cdp);
      if (now !== null && now !== before) return now;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no new GPU process within ${gpuProcessDeadlineMs} ms`);
  }

  /** Ends everything at once: a clean quit can hang with the page, and the profile is thrown away in any case. */
  async close(): Promise<void> {
    this.end ??= { code: 'BROWSER_GONE', message: 'closed' };
    this.cdp.close();
    this.#wire.close();
    await this.#guarded.close();
  }
}

/** A build that the user named is driven by whatever driver there is; for all others a mismatch of builds is an error. */
function driverFlags({ browser }: SessionRequest): string[] {
  return browser.channel === 'named' ? ['--disable-build-check'] : [];
}

function flagsOf({ browser, isSoftware, flags }: SessionRequest): string[] {
  const known = knownGoodFor(browser);
  return [...(known?.base ?? []), ...((isSoftware ? known?.software : known?.hardware) ?? []), ...flags];
}

async function chromiumCapabilities(
  { browser }: SessionRequest,
  flags: readonly string[],
  directory: string,
): Promise<Record<string, unknown>> {
  const options = {
    binary: await binaryOf(browser, directory),
    args: [...flags, `--user-data-dir=${path.join(directory, 'profile')}`],
  };
  return {
    browserName: browser.name === 'edge' ? 'MicrosoftEdge' : 'chrome',
    [browser.name === 'edge' ? 'ms:edgeOptions' : 'goog:chromeOptions']: options,
    unhandledPromptBehavior: 'dismiss and notify',
    // The run says when a page is done; the driver does not wait for it.
    pageLoadStrategy: 'none',
    timeouts: { script: 30_000, pageLoad: 60_000 },
  };
}

/** A headless shell opens no page by itself, and chromedriver waits for one. */
async function binaryOf(browser: InstalledBrowser, directory: string): Promise<string> {
  const binary = browser.path ?? browser.name;
  if (browser.channel !== 'headless-shell' && browser.channel !== 'named') return binary;
  const wrapper = path.join(directory, 'browser.sh');
  await writeFile(wrapper, `#!/bin/sh\nexec '${binary.replaceAll("'", "'\\''")}' "$@" about:blank\n`);
  await chmod(wrapper, 0o700);
  return wrapper;
}

/** The port that the driver chose: it prints it. */
async function driverPort(guarded: Guarded): Promise<number> {
  let end: string | null = null;
  void guarded.ended.then((how) => (end = how));
  const until = performance.now() + startDeadlineMs;
  while (performance.now() < until) {
    const port = /successfully on port (\d+)/.exec(guarded.said())?.[1];
    if (port !== undefined) return Number(port);
    if (end !== null) throw new Error(end);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`the driver named no port within ${startDeadlineMs} ms`);
}

async function devToolsAddress(address: string): Promise<string> {
  const answer = await fetch(`http://${address}/json/version`, { signal: AbortSignal.timeout(startDeadlineMs) });
  return ((await answer.json()) as { webSocketDebuggerUrl: string }).webSocketDebuggerUrl;
}

async function attachToPage(cdp: Cdp): Promise<Page> {
  const { targetInfos } = (await cdp.send('Target.getTargets')) as {
    targetInfos: { type: string; targetId: string }[];
  };
  const target = targetInfos.find(({ type }) => type === 'page');
  if (!target) throw new Error('the browser has no page');
  return attachTo(cdp, target.targetId);
}

async function attachTo(cdp: Cdp, target: string): Promise<Page> {
  const { sessionId } = await cdp.send('Target.attachToTarget', { targetId: target, flatten: true });
  const session = String(sessionId);
  for (const domain of ['Page', 'Runtime', 'Inspector']) await cdp.send(`${domain}.enable`, {}, session);
  return { target, session };
}

/** The number of the browser's GPU process; null where it names none. */
export async function gpuProcessOf(cdp: Cdp): Promise<number | null> {
  const { processInfo = [] } = (await cdp.send('SystemInfo.getProcessInfo')) as {
    processInfo?: { type: string; id: number }[];
  };
  return processInfo.find(({ type }) => type === 'GPU')?.id ?? null;
}
