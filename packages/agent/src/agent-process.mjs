// Starts the agent's process (agent-main.ts) lightly. Node strips the types of our sources when it loads them, and the stripper alone stays
// resident with some 20 MiB; with Node's compile cache filled it is never loaded. So the cache, kept per user, is filled
// first, once per version of the sources, by a short-lived process; what follows then finds everything in it. Plain JavaScript, because
// this file itself must not need the stripper. Whatever goes wrong here costs memory and nothing else.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fillTimeoutMs = 20_000;

const sourceFolders = ['../../agent/src', '../../protocol/src'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** One for every installation, so that two of them do not take turns in emptying it. */
function cacheDirectory() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'assay', `agent-${digest(import.meta.url)}`);
}

/** Names the state of the sources: a changed one is not in the cache, and brings the stripper back. */
function sourcesDigest() {
  const files = sourceFolders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => {
      const { mtimeMs, size } = statSync(join(folder, String(name)));
      return `${String(name)} ${mtimeMs} ${size}`;
    }),
  );
  return digest(`${process.version}\n${files.sort().join('\n')}`);
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Fills the cache if it was not filled from these sources; another process that is at it is not waited for. */
function fill(directory) {
  const marker = join(directory, `filled-${sourcesDigest()}`);
  if (existsSync(marker)) return;
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  const filling = `${directory}.filling`;
  try {
    mkdirSync(filling);
  } catch {
    // Left by one that was killed, it goes, and the next start fills.
    if (Date.now() - statSync(filling).mtimeMs > 2 * fillTimeoutMs) rmSync(filling, { recursive: true, force: true });
    return;
  }
  try {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { mode: 0o700 });
    const env = { ...process.env, NODE_COMPILE_CACHE: directory };
    const filled = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--fill'], {
      env,
      stdio: 'ignore',
      timeout: fillTimeoutMs,
    });
    if (filled.status === 0) writeFileSync(marker, '');
  } finally {
    rmSync(filling, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--fill') {
  // All that an idle agent loads, and nothing is started.
  await Promise.all([import('./agent-main.ts'), import('./probe/index.ts')]);
  flushCompileCache();
  process.exit(0);
}

try {
  const directory = cacheDirectory();
  fill(directory);
  enableCompileCache(directory);
} catch {
  // A read-only home, for example.
}
const { main } = await import('./agent-main.ts');
await main();
