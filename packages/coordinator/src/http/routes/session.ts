// Signing in and out of the dashboard (see ../sessions.ts). No route here needs a token but the one that makes a code: signing in
// is what they are for. A wrong token counts like everywhere else, so that nobody guesses faster here.
import { AssayError, SessionView, SignInCode, SignInRequest } from '@assay/protocol';
import { z } from 'zod';
import type { Authenticator } from '../authenticate.ts';
import { isOwnPage } from '../browser-guard.ts';
import type { App } from '../context.ts';
import { callerOf, failures } from '../route-parts.ts';
import type { Sessions } from '../sessions.ts';

const tags = ['session'];

export function sessionRoutes(app: App, authenticator: Authenticator, sessions: Sessions): void {
  app.get(
    '/session',
    {
      config: { scope: 'read' },
      schema: { summary: 'Who is signed in', tags, response: { 200: SessionView, ...failures() } },
    },
    (request) => {
      const { name, scopes, token } = callerOf(request);
      const signedIn = request.headers.authorization === undefined ? sessions.find(request.headers) : null;
      if (signedIn !== null) return { name, scopes: [...scopes], kind: 'session' as const, csrf: signedIn.csrf };
      return { name, scopes: [...scopes], kind: token === 'anonymous' ? ('open' as const) : ('token' as const) };
    },
  );

  app.post(
    '/session',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'Sign in with a token or a code: sets a cookie',
        tags,
        body: SignInRequest,
        response: { 200: SessionView, ...failures() },
      },
    },
    (request, reply) => {
      if (!isOwnPage(request.headers))
        throw new AssayError('FORBIDDEN', 'signing in works from the pages of this coordinator only');
      const { body } = request;
      const secret = 'token' in body ? body.token : sessions.redeem(body.code);
      if (secret === null) throw new AssayError('UNAUTHORIZED', 'the code was used already, or is older than a minute');
      const identity = authenticator.identify({ authorization: `Bearer ${secret}` }, request.ip);
      const { cookie, csrf } = sessions.open(secret);
      reply.header('set-cookie', sessions.header(cookie));
      return { name: identity.name, scopes: [...identity.scopes], kind: 'session' as const, csrf };
    },
  );

  app.delete(
    '/session',
    {
      config: { scope: 'read' },
      schema: { summary: 'Sign out', tags, response: { 204: z.undefined(), ...failures() } },
    },
    async (request, reply) => {
      sessions.end(request.headers);
      return reply.header('set-cookie', sessions.header('')).code(204).send();
    },
  );

  codeRoute(app, sessions);
}

function codeRoute(app: App, sessions: Sessions): void {
  app.post(
    '/session/codes',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'A code for one sign-in as the caller, within a minute; needs a bearer token',
        tags,
        response: { 200: SignInCode, ...failures() },
      },
    },
    (request) => {
      const secret = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (secret === undefined) throw new AssayError('FORBIDDEN', 'a code is made with a bearer token');
      return sessions.createCode(secret);
    },
  );
}
