// Sessions of the dashboard: a cookie in place of a bearer token, for browsers. They live in memory: a coordinator that starts
// again asks to sign in again.
// What always holds: the cookie is HttpOnly and SameSite=Strict; a session is never more than its token is now (it is asked
// anew with every request, so that revoking a token ends its sessions); a code works once and for a minute; what changes
// something needs the session's own CSRF word, which no other site can read, and the page's own origin.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AssayError } from '@assay/protocol';
import type { Authority, Identity } from '../ports/authority.ts';
import { isOwnPage } from './browser-guard.ts';

const sessionsMax = 1_000;
const codesMax = 100;
const sessionIdleMs = 12 * 3_600_000;
const codeLifeMs = 60_000;

type Session = { secret: string; csrf: string; seenMs: number };

export type SignedIn = { identity: Identity; csrf: string };

export type Sessions = {
  /** The cookie's value for a secret that has been found right. */
  open(secret: string): { cookie: string; csrf: string };
  /** Whose session the request's cookie names; null where it has none, or none that is good. */
  find(headers: IncomingHttpHeaders): SignedIn | null;
  /** Throws FORBIDDEN where a request that changes something does not show that it comes from our own page. */
  guard(headers: IncomingHttpHeaders, csrf: string): void;
  end(headers: IncomingHttpHeaders): void;
  /** A code for one sign-in with this secret. */
  createCode(secret: string): { code: string; expiresAtMs: number };
  /** The secret of a code that is good; the code is spent. */
  redeem(code: string): string | null;
  /** The Set-Cookie header for a value; '' ends it. */
  header(value: string): string;
};

/** `name` tells apart coordinators on one host: cookies do not know ports. */
export function createSessions(
  authority: Authority,
  name: () => string,
  isSecure: boolean,
  nowMs: () => number = Date.now,
): Sessions {
  const sessions = new Map<string, Session>();
  const codes = new Map<string, { secret: string; untilMs: number }>();
  const keyOf = (headers: IncomingHttpHeaders): string | null => {
    const value = cookieOf(headers.cookie, name());
    return value === null ? null : digest(value);
  };
  return {
    open(secret) {
      const cookie = word();
      const csrf = word();
      bound(sessions, sessionsMax);
      sessions.set(digest(cookie), { secret, csrf, seenMs: nowMs() });
      return { cookie, csrf };
    },
    find(headers) {
      const key = keyOf(headers);
      const session = key === null ? undefined : sessions.get(key);
      if (key === null || session === undefined) return null;
      const identity = nowMs() - session.seenMs > sessionIdleMs ? null : authority.authenticate(session.secret);
      if (identity === null) {
        sessions.delete(key);
        return null;
      }
      session.seenMs = nowMs();
      return { identity, csrf: session.csrf };
    },
    guard(headers, csrf) {
      if (!isOwnPage(headers))
        throw new AssayError('FORBIDDEN', 'a session works from the pages of this coordinator only');
      const given = headers['x-assay-csrf'];
      if (typeof given !== 'string' || !isEqual(given, csrf))
        throw new AssayError('FORBIDDEN', 'a request with a session must carry its x-assay-csrf header');
    },
    end(headers) {
      const key = keyOf(headers);
      if (key !== null) sessions.delete(key);
    },
    createCode(secret) {
      const code = word();
      const untilMs = nowMs() + codeLifeMs;
      bound(codes, codesMax);
      codes.set(digest(code), { secret, untilMs });
      return { code, expiresAtMs: untilMs };
    },
    redeem(code) {
      const key = digest(code);
      const entry = codes.get(key);
      codes.delete(key);
      return entry === undefined || nowMs() > entry.untilMs ? null : entry.secret;
    },
    header: (value) =>
      `${name()}=${value}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}${value === '' ? '; Max-Age=0' : ''}`,
  };
}

const word = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

function isEqual(given: string, wanted: string): boolean {
  return timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(wanted).digest());
}

/** Makes room for one more: the oldest is forgotten. */
function bound(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size < most) return;
    map.delete(key);
  }
}

function cookieOf(header: string | undefined, name: string): string | null {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=');
    if (part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}
