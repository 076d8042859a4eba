import { expect, test } from 'vitest';
import { chunksOf, partOf } from './chunks.ts';

const listed = (query: string, cases: number, subcases: number, isOfWholeFile = true) => ({
  query,
  cases,
  subcases,
  isOfWholeFile,
});
const targets = (...args: Parameters<typeof chunksOf>): string[] => chunksOf(...args).map(({ target }) => target);

test('the tests of a file that fit into one chunk are one target, and a long test is cut into parts of its cases', () => {
  const tests = [
    listed('webgpu:a,b:x:*', 2, 20),
    listed('webgpu:a,b:y:*', 1, 10),
    listed('webgpu:c:long:*', 100, 1_000),
    listed('webgpu:c:short:*', 1, 1),
  ];
  const durations = new Map([['webgpu:c:long:*', 30]]);
  expect(targets(tests, durations, 10_000)).toEqual([
    'webgpu:a,b:*',
    'webgpu:c:long:*#1/3',
    'webgpu:c:long:*#2/3',
    'webgpu:c:long:*#3/3',
    'webgpu:c:short:*',
  ]);
  expect(chunksOf(tests, durations, 10_000)[1]).toEqual({ target: 'webgpu:c:long:*#1/3', expectedMs: 10_500 });
});

test('tests of a file that was not asked for whole stay apart: its wildcard would run what nobody asked for', () => {
  const tests = [listed('webgpu:a:x1:*', 1, 1, false), listed('webgpu:a:x2:*', 1, 1, false)];
  expect(targets(tests, new Map(), 10_000)).toEqual(['webgpu:a:x1:*', 'webgpu:a:x2:*']);
});

test('a test of one case is never cut, and a part is read back from its target', () => {
  expect(targets([listed('webgpu:a:x:*', 1, 100_000)], new Map(), 1_000)).toEqual(['webgpu:a:x:*']);
  expect(partOf('webgpu:a:x:k="#";*#2/5')).toEqual({ query: 'webgpu:a:x:k="#";*', part: 2, parts: 5 });
  expect(partOf('webgpu:a:x:*')).toEqual({ query: 'webgpu:a:x:*', part: 1, parts: 1 });
});
