// Serves a checkout of web-platform-tests to a page as its own server does, for what these tests use: pages made of `*.any.js` and
// `*.window.js`, `.headers` files, substitutions in `.sub.` files. Handlers in Python are not run: they are answered with 501.
// What always holds: nothing outside the checkout is served, and pages are isolated only where their headers say so.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { contentType, decodedPath } from '../../browsers/loopback.ts';
import type { Answer, Route } from '../../browsers/loopback.ts';
import { html } from '../page-preamble.ts';
import { metaOfScript } from './tests-of-file.ts';

export function checkoutRoute(checkout: string): Route {
  const root = path.resolve(checkout);
  return async (url) => {
    const name = decodedPath(url);
    if (name === null || /\/\.|\0/.test(name)) return null;
    const file = path.resolve(root, `.${name}`);
    if (!file.startsWith(root + path.sep)) return null;
    if (file.endsWith('.py')) return { status: 501, body: `${name} is a handler in Python, which is not run here` };
    const text = await textOf(file);
    if (text !== null) {
      const headers = { 'Content-Type': contentType(file), ...(await headersOf(file)) };
      return { headers, body: file.includes('.sub.') ? substituted(text, url) : text, isIsolated: false };
    }
    return madePage(file, name, url);
  };
}

/** The page that stands for a script: `x.any.html`, `x.any.worker.html` with its `x.any.worker.js`, `x.window.html`. */
async function madePage(file: string, name: string, url: URL): Promise<Answer | null> {
  const found = /^(.*\.(?:any|window))(\.worker)?\.(html|js)$/.exec(file);
  if (!found) return null;
  const [, stem = '', worker, kind] = found;
  const source = await textOf(`${stem}.js`);
  if (source === null) return null;
  const own = name.replace(/(\.worker)?\.(html|js)$/, '.js');
  const meta = metaOfScript(source.toString('utf8'));
  const headers = { ...html, ...(await headersOf(`${stem}.js`)) };
  if (worker !== undefined && kind === 'js') {
    const scripts = ['/resources/testharness.js', ...meta.scripts, own].map((one) => JSON.stringify(one)).join(', ');
    const body = `${globalOf('Worker')}\nimportScripts(${scripts});\ndone();\n`;
    return { headers: { ...headers, 'Content-Type': contentType('x.js') }, body, isIsolated: false };
  }
  if (kind !== 'html') return null;
  const tags = ['/resources/testharness.js', '/resources/testharnessreport.js', ...(worker ? [] : meta.scripts)];
  const body = [
    '<!doctype html><meta charset="utf-8">',
    `<title>${escaped(meta.title ?? name)}</title>`,
    meta.isLong ? '<meta name="timeout" content="long">' : '',
    worker ? '' : `<script>${globalOf('Window')}</script>`,
    ...tags.map((src) => `<script src="${escaped(src)}"></script>`),
    '<div id="log"></div>',
    worker
      ? `<script>fetch_tests_from_worker(new Worker(${JSON.stringify(own.replace(/\.js$/, '.worker.js') + url.search)}));</script>`
      : `<script src="${escaped(own)}"></script>`,
  ];
  return { headers, body: body.join('\n'), isIsolated: false };
}

function globalOf(kind: 'Window' | 'Worker'): string {
  const is = (name: string): string => `is${name}: () => ${String(name === kind)}`;
  return `self.GLOBAL = { ${['Window', 'Worker', 'ShadowRealm'].map(is).join(', ')} };`;
}

/** Of `x.headers` beside a file, and of `__dir__.headers` in its folder. */
async function headersOf(file: string): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const from of [path.join(path.dirname(file), '__dir__.headers'), `${file}.headers`]) {
    const text = await readFile(from, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const [, name, value] = /^([\w-]+):\s*(.*?)\s*$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) headers[name] = value;
    }
  }
  return headers;
}

function substituted(body: Buffer, url: URL): string {
  const value = (what: string): string | null => {
    if (what === 'host' || /^(domains|hosts)\[/.test(what)) return url.hostname;
    if (/^ports\[\w+\]\[\d\]$/.test(what)) return url.port;
    const asked = /^GET\[(.+)\]$/.exec(what)?.[1];
    return asked === undefined ? null : (url.searchParams.get(asked) ?? '');
  };
  return body.toString('utf8').replaceAll(/\{\{([^}]+)\}\}/g, (all, what: string) => value(what.trim()) ?? all);
}

async function textOf(file: string): Promise<Buffer | null> {
  const found = await stat(file).catch(() => null);
  return found?.isFile() === true ? readFile(file) : null;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
