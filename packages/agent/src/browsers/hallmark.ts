// The hallmark of a browser attempt: what shows that a pass came from this browser, this page and a device that worked.
// It is put together from what the page cannot write: a world of ours in the page, a witness that was there before the page's
// scripts, the browser's own account of its GPU process, and what our server served. Judged here, in one place.
// What it does not show: that the test checks the right thing, or on which processor WebNN ran.
import { createHmac } from 'node:crypto';
import { softwareAdapter } from '@assay/protocol';

/** What a page's pass has to be shown of. `page` is only that it ran in that browser. */
export const platforms = ['page', 'webgpu', 'webnn', 'wasm'] as const;
export type Platform = (typeof platforms)[number];

/**
 * What the page itself must be seen to have done with the platform: given work to it, or got hold of it. The latter is for
 * conformance suites, which have tests that submit nothing and tests that lose their device on purpose; the probe computes
 * in their page all the same.
 */
export type PassEvidence = 'work' | 'device';

export type AdapterSeen = {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallback: boolean;
};

/** What the witness in the page's own world counted. */
export type WorkSeen = {
  readonly submits: number;
  readonly completed: number;
  readonly dispatches: number;
  readonly draws: number;
  readonly afterLost: number;
  readonly uncaptured: number;
  /** Dispatches of WebNN graphs. */
  readonly inferences: number;
  /** WebAssembly modules made into instances. */
  readonly instances: number;
};

export type LostDevice = { readonly number: number; readonly reason: string; readonly message: string };

export type Hallmark = {
  readonly platform: Platform;
  readonly nonce: string;
  readonly browser: string;
  readonly browserVersion: string;
  readonly driver: string;
  readonly driverVersion: string;
  readonly flags: readonly string[];
  readonly userAgent: string;
  readonly url: string;
  readonly isIsolated: boolean;
  /** SHA-256 of what was served to the page, in order. */
  readonly served: string;
  /** Events that the page posted, and the SHA-256 over them that the page itself said through WebDriver. */
  readonly results: { readonly count: number; readonly digest: string };
  /** Of the world that the page cannot reach; absent where the platform needs none. */
  readonly adapter?: AdapterSeen;
  readonly isSoftware?: boolean;
  readonly isProbeRight?: boolean;
  readonly pageAdapters: readonly AdapterSeen[];
  /** WebNN contexts that the page made, by the device type that it asked for: that it ran there is not known. */
  readonly contexts: readonly string[];
  readonly work: WorkSeen;
  readonly lost: readonly LostDevice[];
  readonly gpuProcess: number | null;
  readonly gpuDriver: string;
};

/** Why a pass does not count. `isDevice`: the device or the browser failed, so that another place is worth a try. */
export type Unproven = { readonly code: string; readonly reason: string; readonly isDevice: boolean };

/** The nonce of an attempt, 64 hexadecimal digits: HMAC-SHA256 of task and attempt. */
export function nonceOf(secret: Buffer, task: string, attempt: number): string {
  return createHmac('sha256', secret).update(`${task}\n${attempt}`).digest('hex');
}

/** The eight 32-bit numbers that a device is given. */
export function nonceWords(nonce: string): number[] {
  const bytes = Buffer.from(nonce, 'hex');
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt32LE(at * 4));
}

/** What a device computes from the nonce: the shader of in-page/probe.mjs in whole numbers modulo 2^32. */
export function gpuProduct(words: readonly number[]): number[] {
  return Array.from({ length: 64 }, (_, at) => {
    let x = ((words[at % 8] ?? 0) ^ Math.imul(at, 2_654_435_769)) >>> 0;
    for (let round = 0; round < 256; round += 1)
      x = (Math.imul(x, 1_664_525) + 1_013_904_223 + (words[(x >>> 5) & 7] ?? 0)) >>> 0;
    return x;
  });
}

/** What a WebNN graph computes from the nonce: x * x + x of its numbers modulo 1,024. */
export function nnProduct(words: readonly number[]): number[] {
  return words.map((word) => (word % 1_024) ** 2 + (word % 1_024));
}

/** What the probe of a platform has to answer; null where it is asked for nothing. */
export function probeAnswer(platform: Platform, words: readonly number[]): number[] | null {
  if (platform === 'webgpu') return gpuProduct(words);
  return platform === 'webnn' ? nnProduct(words) : null;
}

/** By what the adapter says of itself: the standard's flag, or the name of a renderer that we know to be one. */
export function isSoftwareAdapter(seen: AdapterSeen): boolean {
  const names = [seen.vendor, seen.architecture, seen.device, seen.description].join(' ');
  return seen.isFallback || /swiftshader|llvmpipe|lavapipe|\bwarp\b|basic render|software/i.test(names);
}

/** What ran where, in one line: what reports show beside the verdict. */
export function hallmarkLine({ platform, browser, browserVersion, adapter, isSoftware, contexts }: Hallmark): string {
  const where = `${browser} ${browserVersion}`;
  if (platform === 'webnn')
    return `webnn asked for ${contexts.join(', ') || 'nothing'}, where it ran is unknown, ${where}`;
  if (platform !== 'webgpu') return `${platform}, ${where}`;
  const names = [adapter?.vendor, adapter?.architecture, adapter?.device, adapter?.description].filter(Boolean);
  const kind = isSoftware === true ? softwareAdapter : 'hardware adapter';
  return `webgpu, ${kind} (${names.join(' ') || 'unnamed'}), ${where}`;
}

/** A device that was lost in a way that its page did not ask for. */
export function lostOfItself(lost: readonly LostDevice[]): LostDevice | undefined {
  return lost.find(({ reason }) => reason !== 'destroyed');
}

/** Null when a pass stands. */
export function unproven(hallmark: Hallmark, hardwareOnly: boolean, evidence: PassEvidence = 'work'): Unproven | null {
  const test = (reason: string, code = 'HALLMARK_MISSING'): Unproven => ({ code, reason, isDevice: false });
  if (hallmark.isProbeRight === false)
    return { code: 'DEVICE_MISSING', reason: 'the probe did not give what a device computes', isDevice: true };
  switch (hallmark.platform) {
    case 'page':
      return null;
    case 'wasm':
      return hallmark.work.instances > 0 ? null : test('the page made no instance of a WebAssembly module');
    case 'webnn':
      if (hallmark.contexts.length === 0) return test('the page made no WebNN context of this browser');
      return hallmark.work.inferences > 0 || evidence === 'device' ? null : test('the page dispatched no WebNN graph');
    case 'webgpu':
      return unprovenGpu(hallmark, hardwareOnly, evidence, test);
  }
}

function unprovenGpu(
  hallmark: Hallmark,
  hardwareOnly: boolean,
  evidence: PassEvidence,
  test: (reason: string, code?: string) => Unproven,
): Unproven | null {
  const pageIsSoftware = hallmark.isSoftware === true || hallmark.pageAdapters.some(isSoftwareAdapter);
  if (hardwareOnly && pageIsSoftware)
    return test('a hardware adapter was required, and the page got a software one', 'SOFTWARE_ADAPTER');
  const { work } = hallmark;
  if (hallmark.pageAdapters.length === 0) return test('the page never got a WebGPU adapter of this browser');
  if (evidence === 'device') return null;
  if (work.dispatches + work.draws === 0) return test('the page submitted no dispatch and no draw to a GPU');
  if (work.afterLost > 0) return test(`the page went on with a lost device: ${work.afterLost} submissions after it`);
  if (work.completed === 0) return test('no submission of the page was completed by a device');
  return null;
}
