// Who may do what. Secrets are random, shown once, stored as SHA-256 and compared in constant time.
import type { Scope, TokenCreated, TokenView } from '@assay/protocol';

export type Identity = { token: string; name: string; scopes: readonly Scope[] };

export interface Authority {
  /** The identity behind a secret, or null: unknown, revoked. */
  authenticate(secret: string): Identity | null;
  create(name: string, scopes: Scope[]): Promise<TokenCreated>;
  list(): Promise<TokenView[]>;
  /** True when there was such a token. */
  revoke(token: string): Promise<boolean>;
  /** Whether any token that is not revoked exists: listening beyond loopback needs one. */
  hasTokens(): boolean;
}
