// Tokens in memory: for the simulator, for tests, and for a coordinator that lives as long as one command.
import type { TokenId, TokenView } from '@assay/protocol';
import { isSecret, newSecret, tokenOf } from '../authority/token-secret.ts';
import type { Authority } from '../ports/authority.ts';

export function createMemoryAuthority(nowMs: () => number = Date.now): Authority {
  const tokens = new Map<TokenId, { view: TokenView; hash: Buffer }>();
  return {
    authenticate(secret) {
      const id = tokenOf(secret);
      const found = id === null ? undefined : tokens.get(id);
      if (!isSecret(secret, found?.hash ?? null) || !found || found.view.isRevoked) return null;
      found.view.lastUsedAtMs = nowMs();
      return { token: found.view.token, name: found.view.name, scopes: found.view.scopes };
    },
    async create(name, scopes) {
      const { token, secret, hash } = newSecret();
      const view = { token, name, scopes, createdAtMs: nowMs(), lastUsedAtMs: null, isRevoked: false };
      tokens.set(token, { view, hash });
      return { token: { ...view }, secret };
    },
    list: async () => [...tokens.values()].map(({ view }) => ({ ...view })),
    async revoke(token) {
      const found = tokens.get(token as TokenId);
      if (found) found.view.isRevoked = true;
      return found !== undefined;
    },
    hasTokens: () => [...tokens.values()].some(({ view }) => !view.isRevoked),
  };
}
