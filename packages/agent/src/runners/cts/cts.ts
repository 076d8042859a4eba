// The runner of the WebGPU conformance test suite (gpuweb/cts), given a built checkout (`npx grunt build-standalone`). It lists
// queries as chunks of about equal duration; each is a target and one page: a query, and where a test is too long for a chunk,
// `#2/5` for the second of five parts of its cases.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesRoute } from '../../browsers/loopback.ts';
import { Expectations } from '../conformance/expectations.ts';
import { inPageRoute } from '../page-preamble.ts';
import { commandOutput, exists } from '../project-files.ts';
import type { Environment, Launch, Listing, Runner, RunnerRefusal } from '../runner.ts';
import { ctsArguments } from './arguments.ts';
import type { CtsArguments } from './arguments.ts';
import { chunksOf } from './chunks.ts';
import type { ListedTest } from './chunks.ts';
import { ctsPage } from './page.ts';

const listScript = fileURLToPath(new URL('list.mjs', import.meta.url));
const loader = 'out/common/internal/file_loader.js';
const listTimeoutMs = 300_000;

export const ctsRunner: Runner = {
  name: 'cts',

  async detect() {
    return null;
  },

  async list(projectDir, suite, _filters, env): Promise<Listing> {
    const ready = await readyArguments(suite.arguments, path.join(projectDir, suite.directory), env);
    if (ready.kind === 'refused') return ready;
    const { args } = ready;
    const command = ['--no-warnings', listScript, args.checkout, ...args.queries];
    const result = await commandOutput(process.execPath, command, {
      cwd: args.checkout,
      env,
      timeoutMs: listTimeoutMs,
    });
    const tests = result.code === 0 ? parsedTests(result.stdout) : null;
    if (tests === null) {
      const said = (result.stderr || result.stdout).slice(0, 4_000);
      const reason = `The suite could not list ${args.queries.join(' ')}: ${said}`;
      return { kind: 'refused', code: 'CONFIG_UNREADABLE', reason };
    }
    try {
      const chunks = chunksOf(tests, await durationsOf(args), args.chunkMs);
      const expectedMs = new Map(chunks.map((chunk) => [chunk.target, chunk.expectedMs]));
      return { kind: 'listed', targets: [...expectedMs.keys()].toSorted(), expectedMs };
    } catch (error) {
      return { kind: 'refused', code: 'CONFIG_UNREADABLE', reason: `The durations cannot be read: ${String(error)}` };
    }
  },

  async launch(projectDir, suite, env): Promise<Launch> {
    const ready = await readyArguments(suite.arguments, path.join(projectDir, suite.directory), env);
    if (ready.kind === 'refused') return ready;
    const { args } = ready;
    let expectations: Expectations;
    try {
      expectations = await Expectations.read(args.expectations);
    } catch (error) {
      return { kind: 'refused', code: 'CONFIG_UNREADABLE', reason: (error as Error).message };
    }
    const revision = await revisionOf(args.checkout);
    return {
      kind: 'pages',
      suite: {
        platformOf: () => 'webgpu',
        // A conformance suite has tests that submit nothing and tests that destroy their device: that is what they test.
        evidence: 'device',
        browser: args.browser,
        hardwareOnly: args.hardwareOnly,
        flags: args.flags,
        routes: [
          inPageRoute,
          filesRoute('/out/', path.join(args.checkout, 'out')),
          // The suite's images and videos are copied beside its modules.
          filesRoute('/resources/', path.join(args.checkout, 'out/resources')),
        ],
        open: async (target, { reportPath, browser }) =>
          ctsPage({ target, reportPath, browser, expectations, revision }),
      },
    };
  },
};

type Ready = { readonly kind: 'ready'; readonly args: CtsArguments };

async function readyArguments(
  given: readonly string[],
  directory: string,
  env: Environment,
): Promise<Ready | RunnerRefusal> {
  const args = ctsArguments(given, directory, env);
  if (typeof args === 'string') return { kind: 'refused', code: 'CONFIG_INVALID', reason: args };
  if (await exists(path.join(args.checkout, loader))) return { kind: 'ready', args };
  const reason = `${args.checkout} is no built checkout of the WebGPU conformance suite (${loader} is missing): name one with ASSAY_CTS_DIR, after npm ci and npx grunt build-standalone in it.`;
  return { kind: 'refused', code: 'RUNNER_NOT_INSTALLED', reason };
}

/** Milliseconds a subcase by test query: what the suite recorded itself, and over it what was recorded here. */
async function durationsOf(args: CtsArguments): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  const own = path.join(args.checkout, 'src/webgpu/listing_meta.json');
  for (const [file, text] of [
    [own, await readFile(own, 'utf8').catch(() => '{}')],
    [args.durations, args.durations === null ? '{}' : await readFile(args.durations, 'utf8')],
  ]) {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) throw new Error(`${file} is not an object`);
    for (const [query, value] of Object.entries(parsed as Record<string, unknown>)) {
      const ms = (value as { subcaseMS?: unknown } | null)?.subcaseMS;
      if (typeof ms === 'number' && ms > 0) known.set(query, ms);
    }
  }
  return known;
}

/** The commit that the suite was built from, as its build wrote it down. */
async function revisionOf(checkout: string): Promise<string | null> {
  const text = await readFile(path.join(checkout, 'out/common/internal/version.js'), 'utf8').catch(() => '');
  return /version = '([0-9a-f-]{1,100})'/.exec(text)?.[1] ?? null;
}

function parsedTests(text: string): ListedTest[] | null {
  try {
    return JSON.parse(text) as ListedTest[];
  } catch {
    return null;
  }
}
