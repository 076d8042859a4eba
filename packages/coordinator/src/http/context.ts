// What every route needs: the ports it talks to and the settings of this listener. Routes keep no state of their own.
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { Authority, Identity } from '../ports/authority.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Coordinator } from '../ports/coordinator.ts';
import type { RequiredScope } from './scopes.ts';

/** The listener's own times; tests shorten them. */
export type HttpTimings = {
  /** How long an open WebSocket may take to say hello. */
  helloDeadlineMs: number;
  /** Between two comments on an idle feed, so that a dead listener is noticed. */
  feedHeartbeatMs: number;
  /** How often a paused link asks whether the coordinator is still busy. */
  busyPollMs: number;
  /** The longest that a submission waits for a busy coordinator. */
  busyWaitMs: number;
};

export const defaultTimings: HttpTimings = {
  helloDeadlineMs: 10_000,
  feedHeartbeatMs: 10_000,
  busyPollMs: 5,
  busyWaitMs: 30_000,
};

/** Something an operator may want to know; never a secret, never a request's content. */
export type HttpLog = (message: string, details?: Record<string, unknown>) => void;

export type HttpContext = {
  readonly coordinator: Coordinator;
  readonly blobs: BlobStore;
  readonly authority: Authority;
  readonly timings: HttpTimings;
  readonly log: HttpLog;
};

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. A route without it does not register. */
    scope?: RequiredScope;
    /** Whether `contentDigest` is wanted: the SHA-256 of the raw body. */
    isDigested?: boolean;
  }
  interface FastifyRequest {
    /** Set for every route whose scope is not 'none'. */
    identity: Identity | null;
    contentDigest: string;
  }
}
