// `assay run -- <the usual command>`: recognises a runner's own command line, so that its files can be spread; anything else is
// run as it is, as one task, and the user is told so.
//   npx vitest run --config x src/a     -> vitest with [--config x], filter src/a
//   npm test  (script "node --test")    -> node:test
//   python -m pytest -q tests           -> pytest with [-q], filter tests
//   make check                          -> one task
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunnerName } from '@assay/protocol';

export type Recognised =
  | {
      kind: 'runner';
      runner: Exclude<RunnerName, 'command'>;
      arguments: string[];
      filters: string[];
      env: Record<string, string>;
      because: string;
    }
  | { kind: 'command'; argv: string[]; because: string };

const scriptDepthMax = 3;

/** What the command line means for a project. */
export function recogniseCommand(projectDir: string, argv: readonly string[], depth = 0): Recognised {
  const asIs: Recognised = {
    kind: 'command',
    argv: [...argv],
    because: `"${argv.join(' ')}" is not a runner that can be split`,
  };
  const words = withoutLauncher(argv);
  const [program, ...rest] = words;
  if (program === undefined) return asIs;
  const script = scriptOf(program, rest);
  if (script !== null && depth < scriptDepthMax) {
    const words = readScript(projectDir, script.name);
    return words === null
      ? asIs
      : fallBack(recogniseCommand(projectDir, [...words, ...script.arguments], depth + 1), asIs);
  }
  const because = `"${argv.join(' ')}"`;
  if (program === 'vitest') return vitest(rest, because) ?? asIs;
  if (program === 'node' && rest.includes('--test'))
    return runner(
      'node:test',
      rest.filter((word) => word !== '--test'),
      valuedNodeFlags,
      because,
    );
  if (program === 'pytest' || program === 'py.test') return runner('pytest', rest, valuedPytestFlags, because);
  if (/(^|\/)python[0-9.]*$/.test(program) && rest[0] === '-m' && rest[1] === 'pytest') {
    const found = runner('pytest', rest.slice(2), valuedPytestFlags, because);
    // Named by its path, so meant: not the project's virtual environment or another on the PATH.
    return program.includes('/') ? { ...found, env: { ASSAY_PYTHON: program } } : found;
  }
  return asIs;
}

/** A script that leads to something unknown is run as the user wrote it, through its package manager. */
function fallBack(found: Recognised, asIs: Recognised): Recognised {
  return found.kind === 'runner' ? found : asIs;
}

function withoutLauncher(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'npx' || first === 'bunx')
    return argv
      .slice(1)
      .filter((word, index) => !(index === 0 && (word === '-y' || word === '--yes' || word === '--no-install')));
  if ((first === 'npm' || first === 'pnpm' || first === 'yarn') && (second === 'exec' || second === 'dlx'))
    return rest[0] === '--' ? rest.slice(1) : rest;
  return [...argv];
}

function scriptOf(program: string, rest: string[]): { name: string; arguments: string[] } | null {
  if (program !== 'npm' && program !== 'pnpm' && program !== 'yarn') return null;
  const [verb, ...others] = rest;
  const own = (words: string[]): string[] => (words[0] === '--' ? words.slice(1) : words);
  if (verb === 'test' || verb === 't') return { name: 'test', arguments: own(others) };
  if (verb === 'run' && others[0] !== undefined) return { name: others[0], arguments: own(others.slice(1)) };
  return null;
}

/** The words of a package script, or null where it needs a shell. */
function readScript(projectDir: string, name: string): string[] | null {
  try {
    const { scripts } = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as {
      scripts?: Record<string, string>;
    };
    const script = scripts?.[name];
    if (script === undefined || /[;&|<>$`(){}*?"'\\]/.test(script)) return null;
    return script.trim().split(/\s+/);
  } catch {
    return null;
  }
}

const valuedNodeFlags = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--env-file',
  '--test-name-pattern',
  '--test-skip-pattern',
  '--test-timeout',
  '--conditions',
  '-C',
]);
const valuedPytestFlags = new Set([
  '-k',
  '-m',
  '-p',
  '-c',
  '-W',
  '-o',
  '--rootdir',
  '--maxfail',
  '--import-mode',
  '--tb',
  '--ignore',
  '--deselect',
]);
const valuedVitestFlags = new Set([
  '--config',
  '-c',
  '--root',
  '-r',
  '--project',
  '-t',
  '--testNamePattern',
  '--environment',
  '--mode',
  '--pool',
  '--dir',
]);

function vitest(words: string[], because: string): Recognised | null {
  if (words[0] === 'watch' || words[0] === 'dev' || words[0] === 'bench' || words.includes('--watch')) return null;
  return runner(
    'vitest',
    words[0] === 'run' ? words.slice(1) : words.filter((word) => word !== '--run'),
    valuedVitestFlags,
    because,
  );
}

/** Splits a runner's words into its flags, which stay, and its files, which become filters. */
function runner(
  name: Exclude<RunnerName, 'command'>,
  words: string[],
  valued: ReadonlySet<string>,
  because: string,
): Recognised & { kind: 'runner' } {
  const flags: string[] = [];
  const filters: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) filters.push(word);
    else {
      flags.push(word);
      const value = words[index + 1];
      if (valued.has(word) && value !== undefined) flags.push(words[++index] ?? '');
    }
  }
  return { kind: 'runner', runner: name, arguments: flags, filters, env: {}, because };
}
