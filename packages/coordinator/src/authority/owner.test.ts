import { expect, test } from 'vitest';
import { createMemoryAuthority } from '../adapters/authority-memory.ts';
import { withOwner } from './owner.ts';

test("the owner's secret is admin, every other is the store's to judge, and no token comes of it", async () => {
  const authority = withOwner(createMemoryAuthority(), 'the secret');
  expect(authority.authenticate('the secret')).toMatchObject({ token: 'owner', scopes: ['admin'] });
  expect(authority.authenticate('the secre')).toBeNull();
  expect(authority.authenticate('')).toBeNull();
  expect(authority.hasTokens()).toBe(false);
  const { secret } = await authority.create('reader', ['read']);
  expect(authority.authenticate(secret)).toMatchObject({ scopes: ['read'] });
  expect(authority.hasTokens()).toBe(true);
});
