// Blobs by their digest, streamed both ways and never held in memory. What is stored came from outside and is handed out
// as bytes only: a fixed content type, nosniff, as an attachment, sandboxed, so that no browser runs it as ours.
import type { Readable } from 'node:stream';
import { AssayError, Digest, limit } from '@assay/protocol';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { App, HttpContext } from '../context.ts';
import { failures, notFoundFault } from '../route-parts.ts';

const tags = ['blobs'];
const octets = 'application/octet-stream';
const params = z.strictObject({ digest: Digest });

export function blobRoutes(app: App, { blobs }: HttpContext): void {
  // No parser but this one: the others hold a whole body in memory.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(octets, (_request, payload, done) => done(null, payload));

  const sizeOf = async (digest: Digest): Promise<number> => {
    const bytes = await blobs.sizeOf(digest);
    if (bytes === null) throw notFoundFault('blob', digest);
    return bytes;
  };

  app.head(
    '/blobs/:digest',
    {
      config: { scope: 'blobRead' },
      schema: { summary: 'Whether a blob is there, and its size', tags, params, response: { ...failures() } },
    },
    async (request, reply) => {
      const { digest } = request.params;
      return describe(reply, digest, await sizeOf(digest)).send();
    },
  );

  app.get(
    '/blobs/:digest',
    {
      config: { scope: 'blobRead' },
      schema: { summary: "A blob's content", tags, params, produces: [octets], response: { ...failures() } },
    },
    async (request, reply) => {
      const { digest } = request.params;
      const bytes = await sizeOf(digest);
      const content = await blobs.open(digest);
      if (content === null) throw notFoundFault('blob', digest);
      return describe(reply, digest, bytes).send(content);
    },
  );

  app.put(
    '/blobs/:digest',
    {
      // A streamed body has no limit of Fastify's: what is announced is checked here, what comes by the store.
      async onRequest(request) {
        if (Number(request.headers['content-length'] ?? 0) > limit('blobBytes'))
          throw new AssayError('BODY_TOO_LARGE', `a blob may have ${limit('blobBytes')} bytes`);
      },
      config: { scope: 'blobWrite' },
      schema: {
        summary: 'Store a blob; one that is there already is success',
        tags,
        params,
        consumes: [octets],
        response: { 204: z.undefined(), ...failures() },
      },
    },
    async (request, reply) => {
      const { digest } = request.params;
      if (request.body === undefined) throw new AssayError('BAD_REQUEST', `the content type must be ${octets}`);
      await blobs.put(digest, request.body as Readable, limit('blobBytes'));
      return reply.code(204).send();
    },
  );
}

function describe(reply: FastifyReply, digest: Digest, bytes: number): FastifyReply {
  return reply
    .type(octets)
    .header('content-length', bytes)
    .header('content-disposition', `attachment; filename="${digest}"`)
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('cache-control', 'private, max-age=31536000, immutable')
    .header('etag', `"${digest}"`);
}
