// Which browser of this machine runs a page: the one that is named, else the first that was measured to have what the page
// needs. It has to have its driver, and known-good flags.
import type { InstalledBrowser, InstalledTool } from '@assay/protocol';
import type { Platform } from './hallmark.ts';
import { browserKey, knownGoodFor } from './known-good.ts';

/** The part of a profile that says what can be opened. */
export type MachineBrowsers = {
  readonly browsers: readonly InstalledBrowser[];
  readonly drivers: Readonly<Record<string, InstalledTool>>;
};

export type BrowserWish = {
  readonly browser: string | null;
  readonly platform: Platform;
  readonly hardwareOnly: boolean;
};
export type BrowserChoice = {
  readonly browser: InstalledBrowser;
  readonly driverPath: string;
  readonly isSoftware: boolean;
};

/** The reason where there is none. */
export function chooseBrowser(machine: MachineBrowsers, wish: BrowserWish): BrowserChoice | string {
  const reasons: string[] = [];
  for (const browser of machine.browsers) {
    const key = browserKey(browser);
    if (wish.browser !== null && wish.browser !== key && wish.browser !== browser.name) continue;
    const known = knownGoodFor(browser);
    const driverPath = known === null ? undefined : machine.drivers[known.driver]?.path;
    const lack = driverPath === undefined ? 'has no driver here' : lackOf(browser, wish);
    if (lack === null && driverPath !== undefined)
      return { browser, driverPath, isSoftware: browser.webgpu?.[0]?.isSoftware ?? true };
    reasons.push(`${key} ${lack}`);
  }
  const wanted = wish.browser ?? 'a browser';
  return reasons.length === 0 ? `this worker has not ${wanted}` : reasons.join('; ');
}

function lackOf({ webgpu, webnn, wasm }: InstalledBrowser, { platform, hardwareOnly }: BrowserWish): string | null {
  if (platform === 'webgpu') {
    if (webgpu === undefined) return 'was not measured';
    if (webgpu.length === 0) return 'gives pages no WebGPU adapter';
    if (hardwareOnly && webgpu.every(({ isSoftware }) => isSoftware)) return 'has only a software adapter';
  }
  if (platform === 'webnn' && (webnn?.length ?? 0) === 0) return 'makes no WebNN context';
  if (platform === 'wasm' && wasm === undefined) return 'was not measured';
  return null;
}
