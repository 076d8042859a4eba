// Bodies in and out. In: parsed once from the raw bytes (digested on the way where a route asks for it), then checked once
// by the route's schema. Out: checked by the response's schema, then written by JSON.stringify.
// Both ways by Zod's `parse`, which the type provider's `encode` would be on the way out: no schema of the protocol has a
// codec, so that the two mean the same, and what is wrong is named the same.
import { createHash } from 'node:crypto';
import type { FastifySchemaCompiler } from 'fastify';
import type { FastifySerializerCompiler } from 'fastify/types/schema.js';
import { AssayError } from '@assay/protocol';
import type { z } from 'zod';
import type { App } from './context.ts';
import { describeIssues } from './schema-issues.ts';

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (value) => {
    const result = schema.safeParse(value);
    if (result.success) return { value: result.data };
    const details = describeIssues(result.error);
    return { error: new AssayError('BAD_REQUEST', details[0] ?? 'the request does not match its schema', details) };
  };

export const serializerCompiler: FastifySerializerCompiler<z.ZodType> =
  ({ schema, method, url }) =>
  (value) => {
    const result = schema.safeParse(value);
    if (result.success) return JSON.stringify(result.data);
    throw new Error(
      `the response of ${method} ${url} does not match its schema: ${describeIssues(result.error, 5).join('; ')}`,
    );
  };

/** JSON only, as UTF-8, uncompressed. */
export function addJsonParser(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      done(
        new AssayError(
          'BAD_REQUEST',
          `the content encoding ${encoding.slice(0, 50)} is not taken: send the body as it is`,
        ),
      );
      return;
    }
    if (request.routeOptions.config.isDigested)
      request.contentDigest = createHash('sha256').update(bytes).digest('hex');
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString('utf8'));
    } catch (error) {
      done(new AssayError('BAD_REQUEST', `the body is not JSON: ${(error as Error).message.slice(0, 200)}`));
      return;
    }
    done(null, value);
  });
}
