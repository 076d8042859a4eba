import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { authorityContract } from '../ports/authority.contract.ts';
import { openAuthority } from './authority-sqlite.ts';

const run = promisify(execFile);

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-authority-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

authorityContract('SQLite', (nowMs, body) =>
  withFolder(async (folder) => {
    const authority = openAuthority(folder, nowMs);
    try {
      await body(authority);
    } finally {
      authority.close();
    }
  }),
);

test('tokens, revocations and last uses outlive the process', () =>
  withFolder(async (folder) => {
    const first = openAuthority(folder, () => 5);
    const { secret } = await first.create('kept', ['submit']);
    const gone = await first.create('gone', ['read']);
    await first.revoke(gone.token.token);
    first.authenticate(secret);
    first.close();
    const second = openAuthority(folder, () => 9);
    expect(second.authenticate(gone.secret)).toBeNull();
    const list = await second.list();
    expect(list.find(({ name }) => name === 'kept')).toMatchObject({ lastUsedAtMs: 5, isRevoked: false });
    expect(list.find(({ name }) => name === 'gone')).toMatchObject({ lastUsedAtMs: null, isRevoked: true });
    expect(second.authenticate(secret)).toMatchObject({ name: 'kept', scopes: ['submit'] });
    second.close();
  }));

test('what another process makes and revokes holds here at the next request', () =>
  withFolder(async (folder) => {
    const here = openAuthority(folder);
    expect(here.hasTokens()).toBe(false);
    const there = async (script: string): Promise<string> => {
      const source = `const { openAuthority } = await import(${JSON.stringify(new URL('./authority-sqlite.ts', import.meta.url).href)});
        const authority = openAuthority(${JSON.stringify(folder)}); ${script}; authority.close();`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '--no-warnings', '-e', source]);
      return stdout.trim();
    };
    const secret = await there(`console.log((await authority.create('there', ['admin'])).secret)`);
    expect(here.hasTokens()).toBe(true);
    const identity = here.authenticate(secret);
    expect(identity).toMatchObject({ name: 'there', scopes: ['admin'] });
    await there(`await authority.revoke(${JSON.stringify(identity?.token)})`);
    expect(here.authenticate(secret)).toBeNull();
    here.close();
  }));

test('no file of the store can be read by others, or holds a secret', () =>
  withFolder(async (folder) => {
    const authority = openAuthority(join(folder, 'state'));
    const { secret } = await authority.create('one', ['admin']);
    const files = await readdir(join(folder, 'state'));
    expect(files).toContain('tokens.sqlite');
    for (const file of files) {
      const path = join(folder, 'state', file);
      expect([file, (await stat(path)).mode & 0o077]).toEqual([file, 0]);
      expect([file, (await readFile(path)).includes(secret.slice(17))]).toEqual([file, false]);
    }
    expect((await stat(join(folder, 'state'))).mode & 0o077).toBe(0);
    authority.close();
  }));

test('a file that is damaged or of a newer version is TOKENS_UNAVAILABLE, and is left as it was', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'tokens.sqlite');
    await writeFile(path, 'this is no database, but long enough to look like one'.repeat(100));
    expect(() => openAuthority(folder)).toThrow(expect.objectContaining({ code: 'TOKENS_UNAVAILABLE' }));
    await rm(path);
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 7');
    newer.close();
    const before = await readFile(path);
    expect(() => openAuthority(folder)).toThrow(expect.objectContaining({ code: 'TOKENS_UNAVAILABLE' }));
    expect(before.equals(await readFile(path))).toBe(true);
  }));
