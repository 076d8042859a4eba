// The node:test runner. `node --test` has no way to list files: without patterns its documented default globs are
// applied here (nodejs.org, "Running tests from the command line"), else the patterns of the suite's own arguments.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { glob } from 'tinyglobby';
import { commandOutput, findExecutable, readPackageJson, targetOf } from '../project-files.ts';
import type { Detection, Environment, Launch, Listing, Runner } from '../runner.ts';

const hostScript = fileURLToPath(new URL('host.mjs', import.meta.url));
/** Flags of `node --test` and `node` whose value is the next argument. */
const valuedFlags = new Set([
  ...['--import', '--require', '-r', '--loader', '--experimental-loader', '--conditions', '-C', '--env-file'],
  ...[
    '--test-name-pattern',
    '--test-skip-pattern',
    '--test-reporter',
    '--test-reporter-destination',
    '--test-concurrency',
  ],
  ...['--test-timeout', '--test-shard', '--test-global-setup', '--test-isolation', '--experimental-test-isolation'],
]);

export const nodeTestRunner: Runner = {
  name: 'node:test',

  async detect(projectDir): Promise<Detection | null> {
    const project = await readPackageJson(projectDir);
    const script = Object.entries(project?.scripts ?? {}).find(([, line]) => /\bnode\b[^&|;]*\s--test\b/.test(line));
    const why = script ? `the script "${script[0]}" runs node --test` : null;
    const borp =
      project?.dependencies['borp'] === undefined ? null : 'package.json depends on borp, a front end of node:test';
    return why || borp ? { runner: 'node:test', version: null, why: why ?? borp ?? '' } : null;
  },

  async list(projectDir, suite, filters, env): Promise<Listing> {
    const directory = path.join(projectDir, suite.directory);
    const given = patternsOf(suite.arguments);
    const patterns =
      given.length > 0 ? await withDirectories(directory, given) : defaultPatterns(await stripsTypes(directory, env));
    const files = await glob(patterns, { cwd: directory, ignore: ['**/node_modules/**'], expandDirectories: false });
    const targets = files
      .map((file) => targetOf(directory, file))
      .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
    return { kind: 'listed', targets: [...new Set(targets)].toSorted() };
  },

  async launch(_projectDir, _suite, env): Promise<Launch> {
    return {
      kind: 'host',
      command: (await findExecutable('node', env)) ?? process.execPath,
      arguments: [hostScript],
      env: {},
      outlivesBatch: true,
    };
  },
};

/** The positional arguments: files and globs. */
export function patternsOf(args: readonly string[]): string[] {
  const patterns: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (!argument.startsWith('-')) patterns.push(argument);
    else if (valuedFlags.has(argument)) index += 1;
  }
  return patterns;
}

/** A directory given by name means the files that node would run in it. */
async function withDirectories(directory: string, given: readonly string[]): Promise<string[]> {
  const patterns: string[] = [];
  for (const pattern of given) {
    const isDirectory = await stat(path.join(directory, pattern)).then(
      (found) => found.isDirectory(),
      () => false,
    );
    patterns.push(isDirectory ? `${pattern.replace(/\/+$/, '')}/**/*.{js,cjs,mjs}` : pattern);
  }
  return patterns;
}

export function defaultPatterns(withTypes: boolean): string[] {
  const endings = withTypes ? '{js,cjs,mjs,ts,cts,mts}' : '{js,cjs,mjs}';
  return ['*.test', '*-test', '*_test', 'test-*', 'test', 'test/**/*'].map((name) => `**/${name}.${endings}`);
}

/** Node matches TypeScript names from 22.18 and 23.6 on, where it strips types by itself. */
async function stripsTypes(directory: string, env: Environment): Promise<boolean> {
  const node = (await findExecutable('node', env)) ?? process.execPath;
  const result = await commandOutput(node, ['-p', 'Boolean(process.features.typescript)'], {
    cwd: directory,
    env,
    timeoutMs: 20_000,
  });
  return result.stdout.trim() === 'true';
}
