// Every failure leaves as an ErrorBody with the status of its code, whatever threw it: our faults, a schema, Fastify's own
// checks, an unknown route or a bug. A bug's message stays in the log; the caller gets the request's id to name it by.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AssayError, type ErrorCode, errorCatalogue } from '@assay/protocol';
import type { HttpLog } from './context.ts';

/** Fastify's and Node's own errors that a caller can cause, and what they are called here. */
const foreign: Record<string, { code: ErrorCode; message: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE', message: 'the body is larger than the limit' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'BAD_REQUEST', message: 'the content type is not one that this route takes' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'BAD_REQUEST', message: 'the body does not have the announced length' },
  FST_ERR_BAD_URL: { code: 'BAD_REQUEST', message: 'the URL is malformed' },
  FST_ERR_ASYNC_CONSTRAINT: { code: 'BAD_REQUEST', message: 'the request cannot be routed' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'NOT_FOUND', message: 'the path is too long' },
  ECONNRESET: { code: 'BAD_REQUEST', message: 'the connection closed before the request was complete' },
  ERR_STREAM_PREMATURE_CLOSE: { code: 'BAD_REQUEST', message: 'the connection closed before the request was complete' },
};

/** The fault that a caller is told of; null for a bug. */
export function faultOf(error: unknown): AssayError | null {
  if (error instanceof AssayError) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const known = foreign[code];
  return known === undefined ? null : new AssayError(known.code, known.message);
}

/** A refusal of the engine as a fault; a code outside the catalogue is our own bug. */
export function refusal(code: string, reason: string): AssayError {
  if (Object.hasOwn(errorCatalogue, code)) return new AssayError(code as ErrorCode, reason);
  return new AssayError('INTERNAL', `refused with the unknown code ${code}: ${reason}`);
}

export function createErrorHandler(log: HttpLog) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const fault = faultOf(error);
    const told = fault ?? new AssayError('INTERNAL', `the coordinator met a bug in request ${request.id}`);
    if (told.status >= 500)
      log('request failed', {
        request: request.id,
        method: request.method,
        path: request.routeOptions.url,
        error: String((error as Error).stack ?? error),
      });
    if (told.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
    if (told.code === 'TOO_MANY_REQUESTS') reply.header('retry-after', '60');
    // Do not wait for the rest of what is not wanted.
    if (told.code === 'BODY_TOO_LARGE') reply.header('connection', 'close');
    addStandardHeaders(request, reply);
    // Written out here, so that a route's own response schemas cannot get in the way of its error.
    reply.code(told.status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(told.toBody());
  };
}

/** On every response: the request's name, and that what is sent is what it says it is and for nobody's cache. */
export function addStandardHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('cache-control', 'no-store');
}

export function notFound(request: FastifyRequest): never {
  throw new AssayError('NOT_FOUND', `no such route: ${request.method} ${request.url.slice(0, 200)}`);
}
