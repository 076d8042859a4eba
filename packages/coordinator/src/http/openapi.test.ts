import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { describeApi } from './describe-api.ts';

test('docs/reference/openapi.json is what the routes say; if not, run node scripts/generate-openapi.ts', async () => {
  const committed = await readFile(new URL('../../../../docs/reference/openapi.json', import.meta.url), 'utf8');
  expect(committed).toBe(await describeApi());
});

test('the document is OpenAPI 3.1, every reference in it leads somewhere, and every route says who may call it', async () => {
  const text = await describeApi();
  const document = JSON.parse(text) as {
    openapi: string;
    components: { schemas: Record<string, unknown> };
    paths: Record<string, Record<string, { description?: string }>>;
  };
  expect(document.openapi).toMatch(/^3\.1\./);
  const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1] ?? '');
  expect(references.length).toBeGreaterThan(50);
  expect(references.filter((name) => !Object.hasOwn(document.components.schemas, name))).toEqual([]);
  const routes = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(routes.length).toBeGreaterThan(18);
  for (const route of routes) expect(route.description).toMatch(/Needs (no token|the scope)/);
});
