// Page tests in a real Chromium through its WebDriver: what passes with its evidence, and every planted lie that must not.
import { beforeAll, expect, test } from 'vitest';
import { machineUnderTest } from '../browsers/machine-under-test.ts';
import type { MachineUnderTest } from '../browsers/machine-under-test.ts';
import type { Hallmark } from '../browsers/hallmark.ts';
import { browserProcesses, killPart } from '../browsers/processes-under-test.ts';
import type { BrowserPart } from '../browsers/processes-under-test.ts';
import { endOf, recordBatch, titlesOf } from './recorded-batch.ts';
import type { BatchOptions, RecordedBatch } from './recorded-batch.ts';

let machine: MachineUnderTest | null = null;
beforeAll(async () => {
  machine = await machineUnderTest(['chromium/headless-shell']);
});

async function pages(targets: readonly string[], options: BatchOptions = {}): Promise<RecordedBatch> {
  return recordBatch('browser', targets, { ...options, machine: machine ?? { browsers: [], drivers: {} } });
}

const hallmarkOf = (batch: RecordedBatch, target: string): Hallmark =>
  JSON.parse(batch.byTarget[target]?.logs['hallmark.json'] ?? '{}') as Hallmark;

test('a WebGPU test passes with a hallmark that names the software adapter as software', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const target = 'double.webgpu.test.ts';
  const batch = await pages([target]);
  expect(endOf(batch.byTarget[target])).toBe('passed');
  expect(titlesOf(batch.byTarget[target])).toEqual([
    'passed a compute shader doubles numbers > every number',
    'passed a compute shader doubles numbers',
  ]);
  expect(batch.byTarget[target]?.output).toContain('console.log: computed 1000');
  expect(hallmarkOf(batch, target)).toMatchObject({
    platform: 'webgpu',
    browser: 'chromium/headless-shell',
    isSoftware: true,
    isProbeRight: true,
    isIsolated: true,
    pageAdapters: [{ architecture: 'swiftshader' }],
    work: { submits: 1, completed: 1, dispatches: 1, draws: 0 },
    lost: [],
    results: { count: 3 },
    gpuProcess: expect.any(Number) as number,
  });
  expect(batch.leftInScratch).toEqual([]);
});

test('no claim without evidence: idle, imitated, empty, skipped, and gone on with a destroyed device', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const lies = {
    'idle.webgpu.test.js': 'inconclusive test HALLMARK_MISSING',
    'polyfilled.webgpu.test.js': 'inconclusive test HALLMARK_MISSING',
    'nothing.webgpu.test.js': 'inconclusive test NO_TESTS_RAN',
    'skipped.browser.test.js': 'skipped',
    'destroyed.webgpu.test.js': 'inconclusive test HALLMARK_MISSING',
    'idle.wasm.test.js': 'inconclusive test HALLMARK_MISSING',
  };
  const { byTarget } = await pages(Object.keys(lies));
  expect(Object.fromEntries(Object.keys(lies).map((name) => [name, endOf(byTarget[name])]))).toEqual(lies);
  expect(byTarget['destroyed.webgpu.test.js']?.outcome?.failure?.message).toContain('went on with a lost device');
  expect(byTarget['polyfilled.webgpu.test.js']?.outcome?.failure?.message).toContain('never got a WebGPU adapter');
});

test('what fails, fails to load or throws outside its tests says so, and a page starts with clean storage', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const twice = 'page.browser.test.html';
  const names = ['failing', 'broken', 'throws', 'late-error'].map((name) => `${name}.browser.test.ts`);
  const first = await pages([twice, ...names]);
  expect(endOf(first.byTarget[twice])).toBe('passed');
  expect(names.map((name) => endOf(first.byTarget[name]))).toEqual([
    'failed test TESTS_FAILED',
    'failed test FILE_FAILED_TO_LOAD',
    'failed test FILE_FAILED_TO_LOAD',
    'failed test ERRORS_OUTSIDE_TESTS',
  ]);
  const failing = first.byTarget['failing.browser.test.ts'];
  expect(failing?.cases[0]?.failure?.message).toBe('the sum: got 2, expected 3');
  // What the page looked like is kept where a test failed, and only there.
  expect(failing?.logs['screenshot.png']).toMatch(/PNG/);
  expect(Object.keys(first.byTarget[twice]?.logs ?? {})).not.toContain('screenshot.png');
});

test('WebAssembly and drawing are seen; a blank picture is never the same as another', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const { byTarget } = await pages(['adds.wasm.test.js', 'blank.webgpu.test.js']);
  expect(endOf(byTarget['adds.wasm.test.js'])).toBe('passed');
  expect(titlesOf(byTarget['blank.webgpu.test.js'])).toEqual([
    'passed a triangle is drawn where it must be',
    'failed two blank pictures are not the same',
  ]);
  expect(byTarget['blank.webgpu.test.js']?.cases[1]?.failure?.message).toContain('blank');
  expect(Object.keys(byTarget['blank.webgpu.test.js']?.logs ?? {})).toContain('triangle.png');
});

test('a hardware adapter that is required and not there is refused before the page is opened', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const target = 'double.webgpu.test.ts';
  const { byTarget } = await pages([target], { suite: { arguments: ['--hardware'] } });
  expect(endOf(byTarget[target])).toBe('errored configuration BROWSER_MISSING');
  expect(byTarget[target]?.outcome?.failure?.message).toContain('has only a software adapter');
});

test('a page that spins or waits past its time-out ends alone, and the next one runs in a new browser', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const targets = ['spins.browser.test.ts', 'page.browser.test.html'];
  const { byTarget } = await pages(targets, { suite: { timeoutMs: 20_000 } });
  expect(targets.map((name) => endOf(byTarget[name]))).toEqual(['timedOut timeout TIMED_OUT', 'passed']);
});

/** Ends a part of the browser once the target has said that it waits. */
async function killedDuring(target: string, part: BrowserPart): Promise<RecordedBatch> {
  let isKilled = false;
  const timer: { id?: NodeJS.Timeout } = {};
  const batch = pages([target, 'page.browser.test.html'], {
    steer: (_batch, started) => {
      if (started?.target !== target) return;
      timer.id = setInterval(() => {
        if (isKilled || !started.output.includes('waiting')) return;
        isKilled = true;
        void killPart(part);
      }, 20);
    },
  });
  return batch.finally(() => clearInterval(timer.id));
}

test('a browser, page or driver that is killed in the middle is the browser’s failure, and the next page runs', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const target = 'waits.browser.test.ts';
  const ends: Record<string, string> = {};
  for (const part of ['browser', 'renderer', 'driver'] as const) {
    const { byTarget, leftInScratch } = await killedDuring(target, part);
    ends[part] = endOf(byTarget[target]);
    expect([endOf(byTarget['page.browser.test.html']), leftInScratch]).toEqual(['passed', []]);
  }
  expect(ends).toEqual({
    browser: 'errored browser BROWSER_GONE',
    renderer: 'errored browser TAB_CRASHED',
    driver: 'errored browser BROWSER_GONE',
  });
  for (const part of ['browser', 'gpu', 'renderer', 'driver'] as const) expect(browserProcesses(part)).toEqual([]);
});

test('a GPU process that is killed in the middle is a lost device, whatever the page then says', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const target = 'loses.webgpu.test.js';
  const { byTarget } = await killedDuring(target, 'gpu');
  expect(endOf(byTarget[target])).toBe('errored device DEVICE_LOST');
});
