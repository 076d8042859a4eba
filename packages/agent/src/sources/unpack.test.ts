import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { Header } from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEntryJudge, unpackBundle } from './unpack.ts';

let home: string;
let target: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'assay-unpack-'));
  target = join(home, 'inner', 'project');
  mkdirSync(target, { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

type Entry = {
  path: string;
  type?: 'File' | 'SymbolicLink' | 'Link' | 'Directory' | 'CharacterDevice' | 'FIFO';
  linkpath?: string;
  content?: string;
};

/** A bundle made by hand, as no honest tool would make it. */
function bundle(entries: Entry[]): string {
  const blocks: Buffer[] = [];
  for (const { path, type = 'File', linkpath, content = '' } of entries) {
    const size = type === 'File' ? Buffer.byteLength(content) : 0;
    const header = new Header({
      path,
      type,
      mode: 0o644,
      size,
      mtime: new Date(0),
      uid: 0,
      gid: 0,
      ...(linkpath === undefined ? {} : { linkpath }),
    });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    blocks.push(block);
    const data = Buffer.alloc(Math.ceil(size / 512) * 512);
    data.write(content);
    blocks.push(data);
  }
  blocks.push(Buffer.alloc(1024));
  const file = join(home, 'bundle.tgz');
  writeFileSync(file, gzipSync(Buffer.concat(blocks)));
  return file;
}

/** All files below the home, so that one that landed outside the target is seen. */
const outside = (): string[] =>
  readdirSync(home, { recursive: true })
    .map(String)
    .filter((path) => path !== 'bundle.tgz' && !path.startsWith('inner/project') && path !== 'inner');

test('files, directories, inner links and long names come out as they were', async () => {
  const from = join(home, 'from');
  mkdirSync(join(from, 'src', 'deep'), { recursive: true });
  mkdirSync(join(from, 'node_modules', '.bin'), { recursive: true });
  const long = 'n'.repeat(150);
  writeFileSync(join(from, 'src', 'deep', `${long}.txt`), 'hello');
  writeFileSync(join(from, 'tool.sh'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync('../../tool.sh', join(from, 'node_modules', '.bin', 'tool'));
  const file = join(home, 'bundle.tgz');
  execFileSync('tar', ['-czf', file, '-C', from, '.']);
  rmSync(from, { recursive: true });
  await unpackBundle(file, target);
  expect(readFileSync(join(target, 'src', 'deep', `${long}.txt`), 'utf8')).toBe('hello');
  expect(lstatSync(join(target, 'node_modules', '.bin', 'tool')).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(target, 'tool.sh')).mode & 0o111).not.toBe(0);
});

test.each<[string, Entry[], string]>([
  ['an absolute path', [{ path: '/tmp/assay-evil', content: 'x' }], 'leaves the project'],
  ['a parent path', [{ path: '../evil', content: 'x' }], 'leaves the project'],
  ['a parent path in the middle', [{ path: 'a/../../evil', content: 'x' }], 'leaves the project'],
  ['a backslash', [{ path: '..\\evil', content: 'x' }], 'leaves the project'],
  ['a drive', [{ path: 'C:/evil', content: 'x' }], 'leaves the project'],
  ['an absolute link', [{ path: 'a', type: 'SymbolicLink', linkpath: '/etc' }], 'leaves the project'],
  ['a link upwards', [{ path: 'd/a', type: 'SymbolicLink', linkpath: '../../evil' }], 'leaves the project'],
  [
    'a link that goes down and up again',
    [{ path: 'a', type: 'SymbolicLink', linkpath: 'b/../../evil' }],
    'leaves the project',
  ],
  [
    'a write through a link',
    [
      { path: 'a', type: 'SymbolicLink', linkpath: 'b' },
      { path: 'a/evil', content: 'x' },
    ],
    'through a symbolic link',
  ],
  ['a hard link to outside', [{ path: 'a', type: 'Link', linkpath: '../../bundle.tgz' }], 'leaves the project'],
  [
    'a hard link through a link',
    [
      { path: 'a', type: 'SymbolicLink', linkpath: 'b' },
      { path: 'c', type: 'Link', linkpath: 'a/x' },
    ],
    'leaves the project',
  ],
  [
    'a file over a link',
    [
      { path: 'a', type: 'SymbolicLink', linkpath: 'b' },
      { path: 'a', content: 'x' },
    ],
    'second time',
  ],
  ['a device', [{ path: 'a', type: 'CharacterDevice' }], 'is a CharacterDevice'],
  ['a pipe', [{ path: 'a', type: 'FIFO' }], 'is a FIFO'],
])('a bundle with %s is refused, and nothing lands outside', async (_what, entries, reason) => {
  const file = bundle([{ path: 'honest', content: 'x' }, ...entries, { path: 'after', content: 'x' }]);
  await expect(unpackBundle(file, target)).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining(reason),
  });
  expect(outside()).toEqual([]);
  expect(existsSync('/tmp/assay-evil')).toBe(false);
  expect(existsSync(join(target, 'after'))).toBe(false);
});

test('a bundle that unpacks to more than the bound, or to too many entries, is refused', async () => {
  const big = bundle([
    { path: 'a', content: 'x'.repeat(5_000) },
    { path: 'b', content: 'x'.repeat(6_000) },
  ]);
  await expect(unpackBundle(big, target, { bytesMax: 10_000, entriesMax: 10 })).rejects.toThrow(
    'more than 10000 bytes',
  );
  expect(existsSync(join(target, 'b'))).toBe(false);
  const many = bundle([{ path: 'a' }, { path: 'b' }, { path: 'c' }]);
  await expect(unpackBundle(many, target, { bytesMax: 10_000, entriesMax: 2 })).rejects.toThrow('more than 2 entries');
});

test('what is not a bundle, or only the start of one, is refused', async () => {
  const file = join(home, 'bundle.tgz');
  writeFileSync(file, 'no archive at all');
  await expect(unpackBundle(file, target)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  const whole = readFileSync(bundle([{ path: 'a', content: 'x'.repeat(100_000) }]));
  writeFileSync(file, whole.subarray(0, whole.length / 2));
  await expect(unpackBundle(file, target)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
});

test('safety: whatever links a bundle makes, none that is admitted resolves to a place outside', () => {
  const part = fc.constantFrom('a', 'b', 'c', '..', '.');
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const linkpath = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.array(fc.record({ path, linkpath }), { maxLength: 8 }), (entries) => {
      const judge = createEntryJudge();
      const links = new Map<string, string>();
      for (const entry of entries) {
        if (judge({ ...entry, type: 'SymbolicLink', size: 0 }) === null) links.set(entry.path, entry.linkpath);
      }
      for (const link of links.keys()) expect(resolves(link, links)).not.toBe('outside');
    }),
    { numRuns: 2_000 },
  );
});

/** Follows a path as the system does, link by link; `loop` when it never ends. */
function resolves(path: string, links: ReadonlyMap<string, string>): string {
  let todo = path.split('/');
  const done: string[] = [];
  for (let steps = 0; steps < 200; steps += 1) {
    const [next, ...rest] = todo;
    if (next === undefined) return done.join('/');
    todo = rest;
    if (next === '.') continue;
    if (next === '..') {
      if (done.length === 0) return 'outside';
      done.pop();
      continue;
    }
    const link = links.get([...done, next].join('/'));
    if (link === undefined) done.push(next);
    else todo = [...link.split('/'), ...todo];
  }
  return 'loop';
}
