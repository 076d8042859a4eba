// The machine together with what its browsers give to pages. Starting every browser takes seconds, so what was found is kept
// per user under a digest of system, GPUs, browser and driver builds and our own flags: a change of one of them is measured
// again, and nothing else is.
// What always holds: a browser that could not be started is not kept, so that the next start tries it again.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { InstalledBrowser, UnknownField } from '@assay/protocol';
import { knownGoodFor } from '../browsers/known-good.ts';
import { probeMachine, profileDigest } from './index.ts';
import type { MachineProbe } from './index.ts';

const Kept = z.object({ browsers: z.array(InstalledBrowser).max(64), unknown: z.array(UnknownField).max(128) });
type Kept = z.infer<typeof Kept>;

/** As probeMachine, with what pages of each browser get; `cacheDir` is the user's own when absent. */
export async function probeWithBrowsers(cacheDir = defaultCacheDir()): Promise<MachineProbe> {
  const machine = await probeMachine();
  const { profile } = machine;
  if (profile.browsers.length === 0) return machine;
  const file = join(cacheDir, `${keyOf(machine)}.json`);
  const found = (await kept(file)) ?? (await measured(machine, file));
  const complete = {
    ...profile,
    browsers: found.browsers,
    unknown: [...profile.unknown, ...found.unknown].slice(0, 128),
  };
  return { profile: complete, identity: machine.identity, digest: profileDigest(complete) };
}

function defaultCacheDir(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'browsers');
}

/** What pages get depends on these and on nothing else of a machine. */
function keyOf({ profile }: MachineProbe): string {
  const { os, gpus, apis, browsers, drivers } = profile;
  const flags = browsers.map((browser) => knownGoodFor(browser));
  return createHash('sha256')
    .update(JSON.stringify([1, os, gpus, apis, browsers, drivers, flags]))
    .digest('hex')
    .slice(0, 32);
}

async function kept(file: string): Promise<Kept | null> {
  try {
    return Kept.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

async function measured({ profile }: MachineProbe, file: string): Promise<Kept> {
  // Loaded only here: what drives browsers is large, and a machine is measured once.
  const { measureBrowsers } = await import('../browsers/measure.ts');
  const scratch = await mkdtemp(join(tmpdir(), 'assay-b-'));
  try {
    const found = await measureBrowsers(profile, scratch);
    const isWhole = found.browsers.every(
      (browser) => browser.wasm !== undefined || driverOf(profile, browser) === undefined,
    );
    if (isWhole) await keep(file, found).catch(() => undefined);
    return found;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function driverOf(profile: MachineProbe['profile'], browser: InstalledBrowser): unknown {
  const known = knownGoodFor(browser);
  return known === null ? undefined : profile.drivers[known.driver];
}

async function keep(file: string, found: Kept): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(found), { mode: 0o600 });
  await rename(draft, file);
}
