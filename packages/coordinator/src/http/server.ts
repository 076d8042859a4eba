// The coordinator's door to the network: HTTP API, live feed and worker WebSocket on one port.
// Why one factory: everything that must hold for every route is said here once: who may call, what a failure looks like,
// how large a request may be, that nothing is served beyond loopback without tokens.
// What always holds: a body reaches its handler only through its schema, and a response leaves only through its own.
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { AssayError, limit } from '@assay/protocol';
import type { Authority, Identity } from '../ports/authority.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Coordinator } from '../ports/coordinator.ts';
import { type Authenticator, type AuthMode, createAuthenticator } from './authenticate.ts';
import { isLoopbackHost } from './browser-guard.ts';
import { createBusyGate } from './busy-gate.ts';
import { type App, defaultTimings, type HttpContext, type HttpLog, type HttpTimings } from './context.ts';
import { dashboardFiles } from './dashboard-files.ts';
import { addStandardHeaders, createErrorHandler } from './error-reply.ts';
import { addJsonParser, serializerCompiler, validatorCompiler } from './json-body.ts';
import { openApiOptions } from './openapi.ts';
import { backupRoutes } from './routes/backups.ts';
import { blobRoutes } from './routes/blobs.ts';
import { caseRoutes } from './routes/cases.ts';
import { circuitRoutes } from './routes/circuits.ts';
import { feedRoutes } from './routes/feed.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { policyRoutes } from './routes/policy.ts';
import { quarantineRoutes } from './routes/quarantines.ts';
import { analysisRoutes } from './routes/analysis.ts';
import { queryRoutes } from './routes/query.ts';
import { importRoutes } from './routes/imports.ts';
import { runRoutes } from './routes/runs.ts';
import { sessionRoutes } from './routes/session.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { workerRoutes } from './routes/workers.ts';
import { isAllowed, scopesNeeded } from './scopes.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { attachWorkerSocket } from './worker-socket.ts';

export const apiPrefix = '/api/v1';

export type HttpServerOptions = {
  coordinator: Coordinator;
  blobs: BlobStore;
  authority: Authority;
  host: string;
  /** 0 for any free one. */
  port: number;
  tls?: { cert: string | Buffer; key: string | Buffer };
  /**
   * `tokens`: every request but GET /health needs one. `loopbackOpen`: nobody needs one while none exists, from this
   * machine only and not from web pages; the first token ends that.
   */
  auth: AuthMode;
  /** The folder of the dashboard's files; absent: no pages. */
  dashboardDir?: string;
  log?: HttpLog;
  timings?: Partial<HttpTimings>;
};

export type HttpServer = {
  /** Starts to listen; the address that clients use. LISTEN_NOT_LOOPBACK where that needs tokens first. */
  listen(): Promise<{ url: string; host: string; port: number }>;
  /** The OpenAPI 3.1 document of what this server serves. */
  openApiDocument(): Promise<unknown>;
  /** Ends feeds and links and waits for requests in progress. */
  close(): Promise<void>;
};

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const timings = { ...defaultTimings, ...options.timings };
  const context: HttpContext = { ...options, timings, log: options.log ?? (() => undefined) };
  const authenticator = createAuthenticator(options.authority, options.auth);
  const busyGate = createBusyGate(() => options.coordinator.isBusy(), timings.busyPollMs);
  const app = createApp(options, context.log);

  const port = (): number => (app.server.address() as AddressInfo | null)?.port ?? 0;
  const sessions = createSessions(options.authority, () => `assay_${port()}`, options.tls !== undefined);
  addGuards(app, authenticator, sessions, options.coordinator);
  app.register(swagger, openApiOptions);
  app.register(
    async (api) => {
      const routes = api as unknown as App;
      for (const add of [healthRoutes, caseRoutes, taskRoutes, workerRoutes, circuitRoutes, tokenRoutes, feedRoutes])
        add(routes, context);
      runRoutes(routes, context, busyGate);
      historyRoutes(routes, context);
      policyRoutes(routes, context);
      quarantineRoutes(routes, context);
      importRoutes(routes, context);
      backupRoutes(routes, context);
      queryRoutes(routes, context);
      sessionRoutes(routes, authenticator, sessions);
      analysisRoutes(routes, context);
      api.register(async (blobs) => blobRoutes(blobs as unknown as App, context));
      routes.get('/openapi.json', { config: { scope: 'none' }, schema: { hide: true } }, (_request, reply) =>
        reply.serializer(JSON.stringify).send(app.swagger()),
      );
    },
    { prefix: apiPrefix },
  );
  const socket = attachWorkerSocket({ context, authenticator, busyGate, path: `${apiPrefix}/worker` });
  app.server.on('upgrade', socket.upgrade);

  return {
    async listen() {
      checkListen(options);
      await app.listen({ host: options.host, port: options.port });
      const host = options.host.includes(':') ? `[${options.host}]` : options.host;
      return { url: `${options.tls ? 'https' : 'http'}://${host}:${port()}`, host: options.host, port: port() };
    },
    async openApiDocument() {
      await app.ready();
      return app.swagger();
    },
    async close() {
      busyGate.close();
      await socket.close();
      await app.close();
    },
  };
}

