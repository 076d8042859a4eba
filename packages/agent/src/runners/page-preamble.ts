// What pages of every page runner begin with, and the scripts of ours that they load from `/__assay/`.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { contentType } from '../browsers/loopback.ts';
import type { Route } from '../browsers/loopback.ts';

export const script = { 'Content-Type': contentType('x.mjs') };
export const html = { 'Content-Type': contentType('x.html') };

const scripts = new Map(
  ['reporter.mjs', 'cts.mjs'].map((name) => [
    `/__assay/${name}`,
    fileURLToPath(new URL(`browser/in-page/${name}`, import.meta.url)),
  ]),
);

export const inPageRoute: Route = async (url) => {
  const file = scripts.get(url.pathname);
  return file === undefined ? null : { headers: script, body: await readFile(file) };
};

/** Where the page reports, what it is to do, and that errors outside tests are told. */
export function preamble(reportPath: string, task: unknown = null): string {
  const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', String.raw`\u003c`);
  return `<script>
    globalThis.__assay = { report: ${json(reportPath)}, task: ${json(task)}, early: [] };
    addEventListener('error', (event) => __assay.early.push({ kind: 'error', message: String(event.error?.message ?? event.message), stack: String(event.error?.stack ?? '') }));
    addEventListener('unhandledrejection', (event) => __assay.early.push({ kind: 'error', message: String(event.reason?.message ?? event.reason), stack: String(event.reason?.stack ?? '') }));
  </script>`;
}
