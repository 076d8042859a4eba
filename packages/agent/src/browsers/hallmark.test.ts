import { expect, test } from 'vitest';
import { gpuProduct, hallmarkLine, isSoftwareAdapter, nnProduct, nonceOf, nonceWords, unproven } from './hallmark.ts';
import type { Hallmark } from './hallmark.ts';

const whole: Hallmark = {
  platform: 'webgpu',
  nonce: '00',
  browser: 'chromium',
  browserVersion: '1',
  driver: 'chromedriver',
  driverVersion: '1',
  flags: [],
  userAgent: '',
  url: '',
  isIsolated: true,
  served: '',
  results: { count: 1, digest: '' },
  adapter: { vendor: 'nvidia', isFallback: false },
  isSoftware: false,
  isProbeRight: true,
  pageAdapters: [{ vendor: 'nvidia', isFallback: false }],
  work: { submits: 1, completed: 1, dispatches: 1, draws: 0, afterLost: 0, uncaptured: 0, inferences: 0, instances: 0 },
  contexts: [],
  lost: [],
  gpuProcess: 1,
  gpuDriver: '',
};

test('a whole hallmark proves a pass, and each missing part has its reason', () => {
  expect(unproven(whole, true)).toBeNull();
  const lack = (part: Partial<Hallmark>, hardwareOnly = false): string =>
    unproven({ ...whole, ...part }, hardwareOnly)?.code ?? 'none';
  expect(lack({ isProbeRight: false })).toBe('DEVICE_MISSING');
  expect(lack({ pageAdapters: [] })).toBe('HALLMARK_MISSING');
  for (const part of [{ dispatches: 0 }, { completed: 0 }, { afterLost: 1 }])
    expect(lack({ work: { ...whole.work, ...part } })).toBe('HALLMARK_MISSING');
  expect(lack({ pageAdapters: [{ isFallback: true }] }, true)).toBe('SOFTWARE_ADAPTER');
  expect(lack({ pageAdapters: [{ isFallback: true }] })).toBe('none');
});

test('WebNN and WebAssembly need work of their own, and an imitation of a probe is none', () => {
  const lack = (part: Partial<Hallmark>): string => unproven({ ...whole, ...part }, false)?.reason ?? 'none';
  expect(lack({ platform: 'wasm' })).toContain('no instance');
  expect(lack({ platform: 'wasm', work: { ...whole.work, instances: 1 } })).toBe('none');
  expect(lack({ platform: 'webnn' })).toContain('no WebNN context');
  expect(lack({ platform: 'webnn', contexts: ['npu'] })).toContain('no WebNN graph');
  expect(lack({ platform: 'webnn', contexts: ['npu'], work: { ...whole.work, inferences: 1 } })).toBe('none');
  expect(lack({ platform: 'webnn', isProbeRight: false })).toContain('the probe');
  expect(nnProduct([1_027])).toEqual([12]);
});

test('one line says what ran where, and calls software software', () => {
  const where = 'chromium 1';
  expect(hallmarkLine(whole)).toBe(`webgpu, hardware adapter (nvidia), ${where}`);
  const adapter = { vendor: 'google', architecture: 'swiftshader', isFallback: true };
  expect(hallmarkLine({ ...whole, adapter, isSoftware: true })).toBe(
    `webgpu, software adapter (google swiftshader), ${where}`,
  );
  expect(hallmarkLine({ ...whole, platform: 'webnn', contexts: ['npu'] })).toContain('where it ran is unknown');
});

test('software is known by the standard’s flag and by the names of renderers', () => {
  const names = ['SwiftShader', 'llvmpipe (LLVM 15)', 'Microsoft Basic Render Driver'];
  for (const description of names) expect(isSoftwareAdapter({ description, isFallback: false })).toBe(true);
  expect(isSoftwareAdapter({ vendor: 'amd', architecture: 'rdna-3', isFallback: false })).toBe(false);
  expect(isSoftwareAdapter({ isFallback: true })).toBe(true);
});

test('a nonce is of one attempt alone, and the product depends on every word of it', () => {
  const secret = Buffer.alloc(32, 7);
  const nonce = nonceOf(secret, 'r-1.0', 1);
  expect(nonce).toMatch(/^[0-9a-f]{64}$/);
  expect(nonceOf(secret, 'r-1.0', 2)).not.toBe(nonce);
  const words = nonceWords(nonce);
  const product = gpuProduct(words);
  for (let at = 0; at < 8; at += 1) expect(gpuProduct(words.with(at, (words[at] ?? 0) ^ 1))).not.toEqual(product);
});
