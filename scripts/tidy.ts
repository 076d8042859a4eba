// The house rules as a test: `node scripts/tidy.ts [path...]` prints what breaks them, with what to write instead,
// and exits 1 when anything does. The rules themselves are in tidy/, each with a planted violation in its test.
// What always holds: it looks at what git knows or would add, and at nothing else.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { importRules } from './tidy/import-rules.ts';
import { repositoryRules } from './tidy/repository-rules.ts';
import { tidyFile, type Rule } from './tidy/rule.ts';
import { sourceRules } from './tidy/source-rules.ts';

const root = resolve(import.meta.dirname, '..');

const isSource = (path: string): boolean =>
  /^(packages|scripts|bin|bench|integrations)\/.*\.(ts|tsx|mjs|py)$/.test(path) && !/(^|\/)fixtures\//.test(path);
const isText = (path: string): boolean => !/\.(png|jpg|gif|ico|woff2?|gz|zip|wasm|db|sqlite|duckdb)$/.test(path);

function listFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (listed.status !== 0) throw new Error(`git ls-files failed: ${listed.stderr || String(listed.error)}`);
  return listed.stdout.split('\0').filter((path) => path !== '' && isText(path));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    // Deleted but not yet committed.
    return undefined;
  }
}

const startedMs = performance.now();
const wanted = process.argv.slice(2);
const files = listFiles().filter((path) => wanted.length === 0 || wanted.some((prefix) => path.startsWith(prefix)));
let findings = 0;
for (const path of files) {
  const text = read(path);
  if (text === undefined) continue;
  const rules: readonly Rule[] = isSource(path)
    ? [...repositoryRules, ...sourceRules, ...importRules]
    : repositoryRules;
  const file = isSource(path) ? tidyFile(path, text) : { path, text, code: text };
  for (const rule of rules) {
    for (const finding of rule.check(file)) {
      findings += 1;
      console.log(`${path}:${finding.line}  ${rule.name}: ${finding.message}`);
    }
  }
}
const ms = Math.round(performance.now() - startedMs);
console.log(`tidy: ${findings === 0 ? 'ok' : 'FAILED'}: ${files.length} files, ${findings} findings, ${ms} ms`);
process.exitCode = findings === 0 && files.length > 0 ? 0 : 1;
