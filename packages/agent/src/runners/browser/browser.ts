// The `browser` runner: a test module (TypeScript or JavaScript, bundled here with esbuild) or an HTML page, run in a real
// browser of the worker. A module imports its tests from `assay/page`; an HTML page imports `/__assay/page.js`.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { glob } from 'tinyglobby';
import { decodedPath, filesRoute } from '../../browsers/loopback.ts';
import type { Answer, Route } from '../../browsers/loopback.ts';
import { html, inPageRoute, preamble, script } from '../page-preamble.ts';
import type { PageFact, PageTask } from '../page-suite.ts';
import { targetOf } from '../project-files.ts';
import type { Detection, Launch, Listing, Runner } from '../runner.ts';
import { browserArguments, platformOfFile } from './arguments.ts';

const harness = fileURLToPath(new URL('in-page/page.mjs', import.meta.url));
const patterns = [
  '**/*.{gpu,webgpu,webnn,wasm,browser}.test.{ts,js,mjs}',
  '**/*.{gpu,webgpu,webnn,wasm,browser}.test.html',
];
const attachmentBytesMax = 8 * 1024 * 1024;

export const browserRunner: Runner = {
  name: 'browser',

  async detect(): Promise<Detection | null> {
    return null;
  },

  async list(projectDir, suite, filters): Promise<Listing> {
    const directory = path.join(projectDir, suite.directory);
    const files = await glob(patterns, { cwd: directory, ignore: ['**/node_modules/**'], expandDirectories: false });
    const targets = files
      .map((file) => targetOf(directory, file))
      .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
    return { kind: 'listed', targets: [...new Set(targets)].toSorted() };
  },

  async launch(projectDir, suite): Promise<Launch> {
    const asked = browserArguments(suite.arguments);
    if (typeof asked === 'string') return { kind: 'refused', code: 'CONFIG_INVALID', reason: asked };
    const directory = path.join(projectDir, suite.directory);
    return {
      kind: 'pages',
      suite: {
        platformOf: (target) => asked.platform ?? platformOfFile(target),
        evidence: 'work',
        browser: asked.browser,
        hardwareOnly: asked.hardwareOnly,
        flags: asked.flags,
        routes: [harnessRoute, filesRoute('/', directory)],
        open: async (target, { reportPath }) =>
          /\.html?$/.test(target) ? openPage(directory, target, reportPath) : openModule(directory, target, reportPath),
      },
    };
  },
};

const harnessRoute: Route = async (url) =>
  url.pathname === '/__assay/page.js' ? { headers: script, body: await readFile(harness) } : inPageRoute(url);

async function openPage(
  directory: string,
  target: string,
  reportPath: string,
): Promise<PageTask | { kind: 'loadError'; error: { message: string } }> {
  let text: string;
  try {
    text = await readFile(path.join(directory, target), 'utf8');
  } catch (error) {
    return { kind: 'loadError', error: { message: String(error) } };
  }
  const doctype = /^\s*<!doctype[^>]*>/i.exec(text)?.[0] ?? '';
  const body = `${doctype}${preamble(reportPath)}${text.slice(doctype.length)}`;
  const at = `/${target}`;
  return { path: at, routes: [(url) => (decodedPath(url) === at ? { headers: html, body } : null)], read };
}

async function openModule(
  directory: string,
  target: string,
  reportPath: string,
): Promise<PageTask | { kind: 'loadError'; error: { message: string } }> {
  const bundled = await bundle(directory, target);
  if (typeof bundled === 'string') return { kind: 'loadError', error: { message: bundled } };
  const page = `<!doctype html><meta charset="utf-8"><title>${target.replaceAll(/[<&]/g, '')}</title>${preamble(reportPath)}<body><script type="module" src="/__assay/test.js"></script>`;
  const answers: Readonly<Record<string, Answer>> = {
    '/__assay/test.html': { headers: html, body: page },
    '/__assay/test.js': { headers: script, body: bundled },
  };
  return { path: '/__assay/test.html', routes: [(url) => answers[url.pathname] ?? null], read };
}

/** One module of everything, or what esbuild says is wrong. */
async function bundle(directory: string, target: string): Promise<Buffer | string> {
  const entry = `import { loadFailed, runTests } from 'assay/page';
try { await import(${JSON.stringify(`./${target}`)}); } catch (error) { loadFailed(error); }
await runTests();`;
  try {
    // Loaded where a page is really bundled: who lists or runs other suites does without.
    const { build } = await import('esbuild');
    const made = await build({
      stdin: { contents: entry, resolveDir: directory, sourcefile: 'assay-entry.js' },
      absWorkingDir: directory,
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2024',
      alias: { 'assay/page': harness },
      loader: { '.wgsl': 'text', '.wasm': 'binary' },
      sourcemap: 'inline',
      logLevel: 'silent',
    });
    return Buffer.from(made.outputFiles[0]?.contents ?? new Uint8Array());
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The events of in-page/page.mjs. */
function read(event: Readonly<Record<string, unknown>>): PageFact | null {
  switch (event['kind']) {
    case 'case':
      return { kind: 'case', case: event['case'] };
    case 'error':
      return { kind: 'error', error: errorOf(event) };
    case 'loadError':
      return { kind: 'loadError', error: errorOf(event) };
    case 'file': {
      const body = Buffer.from(String(event['base64']), 'base64');
      const name = path
        .basename(String(event['name']))
        .replaceAll(/[^\w.-]/g, '_')
        .slice(0, 100);
      return body.length > attachmentBytesMax || name === '' ? null : { kind: 'file', name, body };
    }
    case 'done':
      return { kind: 'done' };
    default:
      return null;
  }
}

function errorOf(event: Readonly<Record<string, unknown>>): { message: string; stack?: string } {
  const { message, stack } = event;
  const text = typeof message === 'string' ? message : 'an error without a message';
  return { message: text, ...(typeof stack === 'string' && stack !== '' ? { stack } : {}) };
}
