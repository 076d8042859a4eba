// The browsers and browser drivers of this machine, with versions.
//
// Linux: names on PATH, WebKitGTK's MiniBrowser in its library folder. macOS: application bundles, whose version is read
// and which are not started. Windows: `chrome --version` opens a window there, so the version is the name of the folder
// that its updater keeps beside the binary. A browser downloaded for one project (Playwright's, Puppeteer's) is the
// project's and not the machine's.
import { win32 } from 'node:path';
import type { InstalledBrowser, InstalledTool, UnknownField } from '@assay/protocol';
import { exists, failureReason, findOnPath, listFolder, parseVersion, readText, realPath } from './context.ts';
import type { ProbeContext } from './context.ts';

/** Of the Chromium that ASSAY_CHROMIUM_PATH names: a build of the user's own, such as a headless shell that comes in a package. */
const namedChannel = 'named';

export type BrowserProbe = {
  browsers: InstalledBrowser[];
  drivers: Record<string, InstalledTool>;
  unknown: UnknownField[];
};

type Candidate = { name: string; channel?: string; path: string; ask: (ctx: ProbeContext) => Promise<Version> };
type Version =
  | { kind: 'version'; version: ReturnType<typeof parseVersion> & object }
  | { kind: 'unknown'; reason: string };

/** Several commands of one browser are one browser (`google-chrome` links to `-stable`): the first that is there counts. */
const linuxBrowsers: { name: string; channel?: string; commands: string[] }[] = [
  { name: 'chromium', commands: ['chromium', 'chromium-browser'] },
  { name: 'chromium', channel: 'headless-shell', commands: ['chromium-headless-shell'] },
  { name: 'chrome', commands: ['google-chrome-stable', 'google-chrome'] },
  { name: 'chrome', channel: 'beta', commands: ['google-chrome-beta'] },
  { name: 'edge', commands: ['microsoft-edge-stable', 'microsoft-edge'] },
  { name: 'firefox', channel: 'esr', commands: ['firefox-esr'] },
  { name: 'firefox', commands: ['firefox'] },
];

const macBundles: [name: string, bundle: string, binary: string][] = [
  ['chrome', '/Applications/Google Chrome.app', 'Google Chrome'],
  ['chromium', '/Applications/Chromium.app', 'Chromium'],
  ['edge', '/Applications/Microsoft Edge.app', 'Microsoft Edge'],
  ['firefox', '/Applications/Firefox.app', 'firefox'],
  ['safari', '/Applications/Safari.app', 'Safari'],
];

const windowsFolders: [name: string, folder: string, binary: string][] = [
  ['chrome', 'Google\\Chrome\\Application', 'chrome.exe'],
  ['edge', 'Microsoft\\Edge\\Application', 'msedge.exe'],
  ['chromium', 'Chromium\\Application', 'chrome.exe'],
  ['firefox', 'Mozilla Firefox', 'firefox.exe'],
];

const driverCommands = ['chromedriver', 'geckodriver', 'msedgedriver', 'safaridriver', 'WebKitWebDriver'];

export async function probeBrowsers(ctx: ProbeContext): Promise<BrowserProbe> {
  const candidates = await findBrowsers(ctx);
  const drivers = (await Promise.all(driverCommands.map((name) => driverCandidate(ctx, name)))).filter(
    (entry) => entry !== undefined,
  );
  const [browserVersions, driverVersions] = await Promise.all([
    Promise.all(candidates.map((candidate) => candidate.ask(ctx))),
    Promise.all(drivers.map((candidate) => candidate.ask(ctx))),
  ]);
  const probe: BrowserProbe = { browsers: [], drivers: {}, unknown: [] };
  candidates.forEach((candidate, index) => {
    const answer = browserVersions[index];
    if (answer?.kind === 'version') {
      const channel = candidate.channel === undefined ? {} : { channel: candidate.channel };
      probe.browsers.push({ name: candidate.name, ...channel, ...answer.version, path: candidate.path });
    }
    if (answer?.kind === 'unknown') probe.unknown.push({ field: `browsers.${candidate.name}`, reason: answer.reason });
  });
  drivers.forEach((candidate, index) => {
    const answer = driverVersions[index];
    if (answer?.kind === 'version') probe.drivers[candidate.name] = { ...answer.version, path: candidate.path };
    if (answer?.kind === 'unknown') probe.unknown.push({ field: `drivers.${candidate.name}`, reason: answer.reason });
  });
  return probe;
}

