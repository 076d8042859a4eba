// `assay up` where its traffic would cross the network in the clear, as a real process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openAuthority } from '@assay/coordinator';

const mainPath = fileURLToPath(new URL('../main.mjs', import.meta.url));

/** What it said on stderr between its start and its end by SIGTERM, and how it ended. */
async function upAndDown(host: string): Promise<{ said: string; code: unknown }> {
  const place = mkdtempSync(join(tmpdir(), 'assay-plain-'));
  try {
    const authority = openAuthority(place);
    await authority.create('somebody', ['read']);
    authority.close();
    const child = spawn(
      process.execPath,
      [mainPath, 'up', '--state', place, '--host', host, '--port', '0', '--quiet'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, XDG_STATE_HOME: place, XDG_RUNTIME_DIR: place, HOME: place },
      },
    );
    const exit = once(child, 'exit');
    const lines: string[] = [];
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      // The last line of the greeting.
      if (line.includes('a run:')) child.kill('SIGTERM');
    });
    const [code] = await exit;
    clearTimeout(killer);
    return { said: lines.join('\n'), code };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

test('listening beyond loopback without TLS is warned of, also where it is to be quiet; on loopback it is not', async () => {
  // An address that is not taken for loopback, and that nothing but this machine can reach all the same.
  const beyond = await upAndDown('::ffff:127.0.0.1');
  expect(beyond).toMatchObject({
    code: 0,
    said: expect.stringMatching(/warning: it listens on ::ffff:127\.0\.0\.1 without TLS/),
  });
  const within = await upAndDown('127.0.0.1');
  expect(within.code).toBe(0);
  expect(within.said).toMatch(/a run:/);
  expect(within.said).not.toMatch(/warning/);
}, 120_000);
