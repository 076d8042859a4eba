// From a request's headers to who is asking. Comparing secrets is Authority's work; this file reads the header, decides
// whether nobody may be somebody (loopback without tokens), and slows down those who guess.
// What always holds: an offered secret that is wrong is refused, even where none would be needed; a secret that has
// been right before is never kept waiting by the wrong ones of others behind the same address.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AssayError, limit } from '@assay/protocol';
import type { Authority, Identity } from '../ports/authority.ts';
import { browserObjection } from './browser-guard.ts';
import { anonymous } from './scopes.ts';

export type AuthMode = 'tokens' | 'loopbackOpen';

const windowMs = 60_000;
const addressesMax = 10_000;
const provenMax = 10_000;

export type Authenticator = {
  /** Throws FORBIDDEN where a web page must not reach an open coordinator. To be asked for every request. */
  guard(headers: IncomingHttpHeaders, isNavigationAllowed: boolean): void;
  /** Throws UNAUTHORIZED or TOO_MANY_REQUESTS. */
  identify(headers: IncomingHttpHeaders, address: string): Identity;
};

export function createAuthenticator(
  authority: Authority,
  mode: AuthMode,
  nowMs: () => number = Date.now,
): Authenticator {
  const failures = createFailureWindow(nowMs);
  const proven = new Set<string>();
  const isOpen = () => mode === 'loopbackOpen' && !authority.hasTokens();

  return {
    guard(headers, isNavigationAllowed) {
      if (!isOpen()) return;
      const objection = browserObjection(headers, isNavigationAllowed);
      if (objection !== null) throw new AssayError('FORBIDDEN', objection);
    },
    identify(headers, address) {
      const header = headers.authorization;
      if (header === undefined) {
        if (isOpen()) return anonymous;
        throw new AssayError('UNAUTHORIZED', 'this needs a token: Authorization: Bearer <token>');
      }
      const secret = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1];
      if (secret === undefined) throw new AssayError('UNAUTHORIZED', 'the Authorization header is not a bearer token');
      const mark = createHash('sha256').update(secret).digest('base64');
      if (!proven.has(mark) && failures.isOver(address)) {
        throw new AssayError('TOO_MANY_REQUESTS', 'too many wrong tokens from this address; wait a minute');
      }
      const identity = authority.authenticate(secret);
      if (identity === null) {
        proven.delete(mark);
        failures.count(address);
        throw new AssayError('UNAUTHORIZED', 'the token is unknown or was revoked');
      }
      if (!proven.has(mark)) addBounded(proven, mark);
      return identity;
    },
  };
}

function addBounded(set: Set<string>, member: string): void {
  if (set.size >= provenMax) {
    for (const oldest of set) {
      set.delete(oldest);
      break;
    }
  }
  set.add(member);
}

/** Wrong tokens by address in fixed windows of a minute; the addresses kept are bounded, the oldest are forgotten. */
function createFailureWindow(nowMs: () => number) {
  const byAddress = new Map<string, { sinceMs: number; count: number }>();
  const current = (address: string) => {
    const entry = byAddress.get(address);
    if (entry === undefined || nowMs() - entry.sinceMs < windowMs) return entry;
    byAddress.delete(address);
    return undefined;
  };
  return {
    isOver: (address: string) => (current(address)?.count ?? 0) >= limit('authFailuresPerMinute'),
    count(address: string) {
      const entry = current(address);
      if (entry !== undefined) {
        entry.count += 1;
        return;
      }
      if (byAddress.size >= addressesMax) {
        for (const oldest of byAddress.keys()) {
          byAddress.delete(oldest);
          break;
        }
      }
      byAddress.set(address, { sinceMs: nowMs(), count: 1 });
    },
  };
}
