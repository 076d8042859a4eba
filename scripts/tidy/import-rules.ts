// Who may import what: the table of ARCHITECTURE.md, section 3, read from every import specifier. The linter refuses
// the same by name where it can; here are the rules that need both paths.
// What always holds: tests are held only to the package boundary, since they may start whatever they test.
import { posix } from 'node:path';
import { isTest, lineAt, type Finding, type Rule, type TidyFile } from './rule.ts';

export interface Import {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  readonly line: number;
}

const importPattern =
  /\b(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]*?\bfrom\s*)?(['"])([^'"\n]*)\2|\bimport\s*\(\s*(['"])([^'"\n]*)\4/g;

export function importsOf(file: TidyFile): Import[] {
  const found: Import[] = [];
  for (const match of file.code.matchAll(importPattern)) {
    const quoteAt = match.index + match[0].search(/['"]/);
    const inner = match[3] ?? match[5] ?? '';
    const specifier = file.text.slice(quoteAt + 1, quoteAt + 1 + inner.length);
    found.push({ specifier, isTypeOnly: isTypeOnly(match[0]), line: lineAt(file.text, match.index) });
  }
  return found;
}

function isTypeOnly(statement: string): boolean {
  if (/^(?:import|export)\s+type\b/.test(statement)) return true;
  const names = /\{([^}]*)\}/.exec(statement)?.[1]?.split(',') ?? [];
  const real = names.map((name) => name.trim()).filter((name) => name !== '');
  return real.length > 0 && real.every((name) => name.startsWith('type ')) && !/^import\s+\w+\s*,/.test(statement);
}

interface Row {
  /** What of ours it may import. The first door only: never a path inside another package. */
  readonly ours: readonly string[];
  /** What else, besides its own files; undefined: whatever its package.json declares. */
  readonly others?: readonly RegExp[];
}

const anyOfOurs = ['protocol', 'core', 'coordinator', 'agent', 'client', 'cli', 'dashboard', 'simulator', 'drill'];

const table: Readonly<Record<string, Row>> = {
  protocol: { ours: [], others: [/^zod$/] },
  core: { ours: ['protocol'], others: [/^@marcbachmann\/cel-js$/] },
  coordinator: { ours: ['protocol', 'core'] },
  agent: { ours: ['protocol'] },
  client: { ours: ['protocol'], others: [/^(?!node:)/] },
  cli: { ours: ['protocol', 'client', 'coordinator', 'agent', 'dashboard', 'drill'] },
  dashboard: { ours: ['protocol', 'client'], others: [/^(?!node:)/] },
  simulator: { ours: anyOfOurs },
  drill: { ours: anyOfOurs },
};

const packageBoundary: Rule = {
  name: 'package-boundary',
  check: (file) =>
    ruledImports(file, (one, home) => {
      if (!one.specifier.startsWith('.')) {
        const inside = /^@assay\/([\w-]+)\/src\//.exec(one.specifier);
        return inside === null ? undefined : `import from @assay/${inside[1] ?? ''}, its one public door`;
      }
      const target = posix.join(posix.dirname(file.path), one.specifier);
      return target.startsWith(`packages/${home}/`)
        ? undefined
        : `${one.specifier} leaves the package: import from @assay/${target.split('/')[1] ?? ''}`;
    }),
};

const importTable: Rule = {
  name: 'import-table',
  check: (file) => {
    if (isTest(file.path)) return [];
    return ruledImports(file, (one, home) => {
      const row = table[home];
      if (row === undefined || one.specifier.startsWith('.')) return undefined;
      const ours = /^@assay\/([\w-]+)/.exec(one.specifier)?.[1];
      if (ours === undefined) {
        return row.others === undefined || row.others.some((pattern) => pattern.test(one.specifier))
          ? undefined
          : `${home} may not import ${one.specifier} (ARCHITECTURE.md, section 3): take what it gives as an argument`;
      }
      if (!row.ours.includes(ours) && ours !== home) {
        const allowed = row.ours.map((name) => `@assay/${name}`).join(', ') || 'nothing of ours';
        return `${home} may not import @assay/${ours}; it may import ${allowed}`;
      }
      // The core's own runtime is its own: what it takes from the vocabulary is erased before it runs.
      if (home === 'core' && ours === 'protocol' && !one.isTypeOnly)
        return 'core takes types only: write `import type`';
      return undefined;
    });
  },
};

const coordinatorLayers: Rule = {
  name: 'coordinator-layers',
  check: (file) => {
    const layer = /^packages\/coordinator\/src\/(http|adapters)\/(.+)$/.exec(file.path);
    if (layer === null || isTest(file.path)) return [];
    const [, name = '', rest = ''] = layer;
    return ruledImports(file, (one) => {
      if (one.specifier.startsWith('@assay/core'))
        return `${name} knows ports and protocol: take it through ../ports/, not from the core`;
      const target = posix.join(posix.dirname(file.path), one.specifier);
      const other = /^packages\/coordinator\/src\/adapters\/(.+)$/.exec(target)?.[1];
      if (!one.specifier.startsWith('.') || other === undefined) return undefined;
      if (name === 'http') return 'a route speaks to a port (../ports/...); main.ts chooses the adapter';
      return isSameAdapter(rest, other) ? undefined : 'adapters do not know each other: share it through the port';
    });
  },
};

/** An adapter is a folder (adapters/sqlite/...), or files that share the first word (sqlite-journal.ts, sqlite.ts). */
function isSameAdapter(a: string, b: string): boolean {
  const family = (path: string): string => (/^[a-z0-9]+/.exec(path) ?? [''])[0];
  return a.includes('/') || b.includes('/') ? a.split('/')[0] === b.split('/')[0] : family(a) === family(b);
}

function ruledImports(file: TidyFile, judge: (one: Import, home: string) => string | undefined): Finding[] {
  const home = /^packages\/([\w-]+)\/src\//.exec(file.path)?.[1];
  if (home === undefined) return [];
  return importsOf(file).flatMap((one) => {
    const message = judge(one, home);
    return message === undefined ? [] : [{ line: one.line, message }];
  });
}

export const importRules: readonly Rule[] = [packageBoundary, importTable, coordinatorLayers];
