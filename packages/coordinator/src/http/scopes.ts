// Who may do what. `admin` implies everything; `submit` and `operate` each imply `read` (and not each other);
// `trust:TIER` opens nothing: it is what requirements see of the workers that join with the token. `worker:POOL` opens the link for that pool, and blobs, which a worker fetches sources from and stores logs in.
import type { Scope } from '@assay/protocol';
import type { Identity } from '../ports/authority.ts';

/** What a route asks for. `blobRead` and `blobWrite` are open to workers of any pool too; `none` needs no token. */
export type RequiredScope = 'none' | 'read' | 'submit' | 'operate' | 'admin' | 'blobRead' | 'blobWrite';

/** Anybody on this machine, while no token exists and the listener is on loopback. */
export const anonymous: Identity = { token: 'anonymous', name: 'anonymous', scopes: ['admin'] };

const grantedBy: Record<Exclude<RequiredScope, 'none'>, readonly Scope[]> = {
  read: ['read', 'submit', 'operate', 'admin'],
  submit: ['submit', 'admin'],
  operate: ['operate', 'admin'],
  admin: ['admin'],
  blobRead: ['read', 'submit', 'operate', 'admin'],
  blobWrite: ['submit', 'admin'],
};

export function isAllowed(identity: Identity, required: RequiredScope): boolean {
  if (required === 'none') return true;
  if (identity.scopes.some((scope) => grantedBy[required].includes(scope))) return true;
  const isForWorkers = required === 'blobRead' || required === 'blobWrite';
  return isForWorkers && identity.scopes.some((scope) => scope.startsWith('worker:'));
}

export function mayServePool(identity: Identity, pool: string): boolean {
  return identity.scopes.some((scope) => scope === 'admin' || scope === `worker:${pool}`);
}

/** The tier that a token gives its workers; null where it gives none. Of several the first by name, which is the same at every hello. */
export function trustOf(identity: Identity): string | null {
  const tiers = identity.scopes.filter((scope) => scope.startsWith('trust:')).toSorted();
  return tiers[0]?.slice('trust:'.length) ?? null;
}

/** Whether it may open a worker link at all; the pool is known only from its hello. */
export function mayServeAnyPool(identity: Identity): boolean {
  return identity.scopes.some((scope) => scope === 'admin' || scope.startsWith('worker:'));
}

/** For messages: the scopes of which any one would do. */
export function scopesNeeded(required: Exclude<RequiredScope, 'none'>): string {
  const scopes: string[] = [...grantedBy[required]];
  if (required === 'blobRead' || required === 'blobWrite') scopes.push('worker:POOL');
  return scopes.join(' or ');
}
