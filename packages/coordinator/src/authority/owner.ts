// The owner of a coordinator: whoever started it, by a secret that lives only as long as the process. It is not stored, so a
// local run leaves no token behind; its id is always `owner`, so that a local worker's id stays bound to it from run to run.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Authority, Identity } from '../ports/authority.ts';

const owner: Identity = { token: 'owner', name: 'owner', scopes: ['admin'] };
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The authority, which knows the owner's secret besides its tokens. The owner's does not count as a token of `hasTokens`. */
export function withOwner(authority: Authority, secret: string): Authority {
  const expected = digest(secret);
  return {
    authenticate: (given) => (timingSafeEqual(digest(given), expected) ? owner : authority.authenticate(given)),
    create: (name, scopes) => authority.create(name, scopes),
    list: () => authority.list(),
    revoke: (token) => authority.revoke(token),
    hasTokens: () => authority.hasTokens(),
  };
}
