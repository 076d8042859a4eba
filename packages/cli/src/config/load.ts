// Finds and loads a project's assay.config.{ts,mts,js,mjs,json}. The file is the project's own code and runs in this process;
// `import { defineConfig } from "assay"` resolves to ours even where the package is not installed.
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AssayError } from '@assay/protocol';
import { ProjectConfig } from './schema.ts';

const names = ['assay.config.ts', 'assay.config.mts', 'assay.config.js', 'assay.config.mjs', 'assay.config.json'];

export type LoadedConfig = { path: string | null; config: ProjectConfig };

/** The configuration of a project; all defaults where it has none. */
export async function loadConfig(projectDir: string, explicitPath?: string): Promise<LoadedConfig> {
  const path = explicitPath ?? names.map((name) => join(projectDir, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return { path: null, config: ProjectConfig.parse({}) };
  return { path, config: checkConfig(path, await readConfigValue(path)) };
}

async function readConfigValue(path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(readFileSync(path, 'utf8'));
    const url = pathToFileURL(path).href;
    prepareFor(url);
    const module = (await import(url)) as { default?: unknown };
    if (module.default === undefined) throw new Error('it has no default export');
    return module.default;
  } catch (error) {
    throw new AssayError(
      'CONFIG_UNREADABLE',
      `${path}: ${error instanceof Error ? error.message : String(error)}`,
      undefined,
      error,
    );
  }
}

/** Makes `assay` resolve to ours, and a TypeScript configuration an ES module also in a CommonJS package. */
function prepareFor(configUrl: string): void {
  const ours = new URL('../config-entry.ts', import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'assay' || specifier === '@assay/cli'
        ? { url: ours, shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      next(url, url === configUrl && /\.m?ts$/.test(url) ? { ...context, format: 'module-typescript' } : context),
  });
}

/** Validates a configuration value; every wrong key is named with its place. */
export function checkConfig(path: string, value: unknown): ProjectConfig {
  const parsed = ProjectConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) => {
    const at = issue.path.length === 0 ? 'the configuration' : issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [`${at}: ${issue.message}`];
    return issue.keys.map((key) => `${at}: unknown key "${key}"${suggest(key, issue.path.length)}`);
  });
  throw new AssayError('CONFIG_INVALID', `${path}:\n${details.map((detail) => `  ${detail}`).join('\n')}`, details);
}

const known = {
  top: Object.keys(ProjectConfig.shape),
  suite: [
    'name',
    'runner',
    'directory',
    'include',
    'exclude',
    'command',
    'arguments',
    'env',
    'secrets',
    'timeout',
    'noOutputTimeout',
    'requires',
    'uses',
    'retries',
    'batching',
    'junit',
    'benchmark',
    'setup',
  ],
};

function suggest(key: string, depth: number): string {
  const candidates = depth === 0 ? known.top : known.suite;
  const nearest = candidates
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return nearest && nearest.distance <= 3
    ? `; did you mean "${nearest.name}"?`
    : `; known are ${candidates.join(', ')}`;
}

/** Levenshtein's distance, by the two-row method (Wagner and Fischer 1974). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
