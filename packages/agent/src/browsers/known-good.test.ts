import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { browserKey, knownGoodFor } from './known-good.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/explain/browsers.md'), 'utf8');

test('the documented table has every flag that browsers are started with, and no other', () => {
  const known = knownGoodFor({ name: 'chromium' });
  const table = page.slice(page.indexOf('## How browsers are started'), page.indexOf('## Not yet'));
  const documented = [...table.matchAll(/`(--[^`]+)`/g)].map(([, flag]) => flag);
  expect(documented).toEqual([...(known?.base ?? []), ...(known?.software ?? [])]);
});

test('a browser is named by its channel where it has one, and one that we cannot hold is not known', () => {
  expect(browserKey({ name: 'chromium', channel: 'headless-shell' })).toBe('chromium/headless-shell');
  expect(browserKey({ name: 'chromium' })).toBe('chromium');
  expect(knownGoodFor({ name: 'netscape' })).toBeNull();
});
