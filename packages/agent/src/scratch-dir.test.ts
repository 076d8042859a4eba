import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearScratch, scratchDirectory } from './scratch-dir.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'assay-scratch-'));
});
afterEach(() => rmSync(parent, { recursive: true }));

test('it is short enough for a Unix socket below a batch and an attempt', () => {
  expect(scratchDirectory('w-abcdefghij', '/tmp').length).toBeLessThan(30);
});

test('what a former incarnation left is cleared, and only its owner may look inside', () => {
  const path = scratchDirectory('w-1', parent);
  mkdirSync(path);
  writeFileSync(join(path, 'left'), '');
  clearScratch(path);
  expect(readdirSync(path)).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('a link that somebody put there is removed, never followed', () => {
  const target = join(parent, 'elsewhere');
  mkdirSync(target);
  writeFileSync(join(target, 'precious'), '');
  const path = scratchDirectory('w-2', parent);
  symlinkSync(target, path);
  clearScratch(path);
  expect(existsSync(join(target, 'precious'))).toBe(true);
});
