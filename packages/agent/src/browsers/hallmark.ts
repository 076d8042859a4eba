// The hallmark of a browser attempt: what shows that a pass came from this browser, this page and a device that worked.
// It is put together from what the page cannot write: a world of ours in the page, a witness that was there before the page's
// scripts, the browser's own account of its GPU process, and what our server served. Judged here, in one place.
// What it does not show: that the test checks the right thing, or on which processor WebNN ran.
import { createHmac } from 'node:crypto';

/** What a page's pass has to be shown of. `page` is only that it ran in that browser. */
export const platforms = ['page', 'webgpu', 'webnn', 'wasm'] as const;
export type Platform = (typeof platforms)[number];

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

/** By what the adapter says of itself: the standard's flag, or the name of a renderer that we know to be one. */
export function isSoftwareAdapter(seen: AdapterSeen): boolean {
  const names = [seen.vendor, seen.architecture, seen.device, seen.description].join(' ');
  return seen.isFallback || /swiftshader|llvmpipe|lavapipe|\bwarp\b|basic render|software/i.test(names);
}

/** A device that was lost in a way that its page did not ask for. */
export function lostOfItself(lost: readonly LostDevice[]): LostDevice | undefined {
  return lost.find(({ reason }) => reason !== 'destroyed');
}

/** Null when a pass stands. */
export function unproven(hallmark: Hallmark, hardwareOnly: boolean): Unproven | null {
  const test = (reason: string, code = 'HALLMARK_MISSING'): Unproven => ({ code, reason, isDevice: false });
  if (hallmark.platform !== 'webgpu') return null;
  if (!hallmark.adapter || hallmark.isProbeRight !== true)
    return { code: 'DEVICE_MISSING', reason: 'the probe dispatch did not give what a device computes', isDevice: true };
  const pageIsSoftware = hallmark.isSoftware === true || hallmark.pageAdapters.some(isSoftwareAdapter);
  if (hardwareOnly && pageIsSoftware)
    return test('a hardware adapter was required, and the page got a software one', 'SOFTWARE_ADAPTER');
  const { work } = hallmark;
  if (hallmark.pageAdapters.length === 0) return test('the page never got a WebGPU adapter of this browser');
  if (work.dispatches + work.draws === 0) return test('the page submitted no dispatch and no draw to a GPU');
  if (work.afterLost > 0) return test(`the page went on with a lost device: ${work.afterLost} submissions after it`);
  if (work.completed === 0) return test('no submission of the page was completed by a device');
  return null;
}
