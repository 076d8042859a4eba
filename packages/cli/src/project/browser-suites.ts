// A suite of pages becomes one suite for each platform that its files need (webgpu, webnn, wasm or a plain page), so
// that each is placed only where a browser was measured to have it: the requirement follows from the arguments.
import { pageArgumentsOf, platformOfFile, type BrowserArguments, type Platform } from '@assay/agent/inspect';
import { AssayError, type Suite } from '@assay/protocol';

export type PlannedSuite = { suite: Suite; targets: readonly string[] };

/** The suite as it is, unless its tests are pages. Throws CONFIG_INVALID for arguments that mean nothing. */
export function byPlatform(suite: Suite, targets: readonly string[]): PlannedSuite[] {
  const asked = pageArgumentsOf(suite);
  if (asked === null) return [{ suite, targets }];
  if (typeof asked === 'string') throw new AssayError('CONFIG_INVALID', `Suite "${suite.name}": ${asked}.`);
  const groups = new Map<Platform, string[]>();
  for (const target of targets) {
    const platform = asked.platform ?? platformOfFile(target);
    groups.set(platform, [...(groups.get(platform) ?? []), target]);
  }
  return [...groups].map(([platform, own]) => {
    const name = groups.size === 1 ? suite.name : `${suite.name} (${platform})`;
    const needed = requirementOf(asked, platform);
    const requires = suite.requires === '' ? needed : `(${suite.requires}) && ${needed}`;
    return { suite: { ...suite, name, requires }, targets: own };
  });
}

/** Every browser that was measured has a `wasm` device, so that it stands for a plain page. */
export function requirementOf({ browser, hardwareOnly }: BrowserArguments, platform: Platform): string {
  const parts = [`d.class == "${platform === 'page' ? 'wasm' : platform}"`];
  if (browser !== null) {
    const name = JSON.stringify(browser);
    parts.push(`(d.browser == ${name} || d.browser.startsWith(${JSON.stringify(`${browser}/`)}))`);
  }
  if (hardwareOnly && platform === 'webgpu') parts.push('!d.software');
  return `devices.exists(d, ${parts.join(' && ')})`;
}
