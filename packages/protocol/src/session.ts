// Signing in to the dashboard: a token, or a code that is good once, becomes a cookie that scripts cannot read. What the cookie's
// holder may do is what the token may do at that moment. `csrf` goes with every request that changes something.
//
//   GET    /session        -> SessionView        none   who am I; 401 where a token is needed and none is there
//   POST   /session        SignInRequest -> SessionView   none
//   DELETE /session        ends it
//   POST   /session/codes  -> SignInCode         read   a code for one sign-in as the caller, for a link
import { z } from 'zod';
import { Scope } from './api.ts';

export const SignInRequest = z.union([
  z.strictObject({ token: z.string().min(1).max(512) }),
  z.strictObject({ code: z.string().min(1).max(100) }),
]);
export type SignInRequest = z.infer<typeof SignInRequest>;

export const SessionView = z.object({
  name: z.string(),
  scopes: z.array(Scope),
  /** `open`: nobody needs a token here (loopback, none exists). */
  kind: z.enum(['session', 'token', 'open']),
  /** To be sent as `x-assay-csrf` with what changes something; absent where no cookie is used. */
  csrf: z.string().optional(),
});
export type SessionView = z.infer<typeof SessionView>;

export const SignInCode = z.object({ code: z.string(), expiresAtMs: z.number() });
export type SignInCode = z.infer<typeof SignInCode>;
