// GET /api/v1/worker as a WebSocket, on the same port as the API. Who asks is settled before the upgrade, so that a
// connection without a token costs no more than a request; a refusal is an HTTP response with an ErrorBody.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { AssayError, frameSum, limit } from '@assay/protocol';
import { WebSocketServer } from 'ws';
import type { Authenticator } from './authenticate.ts';
import type { BusyGate } from './busy-gate.ts';
import type { HttpContext } from './context.ts';
import { faultOf } from './error-reply.ts';
import { closeCodes, closeSocket } from './link-websocket.ts';
import { mayServeAnyPool } from './scopes.ts';
import { serveWorker } from './worker-link.ts';

/** How long a closing link may take to say goodbye when the server stops. */
const closingMs = 1_000;

export type WorkerSocketOptions = {
  context: HttpContext;
  authenticator: Authenticator;
  busyGate: BusyGate;
  path: string;
};

export function attachWorkerSocket({ context, authenticator, busyGate, path }: WorkerSocketOptions) {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limit('frameBytes') + frameSum.chars,
    perMessageDeflate: false,
    clientTracking: true,
  });

  server.on('headers', (headers, request) => {
    if (asksForSums(request)) headers.push(`${frameSum.header}: ${frameSum.kind}`);
  });

  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    stream.on('error', () => stream.destroy());
    try {
      authenticator.guard(request.headers, false);
      if (new URL(request.url ?? '/', 'http://localhost').pathname !== path)
        throw new AssayError('NOT_FOUND', 'no such WebSocket');
      const identity = authenticator.identify(request.headers, request.socket.remoteAddress ?? '');
      if (!mayServeAnyPool(identity))
        throw new AssayError('FORBIDDEN', `the token ${identity.name} lacks a scope worker:POOL`);
      if (server.clients.size >= limit('workerLinks'))
        throw new AssayError('TOO_MANY_REQUESTS', `${server.clients.size} links are open already`);
      server.handleUpgrade(request, stream, head, (socket) =>
        serveWorker(socket, identity, context, busyGate, asksForSums(request)),
      );
    } catch (error) {
      refuseUpgrade(stream, faultOf(error) ?? new AssayError('BAD_REQUEST', 'the upgrade request is malformed'));
    }
  };

  return {
    upgrade,
    async close(): Promise<void> {
      const sockets = [...server.clients];
      const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
      for (const socket of sockets) closeSocket(socket, closeCodes.stopping, 'the coordinator is stopping');
      const late = setTimeout(() => {
        for (const socket of sockets) socket.terminate();
      }, closingMs);
      await Promise.all(closed);
      clearTimeout(late);
      server.close();
    },
  };
}

const asksForSums = ({ headers }: IncomingMessage): boolean => headers[frameSum.header] === frameSum.kind;

function refuseUpgrade(stream: Duplex, fault: AssayError): void {
  const body = JSON.stringify(fault.toBody());
  const lines = [
    `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status] ?? 'Error'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
