// Small facts about a project and its environment that every runner asks for: its package.json, a package's place in
// it, an executable on the user's PATH, a short command's output. Nothing is cached: a project changes under us.
import { spawn } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Environment } from './runner.ts';

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The first of `names` that is a file in `directory`. */
export async function firstExisting(directory: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) if (await exists(path.join(directory, name))) return name;
  return null;
}

export type PackageJson = {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Scripts and all dependencies of a project; null without a readable package.json. */
export async function readPackageJson(directory: string): Promise<PackageJson | null> {
  try {
    const json = JSON.parse(await readFile(path.join(directory, 'package.json'), 'utf8')) as Record<string, unknown>;
    return {
      scripts: strings(json['scripts']),
      dependencies: {
        ...strings(json['peerDependencies']),
        ...strings(json['dependencies']),
        ...strings(json['devDependencies']),
      },
    };
  } catch {
    return null;
  }
}

function strings(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** A package as the project resolves it: where it is, and its version. Null when it is not installed. */
export async function installedPackage(
  directory: string,
  name: string,
): Promise<{ root: string; version: string } | null> {
  const require = createRequire(path.join(path.resolve(directory), 'noop.js'));
  for (const base of require.resolve.paths(name) ?? []) {
    try {
      const root = path.join(base, name);
      const json = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version?: unknown };
      return { root, version: typeof json.version === 'string' ? json.version : 'unknown' };
    } catch {
      // Not in this node_modules; the next one up may have it.
    }
  }
  return null;
}

/** The full path of an executable on the PATH of `env`; null when there is none. */
export async function findExecutable(name: string, env: Environment): Promise<string | null> {
  if (name.includes('/') || name.includes(path.sep)) return (await isExecutable(name)) ? name : null;
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const directory of (env['PATH'] ?? env['Path'] ?? '').split(path.delimiter)) {
    for (const suffix of suffixes) {
      const candidate = path.join(directory || '.', name + suffix);
      if (await isExecutable(candidate)) return candidate;
    }
  }
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

export type CommandResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a short command of the project, bounded in time and output. */
export async function commandOutput(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: Environment; timeoutMs: number },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (collected[name].length < 4_000_000) collected[name] += text;
      });
    }
    child.on('error', (error) => resolve({ code: null, stdout: '', stderr: String(error) }));
    child.on('close', (code) => resolve({ code, ...collected }));
  });
}

/** A path relative to the suite's directory with forward slashes: a task's target. */
export function targetOf(directory: string, file: string): string {
  return path.relative(directory, path.resolve(directory, file)).split(path.sep).join('/');
}
