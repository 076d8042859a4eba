// Builds dist/ when its sources are not those that it was built from: `node packages/dashboard/build/build.ts [--force]`.
// What always holds: the digest of the sources is written last, so that a build that was interrupted is done again; a build
// goes to a folder of its own first, so that whoever serves the old one serves it whole.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const home = resolve(import.meta.dirname, '..');
const root = resolve(home, '../..');
const dist = join(home, 'dist');
const stamp = 'sources.sha256';
/** Everything that can change the result; the lock file stands for the libraries. */
const sources = [
  'packages/dashboard/src',
  'packages/dashboard/public',
  'packages/dashboard/build',
  'packages/client/src',
  'packages/protocol/src',
];
const files = ['packages/dashboard/index.html', 'packages/dashboard/vite.config.ts', 'package-lock.json'];

function digestOfSources(): string {
  const hash = createHash('sha256');
  const paths = sources.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  for (const path of [...paths, ...files.map((file) => join(root, file))].toSorted())
    hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

function builtFrom(): string | null {
  try {
    return readFileSync(join(dist, stamp), 'utf8');
  } catch {
    return null;
  }
}

async function build(digest: string): Promise<void> {
  process.stderr.write('assay: building the dashboard (its sources changed)\n');
  const { build: bundle } = await import('vite');
  const fresh = mkdtempSync(join(home, 'dist-'));
  try {
    await bundle({ configFile: join(home, 'vite.config.ts'), build: { outDir: fresh } });
    for (const entry of readdirSync(fresh, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(js|css|html|svg)$/.test(entry.name))
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
    }
    writeFileSync(join(fresh, stamp), digest);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

const digest = digestOfSources();
if (digest !== builtFrom() || process.argv.includes('--force')) await build(digest);
