// The vitest runner, 2 and later: the project's own vitest does everything, started by the user's own Node.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Suite } from '@assay/protocol';
import {
  commandOutput,
  findExecutable,
  firstExisting,
  installedPackage,
  readPackageJson,
  targetOf,
} from '../project-files.ts';
import type { Detection, Environment, Launch, Listing, Runner, RunnerRefusal } from '../runner.ts';

const endings = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'];
const configFiles = [
  ...endings.map((ending) => `vitest.config.${ending}`),
  ...['workspace', 'projects'].flatMap((kind) =>
    ['ts', 'mts', 'js', 'mjs', 'json'].map((ending) => `vitest.${kind}.${ending}`),
  ),
];
const hostScript = fileURLToPath(new URL('host.mjs', import.meta.url));
const oldestMajor = 2;
const listTimeoutMs = 120_000;

export const vitestRunner: Runner = {
  name: 'vitest',

  async detect(projectDir): Promise<Detection | null> {
    const installed = await installedPackage(projectDir, 'vitest');
    const configFile = await firstExisting(projectDir, configFiles);
    const declared = (await readPackageJson(projectDir))?.dependencies['vitest'];
    const version = installed?.version ?? null;
    if (configFile) return { runner: 'vitest', version, why: `${configFile} is there`, configFile };
    if (declared !== undefined) return { runner: 'vitest', version, why: `package.json depends on vitest ${declared}` };
    return null;
  },

  async list(projectDir, suite, filters, env): Promise<Listing> {
    const directory = path.join(projectDir, suite.directory);
    const ready = await nodeAndVitest(directory, env);
    if (ready.kind === 'refused') return ready;
    const scratch = await mkdtemp(path.join(tmpdir(), 'assay-list-'));
    try {
      const file = path.join(scratch, 'files.json');
      const cli = path.join(ready.vitestRoot, 'vitest.mjs');
      const args = [cli, 'list', ...withoutReporters(suite.arguments), '--filesOnly', `--json=${file}`, ...filters];
      const result = await commandOutput(ready.node, args, { cwd: directory, env, timeoutMs: listTimeoutMs });
      return await listed(directory, file, result.stderr || result.stdout);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },

  async launch(projectDir, suite, env): Promise<Launch> {
    const ready = await nodeAndVitest(path.join(projectDir, suite.directory), env);
    if (ready.kind === 'refused') return ready;
    return { kind: 'host', command: ready.node, arguments: [hostScript], env: {}, outlivesBatch: true };
  },
};

type Ready = { readonly kind: 'ready'; readonly node: string; readonly vitestRoot: string };

async function nodeAndVitest(directory: string, env: Environment): Promise<Ready | RunnerRefusal> {
  const installed = await installedPackage(directory, 'vitest');
  if (!installed) {
    return {
      kind: 'refused',
      code: 'RUNNER_NOT_INSTALLED',
      reason: `vitest is not installed in ${directory}: run the project's install step (npm ci) there, or add it to the bundle's set-up.`,
    };
  }
  if (Number(installed.version.split('.')[0]) < oldestMajor) {
    return {
      kind: 'refused',
      code: 'RUNNER_NOT_INSTALLED',
      reason: `vitest ${installed.version} is too old: 2 or later is needed.`,
    };
  }
  return { kind: 'ready', node: (await findExecutable('node', env)) ?? process.execPath, vitestRoot: installed.root };
}

/** Reporter switches have no meaning for a listing, and old versions refuse some of them there. */
function withoutReporters(args: Suite['arguments']): string[] {
  return args.filter((argument) => !/^--(reporter|outputFile|coverage)\b/.test(argument));
}

async function listed(directory: string, file: string, complaint: string): Promise<Listing> {
  let found: unknown;
  try {
    found = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return {
      kind: 'refused',
      code: 'CONFIG_UNREADABLE',
      reason: `vitest could not list its files: ${complaint.slice(0, 4_000)}`,
    };
  }
  const targets = new Set<string>();
  for (const entry of Array.isArray(found) ? found : []) {
    const name: unknown = typeof entry === 'string' ? entry : (entry as { file?: unknown }).file;
    if (typeof name === 'string') targets.add(targetOf(directory, name));
  }
  return { kind: 'listed', targets: [...targets].toSorted() };
}
