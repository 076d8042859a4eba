// The runner of web-platform-tests, given a checkout: each target is the address of one test page with its variant, such as
// `webnn/conformance_tests/abs.https.any.html?cpu`.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { glob } from 'tinyglobby';
import { Expectations } from '../conformance/expectations.ts';
import { inPageRoute } from '../page-preamble.ts';
import { exists } from '../project-files.ts';
import type { Environment, Launch, Listing, Runner, RunnerRefusal } from '../runner.ts';
import { wptArguments } from './arguments.ts';
import type { WptArguments } from './arguments.ts';
import { wptPage } from './page.ts';
import { checkoutRoute } from './serve.ts';
import { testsOfFile } from './tests-of-file.ts';

const harness = 'resources/testharness.js';

export const wptRunner: Runner = {
  name: 'wpt',

  async detect() {
    return null;
  },

  async list(projectDir, suite, _filters, env): Promise<Listing> {
    const ready = await readySuite(suite.arguments, path.join(projectDir, suite.directory), env);
    if (ready.kind === 'refused') return ready;
    const { args, expectations } = ready;
    const files = await filesOf(args);
    const tests: string[] = [];
    for (const file of files) tests.push(...testsOfFile(file, await readFile(path.join(args.checkout, file), 'utf8')));
    const skips = expectations.skips(args.browser ?? '').map((source) => new RegExp(source, 's'));
    const targets = [...new Set(tests)].filter((test) => !skips.some((skip) => skip.test(`/${test}`)));
    return { kind: 'listed', targets: targets.toSorted() };
  },

  async launch(projectDir, suite, env): Promise<Launch> {
    const ready = await readySuite(suite.arguments, path.join(projectDir, suite.directory), env);
    if (ready.kind === 'refused') return ready;
    const { args, expectations } = ready;
    return {
      kind: 'pages',
      suite: {
        platformOf: () => args.platform ?? 'page',
        evidence: 'device',
        browser: args.browser,
        hardwareOnly: args.hardwareOnly,
        flags: args.flags,
        routes: [inPageRoute, checkoutRoute(args.checkout)],
        open: async (target, place) =>
          wptPage({ target, ...place, expectations, timeoutMultiplier: args.timeoutMultiplier }),
      },
    };
  },
};

type Ready = { readonly kind: 'ready'; readonly args: WptArguments; readonly expectations: Expectations };

async function readySuite(
  given: readonly string[],
  directory: string,
  env: Environment,
): Promise<Ready | RunnerRefusal> {
  const args = wptArguments(given, directory, env);
  if (typeof args === 'string') return { kind: 'refused', code: 'CONFIG_INVALID', reason: args };
  if (!(await exists(path.join(args.checkout, harness)))) {
    const reason = `${args.checkout} is no checkout of web-platform-tests (${harness} is missing): name one with ASSAY_WPT_DIR.`;
    return { kind: 'refused', code: 'RUNNER_NOT_INSTALLED', reason };
  }
  try {
    return { kind: 'ready', args, expectations: await Expectations.read(args.expectations) };
  } catch (error) {
    return { kind: 'refused', code: 'CONFIG_UNREADABLE', reason: (error as Error).message };
  }
}

/** Test files below the paths that were asked for; a path may name one file. */
async function filesOf({ checkout, paths }: WptArguments): Promise<string[]> {
  const patterns = paths.flatMap((one) => {
    const clean = one.replace(/\/$/, '');
    const below = clean === '.' ? '' : `${clean}/`;
    return /\.(js|x?html)$/.test(clean) ? [clean] : [`${below}**/*.{any,window}.js`, `${below}**/*.{html,xhtml}`];
  });
  const files = await glob(patterns, { cwd: checkout, ignore: ['**/node_modules/**'], expandDirectories: false });
  return files.map((file) => file.split(path.sep).join('/')).toSorted();
}
