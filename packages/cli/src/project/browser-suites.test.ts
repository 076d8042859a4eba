import type { Suite } from '@assay/protocol';
import { expect, test } from 'vitest';
import { byPlatform } from './browser-suites.ts';

const suite: Suite = {
  name: 'web',
  runner: 'browser',
  directory: '',
  arguments: [],
  env: {},
  secrets: [],
  timeoutMs: 1,
  noOutputTimeoutMs: 0,
  requires: '',
  retries: 0,
  batching: 'shared',
};

test('files are split by what their names need, and each part requires it', () => {
  const parts = byPlatform(suite, ['a.gpu.test.ts', 'b.wasm.test.js', 'c.html', 'd.webgpu.test.ts']);
  expect(parts.map(({ suite: { name, requires }, targets }) => [name, requires, targets])).toEqual([
    ['web (webgpu)', 'devices.exists(d, d.class == "webgpu")', ['a.gpu.test.ts', 'd.webgpu.test.ts']],
    ['web (wasm)', 'devices.exists(d, d.class == "wasm")', ['b.wasm.test.js']],
    ['web (page)', 'devices.exists(d, d.class == "wasm")', ['c.html']],
  ]);
});

test('a named browser, hardware and the suite’s own requirement are all required', () => {
  const args = ['--browser=chromium', '--hardware', '--platform', 'webgpu'];
  const [only] = byPlatform({ ...suite, arguments: args, requires: 'cpu.count >= 2' }, ['c.html']);
  expect(only?.suite.requires).toBe(
    '(cpu.count >= 2) && devices.exists(d, d.class == "webgpu" && (d.browser == "chromium" || d.browser.startsWith("chromium/")) && !d.software)',
  );
});

test('arguments that mean nothing are named', () => {
  expect(() => byPlatform({ ...suite, arguments: ['--platform', 'gpu'] }, ['c.html'])).toThrow('not "gpu"');
  expect(() => byPlatform({ ...suite, arguments: ['--fast'] }, ['c.html'])).toThrow('"--fast" is no argument');
});
