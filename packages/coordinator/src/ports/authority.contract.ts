// The contract of Authority, run on every adapter.
import { expect, test } from 'vitest';
import type { Authority } from './authority.ts';

/** `use` opens an empty authority on the given clock, hands it over, and closes it. */
export function authorityContract(
  name: string,
  use: (nowMs: () => number, test: (authority: Authority) => Promise<void>) => Promise<void>,
): void {
  const contract = (
    title: string,
    body: (authority: Authority, setNowMs: (ms: number) => void) => Promise<void>,
  ): void =>
    test(`${name}: ${title}`, () => {
      let now = 1_000;
      return use(
        () => now,
        (authority) => body(authority, (ms) => (now = ms)),
      );
    });

  contract('a created token is known by its secret, with its name and scopes', async (authority) => {
    const { token, secret } = await authority.create('lab', ['read', 'worker:gpu']);
    expect(authority.authenticate(secret)).toEqual({ token: token.token, name: 'lab', scopes: ['read', 'worker:gpu'] });
    expect(token).toMatchObject({ name: 'lab', createdAtMs: 1_000, lastUsedAtMs: null, isRevoked: false });
  });

  contract(
    'secrets carry 32 random bytes behind the prefix and the public id, and none equals another',
    async (authority) => {
      const made = await Promise.all(Array.from({ length: 20 }, () => authority.create('one', ['read'])));
      const secrets = made.map(({ secret }) => secret);
      expect(new Set(secrets).size).toBe(20);
      for (const { token, secret } of made) {
        const [prefix, id, random] = /^(assay)_([a-z2-7]+)_(.+)$/.exec(secret)?.slice(1) ?? [];
        expect([prefix, `t-${id}`]).toEqual(['assay', token.token]);
        expect(Buffer.from(random ?? '', 'base64url')).toHaveLength(32);
      }
    },
  );

  contract('whatever differs from the secret is nobody', async (authority) => {
    const { secret } = await authority.create('one', ['admin']);
    const other = (await authority.create('two', ['read'])).secret;
    const flipped = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    const swapped = `${secret.slice(0, 17)}${other.slice(17)}`;
    for (const wrong of [
      flipped,
      swapped,
      '',
      'assay_',
      secret.slice(0, -1),
      `${secret}A`,
      ` ${secret}`,
      'x'.repeat(5_000),
      secret.toUpperCase(),
    ]) {
      expect([wrong, authority.authenticate(wrong)]).toEqual([wrong, null]);
    }
    expect(authority.authenticate(secret)?.name).toBe('one');
  });

  contract('a revoked token is nobody at once, and is still listed', async (authority) => {
    const { token, secret } = await authority.create('one', ['read']);
    expect(await authority.revoke(token.token)).toBe(true);
    expect(authority.authenticate(secret)).toBeNull();
    expect(await authority.list()).toMatchObject([{ token: token.token, isRevoked: true }]);
    expect(await authority.revoke(token.token)).toBe(true);
    expect(await authority.revoke('t-unknown')).toBe(false);
  });

  contract('only tokens that are not revoked count as tokens', async (authority) => {
    expect(authority.hasTokens()).toBe(false);
    const { token } = await authority.create('one', ['read']);
    expect(authority.hasTokens()).toBe(true);
    await authority.revoke(token.token);
    expect(authority.hasTokens()).toBe(false);
  });

  contract('a list says when each was last used, and never a secret or its hash', async (authority, setNowMs) => {
    const { secret } = await authority.create('one', ['read']);
    setNowMs(2_000);
    await authority.create('two', ['submit']);
    setNowMs(3_000);
    authority.authenticate(secret);
    const list = await authority.list();
    expect(list).toMatchObject([
      { name: 'one', lastUsedAtMs: 3_000 },
      { name: 'two', lastUsedAtMs: null },
    ]);
    expect(JSON.stringify(list)).not.toContain(secret.slice(17));
    expect(Object.keys(list[0] ?? {}).toSorted()).toEqual([
      'createdAtMs',
      'isRevoked',
      'lastUsedAtMs',
      'name',
      'scopes',
      'token',
    ]);
  });
}