function createApp(options: HttpServerOptions, log: HttpLog): App {
  const settings = {
    logger: false as const,
    bodyLimit: limit('bodyBytes'),
    // Path parameters are ids, 80 characters at most.
    routerOptions: { maxParamLength: 200 },
    exposeHeadRoutes: false,
    requestTimeout: 0,
    forceCloseConnections: true as const,
    genReqId: requestIdOf,
    frameworkErrors: createErrorHandler(log),
    return503OnClosing: false,
  };
  const app = (options.tls ? Fastify({ ...settings, https: options.tls }) : Fastify(settings)) as unknown as App;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(createErrorHandler(log));
  dashboardFiles(app, options.dashboardDir ?? null);
  addJsonParser(app);
  return app;
}

/** The caller's own request id where it is a plain word, so that its log and ours can be joined. */
function requestIdOf(request: { headers: Record<string, unknown> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,80}$/.test(given) ? given : randomUUID();
}

function addGuards(app: App, authenticator: Authenticator, sessions: Sessions, coordinator: Coordinator): void {
  app.decorateRequest('identity', null);
  app.decorateRequest('contentDigest', '');
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith(apiPrefix) && route.config?.scope === undefined)
      throw new Error(`route ${route.url} does not say who may call it`);
  });
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    addStandardHeaders(request, reply);
    const isPage = request.method === 'GET' && !request.url.startsWith(apiPrefix);
    authenticator.guard(request.headers, isPage);
    const scope = request.routeOptions.config.scope;
    if (scope === undefined || scope === 'none') return;
    const identity = identify(request, authenticator, sessions);
    if (!isAllowed(identity, scope))
      throw new AssayError('FORBIDDEN', `the token ${identity.name} lacks the scope ${scopesNeeded(scope)}`);
    request.identity = identity;
  });
  // The engine may be ahead of its journal: what was read from its views is told only when it is durable.
  app.addHook('preSerialization', async (request, reply, payload) => {
    const scope = request.routeOptions.config.scope;
    const isLive = scope === 'read' || scope === 'submit' || scope === 'operate';
    if (isLive && reply.statusCode < 400) await coordinator.whenDurable();
    return payload;
  });
}

/** A token that is offered counts before a cookie. What changes something must show that one of our pages asks for it. */
function identify(request: FastifyRequest, authenticator: Authenticator, sessions: Sessions): Identity {
  const signedIn = request.headers.authorization === undefined ? sessions.find(request.headers) : null;
  if (signedIn === null) return authenticator.identify(request.headers, request.ip);
  if (request.method !== 'GET' && request.method !== 'HEAD') sessions.guard(request.headers, signedIn.csrf);
  return signedIn.identity;
}

function checkListen(options: HttpServerOptions): void {
  if (isLoopbackHost(options.host)) return;
  if (options.auth === 'tokens' && options.authority.hasTokens()) return;
  throw new AssayError(
    'LISTEN_NOT_LOOPBACK',
    `listening on ${options.host} would let anybody who reaches it run commands on the workers`,
  );
}
