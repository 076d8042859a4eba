// Starts the agent's process (agent-main.ts) lightly. Node strips the types of our sources when it loads them, and the stripper alone stays
// resident with some 20 MiB; with Node's compile cache filled it is never loaded. So the cache, kept per user, is filled
// first, once per version, by a short-lived process; what follows then finds everything in it. Plain JavaScript, because
// this file itself must not need the stripper. Whatever goes wrong here costs memory and nothing else.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const warmTimeoutMs = 20_000;

function cacheDirectory() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'assay', 'compiled');
}

/** Fills the cache if no process of this version has; another that is at it is not waited for. */
function fill(directory) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const marker = join(directory, `agent-${version}-${process.version}`);
  if (existsSync(marker)) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    mkdirSync(`${marker}.filling`);
  } catch {
    // Left by one that was killed, it goes, and the next start fills.
    if (Date.now() - statSync(`${marker}.filling`).mtimeMs > 2 * warmTimeoutMs)
      rmSync(`${marker}.filling`, { recursive: true, force: true });
    return;
  }
  try {
    const env = { ...process.env, NODE_COMPILE_CACHE: directory };
    const filled = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--fill'], {
      env,
      stdio: 'ignore',
      timeout: warmTimeoutMs,
    });
    if (filled.status === 0) writeFileSync(marker, '');
  } finally {
    rmSync(`${marker}.filling`, { recursive: true, force: true });
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
