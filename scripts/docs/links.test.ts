// Links between our own pages and to files of the repository lead somewhere. Addresses on the network are not asked.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { anchorOf, parsePage, type Page, readPages, root } from './markdown.ts';

/** What is wrong with a page's links. */
function brokenLinks(page: Page, all: ReadonlyMap<string, Page>): string[] {
  return page.links.flatMap(({ target, line }) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const file =
      path === ''
        ? page.path
        : normalize(join(dirname(page.path), path))
            .replaceAll('\\', '/')
            .replace(/\/$/, '');
    if (file.startsWith('..') || !existsSync(join(root, file)))
      return [`${page.path}:${line}: ${target}: no such file`];
    if (anchor !== undefined && all.get(file)?.anchors.has(anchor) !== true)
      return [`${page.path}:${line}: ${target}: no such heading`];
    return [];
  });
}

test('every link within the repository leads to a file, and to a heading where it names one', () => {
  const pages = readPages();
  const all = new Map(pages.map((page) => [page.path, page]));
  expect(pages.flatMap((page) => brokenLinks(page, all))).toEqual([]);
  expect(pages.reduce((sum, { links }) => sum + links.length, 0)).toBeGreaterThan(20);
});

test('a link to nowhere is found, by file and by heading, and code is not a link', () => {
  const page = parsePage(
    'README.md',
    '# A thing: here\n[a](#a-thing-here) [b](#nowhere) [c](missing.md) `[d](missing.md)`\n',
  );
  expect(brokenLinks(page, new Map([['README.md', page]]))).toEqual([
    'README.md:2: #nowhere: no such heading',
    'README.md:2: missing.md: no such file',
  ]);
});

test('headings become anchors as GitHub makes them', () => {
  expect(anchorOf('What fails, and `how`?')).toBe('what-fails-and-how');
});
