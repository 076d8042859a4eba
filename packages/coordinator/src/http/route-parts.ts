// What routes have in common: path parameters, page sizes, the documented failures, and the engine's reply as a value.
import { AssayError, ErrorBody, RunId, TaskId, TokenId, WorkerId } from '@assay/protocol';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Identity } from '../ports/authority.ts';
import type { Coordinator } from '../ports/coordinator.ts';
import { refusal } from './error-reply.ts';

export const runParams = z.strictObject({ run: RunId });
export const taskParams = z.strictObject({ task: TaskId });
export const workerParams = z.strictObject({ worker: WorkerId });
export const tokenParams = z.strictObject({ token: TokenId });

/** Rows of one page. */
export const pageLimit = z.coerce.number().int().min(1).max(1_000).default(100);
/** A page's `next`, opaque to callers. */
export const cursor = z.string().min(1).max(300);

/** Every route may fail in these classes; the code in the body says how. */
export function failures(): { '4xx': typeof ErrorBody; '5xx': typeof ErrorBody } {
  return { '4xx': ErrorBody, '5xx': ErrorBody };
}

/** Who asks. Routes with a scope other than 'none' always have one. */
export function callerOf(request: FastifyRequest): Identity {
  if (request.identity === null) throw new Error(`${request.routeOptions.url} was reached without an identity`);
  return request.identity;
}

type Input = Parameters<Coordinator['submit']>[0];
type Reply = Awaited<ReturnType<Coordinator['submit']>>;

/** Hands an input to the engine; a refusal becomes the fault that its code names. */
export async function submitOrThrow(
  coordinator: Coordinator,
  input: Input,
): Promise<Exclude<Reply, { kind: 'refused' }>> {
  const reply = await coordinator.submit(input);
  if (reply.kind === 'refused') throw refusal(reply.code, reply.reason);
  return reply;
}

export function notFoundFault(kind: string, id: string): AssayError {
  return new AssayError('NOT_FOUND', `there is no ${kind} ${id}`);
}