async function findBrowsers(ctx: ProbeContext): Promise<Candidate[]> {
  if (ctx.platform === 'darwin') return macBrowsers(ctx);
  if (ctx.platform === 'win32') return windowsBrowsers(ctx);
  const found: Candidate[] = [];
  const targets = new Set<string>();
  for (const { commands, ...browser } of linuxBrowsers) {
    for (const command of commands) {
      const path = await findOnPath(ctx, command);
      if (path === undefined) continue;
      // Debian's `firefox` is a link to its `firefox-esr`.
      const target = await realPath(ctx, path);
      if (targets.has(target)) break;
      targets.add(target);
      found.push({ ...browser, path, ask: (context) => askVersion(context, path) });
      break;
    }
  }
  const named = ctx.env['ASSAY_CHROMIUM_PATH'];
  if (named !== undefined && named !== '')
    found.push({ name: 'chromium', channel: namedChannel, path: named, ask: (context) => askVersion(context, named) });
  return [...found, ...(await webkitBrowsers(ctx))];
}

/** Debian: /usr/lib/ARCH/webkit2gtk-4.1/MiniBrowser; Fedora: /usr/libexec/webkit2gtk-4.1. The newest API version counts. */
async function webkitBrowsers(ctx: ProbeContext): Promise<Candidate[]> {
  const triplets = ((await listFolder(ctx, '/usr/lib')) ?? []).filter((name) => name.endsWith('-linux-gnu'));
  for (const base of [...triplets.map((name) => `/usr/lib/${name}`), '/usr/libexec', '/usr/lib']) {
    const folders = ((await listFolder(ctx, base)) ?? []).filter((name) => /^webkit(2)?gtk-\d/.test(name)).sort();
    for (const folder of folders.toReversed()) {
      const path = `${base}/${folder}/MiniBrowser`;
      if (await exists(ctx, path)) return [{ name: 'webkit', path, ask: (context) => askVersion(context, path) }];
    }
  }
  return [];
}

async function driverCandidate(ctx: ProbeContext, name: string): Promise<Candidate | undefined> {
  const path = await findOnPath(ctx, name);
  return path === undefined ? undefined : { name, path, ask: (context) => askVersion(context, path) };
}

async function askVersion(ctx: ProbeContext, path: string): Promise<Version> {
  const outcome = await ctx.run(path, ['--version'], ctx.commandTimeoutMs);
  const version = outcome.kind === 'ok' ? parseBrowserVersion(outcome.stdout) : undefined;
  return version
    ? { kind: 'version', version }
    : { kind: 'unknown', reason: failureReason(path, outcome, ctx.commandTimeoutMs) };
}

/** "Chromium 156.0.8078.79 built on Debian", "Mozilla Firefox 153.0esr", "WebKitGTK 2.50.1": the first dotted number. */
export function parseBrowserVersion(text: string): ReturnType<typeof parseVersion> {
  const dotted = /\d+\.\d[\w.]*/.exec(text)?.[0];
  return dotted === undefined ? undefined : parseVersion(dotted);
}

async function macBrowsers(ctx: ProbeContext): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const [name, bundle, binary] of macBundles) {
    if (!(await exists(ctx, `${bundle}/Contents/Info.plist`))) continue;
    const path = `${bundle}/Contents/MacOS/${binary}`;
    found.push({ name, path, ask: (context) => askBundle(context, bundle) });
  }
  return found;
}

async function askBundle(ctx: ProbeContext, bundle: string): Promise<Version> {
  const args = ['read', `${bundle}/Contents/Info`, 'CFBundleShortVersionString'];
  const outcome = await ctx.run('/usr/bin/defaults', args, ctx.commandTimeoutMs);
  const version = outcome.kind === 'ok' ? parseVersion(outcome.stdout) : undefined;
  return version
    ? { kind: 'version', version }
    : { kind: 'unknown', reason: failureReason('defaults', outcome, ctx.commandTimeoutMs) };
}

async function windowsBrowsers(ctx: ProbeContext): Promise<Candidate[]> {
  const found = new Map<string, Candidate>();
  const bases = [ctx.env.ProgramFiles, ctx.env['ProgramFiles(x86)'], ctx.env.LOCALAPPDATA].filter(
    (base) => base !== undefined,
  );
  for (const base of bases) {
    for (const [name, folder, binary] of windowsFolders) {
      const home = win32.join(base, folder);
      const path = win32.join(home, binary);
      if (found.has(name) || !(await exists({ ...ctx, root: '' }, path))) continue;
      found.set(name, { name, path, ask: (context) => askFolder({ ...context, root: '' }, name, home) });
    }
  }
  return [...found.values()];
}

async function askFolder(ctx: ProbeContext, name: string, home: string): Promise<Version> {
  const said =
    name === 'firefox'
      ? /^Version=(.+)$/m.exec((await readText(ctx, win32.join(home, 'application.ini'))) ?? '')?.[1]
      : ((await listFolder(ctx, home)) ?? [])
          .filter((entry) => /^\d+(\.\d+){3}$/.test(entry))
          .sort(byNumbers)
          .at(-1);
  const version = said === undefined ? undefined : parseVersion(said);
  return version ? { kind: 'version', version } : { kind: 'unknown', reason: `no version is written in ${home}` };
}

function byNumbers(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  return left.map((part, index) => part - (right[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}
