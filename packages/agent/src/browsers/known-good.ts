// How each browser is started so that a driver can hold it and its pages reach a GPU: one table by browser family and
// system. docs/explain/browsers.md prints it, and a test compares the two.
// What always holds: nothing here turns a check of the page off; software rendering is asked for only by `software`, never
// silently beside a real GPU.
import type { InstalledBrowser } from '@assay/protocol';

/** What drives a browser: its WebDriver executable's name in `profile.drivers`. */
export type DriverName = 'chromedriver' | 'msedgedriver' | 'WebKitWebDriver';

export type KnownGood = {
  readonly family: 'chromium' | 'webkit';
  readonly driver: DriverName;
  /** Always. */
  readonly base: readonly string[];
  /** Where the machine has a GPU that a probe saw. */
  readonly hardware: readonly string[];
  /** Where it has none: rendered by the CPU, and called software wherever it is shown. */
  readonly software: readonly string[];
};

const chromium: Omit<KnownGood, 'driver'> = {
  family: 'chromium',
  base: [
    '--headless',
    '--no-sandbox',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--disable-renderer-backgrounding',
    '--enable-unsafe-webgpu',
    '--ignore-gpu-blocklist',
    '--enable-features=Vulkan,WebMachineLearningNeuralNetwork',
  ],
  hardware: [],
  software: ['--use-angle=swiftshader', '--use-vulkan=swiftshader'],
};

const byName: Readonly<Record<string, KnownGood>> = {
  chromium: { ...chromium, driver: 'chromedriver' },
  chrome: { ...chromium, driver: 'chromedriver' },
  edge: { ...chromium, driver: 'msedgedriver' },
  webkit: { family: 'webkit', driver: 'WebKitWebDriver', base: ['--automation'], hardware: [], software: [] },
};

/** Null for a browser that we cannot hold yet. */
export function knownGoodFor(browser: Pick<InstalledBrowser, 'name'>): KnownGood | null {
  return byName[browser.name] ?? null;
}

/** As requirements and suites name it: `chromium`, `chromium/headless-shell`. */
export function browserKey({ name, channel }: Pick<InstalledBrowser, 'name' | 'channel'>): string {
  return channel === undefined ? name : `${name}/${channel}`;
}
