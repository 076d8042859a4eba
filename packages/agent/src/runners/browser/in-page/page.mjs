// The harness that a test page uses, as `assay/page`: tests with subtests, skips, measurements and attachments, run one
// after the other, and told to the worker as they end.
import { arrived, tell } from './reporter.mjs';

/** @typedef {{ path: string[], status: string, durationMs: number, failure?: { message: string, stack: string } }} Case */

const state = /** @type {any} */ (globalThis).__assay;
/** @type {{ name: string, body: (t: Test) => unknown, skip: boolean }[]} */
const tests = [];
let isRunning = false;

/** Declares a test. @param {string} name @param {(t: Test) => unknown} body */
export function test(name, body) {
  tests.push({ name, body, skip: false });
}
/** Declares a test that is not run, and counts as skipped. @param {string} name @param {(t: Test) => unknown} body */
test.skip = (name, body) => void tests.push({ name, body, skip: true });

/** Throws unless the condition is true. @param {unknown} condition @param {string} [message] @returns {asserts condition} */
export function assert(condition, message = 'assertion failed') {
  if (!condition) throw new Error(message);
}

/** Throws unless both have the same JSON, or are the same. @param {unknown} actual @param {unknown} expected @param {string} [message] */
export function assertEqual(actual, expected, message = '') {
  if (Object.is(actual, expected)) return;
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left === undefined || left !== right)
    throw new Error(`${message && `${message}: `}got ${left}, expected ${right}`);
}

/**
 * Throws unless two canvases (or images) have the same size and no channel of a pixel differs by more than the tolerance (of
 * 255). Two blank pictures are never the same: what was not drawn proves nothing.
 * @param {CanvasImageSource} actual @param {CanvasImageSource} expected @param {{ tolerance?: number }} [options]
 */
export function assertSameImage(actual, expected, { tolerance = 0 } = {}) {
  const [left, right] = [pixelsOf(actual), pixelsOf(expected)];
  if (left.width !== right.width || left.height !== right.height)
    throw new Error(`got ${left.width} by ${left.height} pixels, expected ${right.width} by ${right.height}`);
  if (isBlank(left.data)) throw new Error('the picture is blank: every pixel is the same');
  let wrong = 0;
  let worst = 0;
  for (let at = 0; at < left.data.length; at += 1) {
    const difference = Math.abs((left.data[at] ?? 0) - (right.data[at] ?? 0));
    if (difference > tolerance) wrong += 1;
    worst = Math.max(worst, difference);
  }
  if (wrong > 0) throw new Error(`${wrong} channel values differ by more than ${tolerance}, at most by ${worst}`);
}

/** @param {any} source */
function pixelsOf(source) {
  const canvas = new OffscreenCanvas(source.naturalWidth || source.width, source.naturalHeight || source.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext('2d', { willReadFrequently: true })
  );
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** @param {Uint8ClampedArray} data */
function isBlank(data) {
  const pixels = new Uint32Array(data.buffer);
  return pixels.every((pixel) => pixel === pixels[0]);
}

class Skipped extends Error {}

/** What a test's body is given. */
class Test {
  /** @param {string[]} path */
  constructor(path) {
    this.path = path;
  }

  /** Runs a subtest; it is told as a case of its own, and its failure is not thrown. @param {string} name @param {(t: Test) => unknown} body */
  async test(name, body) {
    await runOne([...this.path, name], body);
  }

  /** Ends the test as skipped. @param {string} reason @returns {never} */
  skip(reason) {
    throw new Skipped(reason);
  }

  /** Keeps a canvas (as PNG), a Blob or a text with the attempt. @param {string} name @param {HTMLCanvasElement | OffscreenCanvas | Blob | string} content */
  async attach(name, content) {
    /** @type {any} */
    const source = content;
    let blob = source;
    if (typeof source === 'string') blob = new Blob([source]);
    else if (typeof source.convertToBlob === 'function') blob = await source.convertToBlob();
    else if (typeof source.toBlob === 'function') blob = await new Promise((resolve) => source.toBlob(resolve));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let binary = '';
    for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
    tell({ kind: 'file', name, base64: btoa(binary) });
  }
}

/** The module of tests could not be loaded. @param {unknown} error */
export function loadFailed(error) {
  tell({ kind: 'loadError', ...textOf(error) });
}

/** Runs what was declared, tells how each ended, and says that nothing more comes. */
export async function runTests() {
  if (isRunning) return;
  isRunning = true;
  for (const { name, body, skip } of tests) {
    if (skip) tell({ kind: 'case', case: { path: [name], status: 'skipped', durationMs: 0 } });
    else await runOne([name], body);
  }
  for (const event of state.early) tell(event);
  tell({ kind: 'done' });
  await arrived();
}

/** @param {string[]} path @param {(t: Test) => unknown} body */
async function runOne(path, body) {
  const begun = performance.now();
  /** @type {{ status: string, failure?: { message: string, stack: string } }} */
  let end = { status: 'passed' };
  try {
    await body(new Test(path));
  } catch (error) {
    end = error instanceof Skipped ? { status: 'skipped' } : { status: 'failed', failure: textOf(error) };
  }
  tell({ kind: 'case', case: { path, ...end, durationMs: performance.now() - begun } });
}

/** @param {unknown} error */
function textOf(error) {
  const known = /** @type {any} */ (error);
  return { message: String(known?.message ?? error), stack: String(known?.stack ?? '') };
}

// An HTML page declares its tests in its own scripts; a bundled module calls runTests itself.
if (!import.meta.url.endsWith('/__assay/test.js')) addEventListener('load', () => setTimeout(() => void runTests(), 0));
