// The house rules about a single source file (STYLE.md, "Names and files" and "Tests").
// What always holds: each message ends with what to write instead, and each rule has a planted violation in its test.
import { findAll, isTest, type Finding, type Rule, type TidyFile } from './rule.ts';

const linesMax = 400;
const testLinesMax = 600;
const contractMinChars = 30;

const fileLength: Rule = {
  name: 'file-length',
  check: ({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    const most = isTest(path) ? testLinesMax : linesMax;
    return lines <= most
      ? []
      : at(most, `${lines} lines, and ${most} is the limit: move one verb into a file of its own`);
  },
};

const fileName: Rule = {
  name: 'file-name',
  check: ({ path }) => {
    const name = path.split('/').at(-1) ?? '';
    // A Python module is imported by its file name, which cannot have a hyphen.
    const good = name.endsWith('.py') ? /^[a-z0-9_]+\.py$/ : /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/;
    return good.test(name) ? [] : at(1, `"${name}" is not kebab-case: write ${kebab(name)}`);
  },
};

const noDefaultExport: Rule = {
  name: 'no-default-export',
  check: (file) =>
    mayExportDefault(file.path)
      ? []
      : findAll(
          file,
          /\bexport\s+default\b|\bas\s+default\b(?=[^\n]*\})/g,
          'default exports have no name to search for: export it by its name',
        ),
};

/** Other people's test runners load their configuration and their reporters by default export. */
function mayExportDefault(path: string): boolean {
  return path.endsWith('.config.ts') || /^packages\/agent\/src\/runners\/.*(\.mjs|-reporter\.ts)$/.test(path);
}

const erasableOnly: Rule = {
  name: 'erasable-only',
  check: (file) => [
    ...findAll(
      file,
      /^[^\S\n]*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w+/gm,
      'enums are not erasable: write a union of string literals',
    ),
    ...findAll(
      file,
      /\bconstructor\s*\((?:[^)]*,)?\s*(?:private|public|protected|readonly)\s+\w/g,
      'parameter properties are not erasable: declare the field and assign it',
    ),
  ],
};

const bannedName: Rule = {
  name: 'banned-name',
  check: (file) => [
    ...file.path
      .split('/')
      .filter((part) => /^(utils?|helpers?|common|misc|stuff)(\.|$)|-(utils?|helpers?|manager)(\.|$)/.test(part))
      .flatMap((part) => at(1, `"${part}" says nothing: name it after what it does (lease.ts, claim-task.ts)`)),
    ...findAll(
      file,
      /\b(?:class|interface|type|function|const)\s+(\w*(?:Manager|Helpers?|Utils?))\b/g,
      (match) => `"${match[1] ?? ''}" says nothing: name what it does (registry, driver, queue)`,
    ),
    ...findAll(
      file,
      /\b(?:interface|type|class)\s+(I[A-Z][a-z]\w*)\b/g,
      (match) => `"${match[1] ?? ''}" has an I-prefix: write ${match[1]?.slice(1) ?? ''}`,
    ),
  ],
};

const contractComment: Rule = {
  name: 'contract-comment',
  check: ({ path, text }) => {
    if (isTest(path)) return [];
    const body = text.replace(/^#![^\n]*\n/, '').replace(/^\s*/, '');
    const comment = path.endsWith('.py')
      ? /^(?:(?:#[^\n]*\n)+|"""[\s\S]*?""")/.exec(body)
      : /^(?:(?:\/\/[^\n]*\n\s*)+|\/\*[\s\S]*?\*\/)/.exec(body);
    const said = comment?.[0].replaceAll(/[/*#"\s]+/g, ' ').trim() ?? '';
    return said.length >= contractMinChars
      ? []
      : at(1, 'a file opens with its contract: a comment that says what it is, why it exists and what always holds');
  },
};

const honestTests: Rule = {
  name: 'honest-tests',
  check: (file) => {
    if (!isTest(file.path)) return [];
    return [
      ...findAll(
        file,
        /\bvi\.(mock|doMock|fn|spyOn|stubGlobal|useFakeTimers|hoisted)\b/g,
        (match) => `vi.${match[1] ?? ''}: no mocks; use the in-memory adapter, pass the clock, or start the real thing`,
      ),
      ...findAll(file, /\b(?:test|it|describe|suite)(?:\.\w+)*\.only\b/g, '.only hides every other test: delete it'),
      ...findAll(file, /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|fails)\b/g, (match) =>
        hasComment(file, match.index) ? undefined : 'a skip needs its reason: a comment on this line or the line above',
      ),
    ];
  },
};

function hasComment(file: TidyFile, index: number): boolean {
  const upTo = file.text.slice(0, index).split('\n');
  const all = file.text.split('\n');
  const here = all[upTo.length - 1] ?? '';
  const above = all[upTo.length - 2] ?? '';
  return /\/\/\s*\S{3,}/.test(here) || /^\s*(?:\/\/|\*|\/\*)/.test(above) || /\*\/\s*$/.test(above);
}

const asciiIdentifiers: Rule = {
  name: 'ascii-identifiers',
  check: (file) =>
    file.path.endsWith('.py')
      ? []
      : findAll(
          file,
          /[^\x00-\x7F]+/g,
          (match) => `"${match[0]}" in code: identifiers are ASCII; write a letter that every keyboard has`,
        ),
};

/** Calls out of the coordinator's process: docs/explain/circuits.md lists the ways out, and each is behind a circuit. */
const waysOut: Rule = {
  name: 'ways-out',
  check: (file) =>
    !file.path.startsWith('packages/coordinator/src/') ||
    file.path.startsWith('packages/coordinator/src/circuits/') ||
    isTest(file.path) ||
    file.path.includes('/testing/')
      ? []
      : findAll(
          file,
          /(?<![.\w])fetch\s*\(|\bnew (?:WebSocket|Socket|Agent)\s*\(|(?<![.\w])(?:spawn|exec|execFile|fork)\s*\(|\b(?:net|tls|https?)\.(?:connect|createConnection|request|get)\s*\(/g,
          'a way out of the coordinator: put it under circuits/ and call it through circuit.wrap',
        ),
};

function at(line: number, message: string): Finding[] {
  return [{ line, message }];
}

function kebab(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

export const sourceRules: readonly Rule[] = [
  fileLength,
  fileName,
  noDefaultExport,
  erasableOnly,
  bannedName,
  contractComment,
  honestTests,
  asciiIdentifiers,
  waysOut,
];
