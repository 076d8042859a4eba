// Tokens: making, listing, revoking. While none exists anybody on this machine is an administrator, and the first token
// ends that; so the first must be an administrator's, or nobody could ever make another.
import { AssayError, TokenCreated, TokenCreation, TokenList } from '@assay/protocol';
import { z } from 'zod';
import type { App, HttpContext } from '../context.ts';
import { callerOf, failures, notFoundFault, tokenParams } from '../route-parts.ts';
import { anonymous } from '../scopes.ts';

const tags = ['tokens'];

export function tokenRoutes(app: App, { authority, log }: HttpContext): void {
  app.get(
    '/tokens',
    {
      config: { scope: 'admin' },
      schema: { summary: 'Tokens, without their secrets', tags, response: { 200: TokenList, ...failures() } },
    },
    async () => ({ tokens: await authority.list() }),
  );

  app.post(
    '/tokens',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Make a token; the only time that its secret is shown',
        tags,
        body: TokenCreation,
        response: { 201: TokenCreated, ...failures() },
      },
    },
    async (request, reply) => {
      const { name, scopes } = request.body;
      if (callerOf(request) === anonymous && !scopes.includes('admin')) {
        throw new AssayError(
          'CONFLICT',
          'the first token must have the scope admin: from then on every request needs a token',
        );
      }
      const created = await authority.create(name, scopes);
      log('token created', { token: created.token.token, name, scopes });
      return reply.code(201).send(created);
    },
  );

  app.delete(
    '/tokens/:token',
    {
      config: { scope: 'admin' },
      schema: { summary: 'Revoke a token', tags, params: tokenParams, response: { 204: z.undefined(), ...failures() } },
    },
    async (request, reply) => {
      const { token } = request.params;
      if (!(await authority.revoke(token))) throw notFoundFault('token', token);
      log('token revoked', { token });
      return reply.code(204).send();
    },
  );
}
