// The server of one session: pages, bundles and files for that session alone, on loopback, with the headers that isolate a
// page and none that let it be cached. What a page reports comes back here, to the address with the token of its own task.
// What always holds: nothing is answered for another host name; a report to a token that nobody waits for is refused.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** What a route answers: null leaves the request to the next route. */
export type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** False for a page whose own headers are to say whether it is isolated; absent is isolated. */
  readonly isIsolated?: boolean;
};
export type Route = (url: URL) => Promise<Answer | null> | Answer | null;
/** Called with the events that a page posted; throws what is not to be accepted. */
export type ReportHandler = (events: readonly Readonly<Record<string, unknown>>[]) => void;

const reportPrefix = '/__assay/report/';
const reportBytesMax = 16 * 1024 * 1024;

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json',
  css: 'text/css; charset=utf-8',
  wasm: 'application/wasm',
  txt: 'text/plain; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  webm: 'video/webm',
  mp4: 'video/mp4',
};

/** Cross-origin isolation: shared memory and fine timers in the page. */
export const isolationHeaders: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export class Loopback {
  readonly origin: string;
  readonly #server: Server;
  readonly #handlers = new Map<string, ReportHandler>();
  #routes: readonly Route[] = [];
  #served = createHash('sha256');

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      void this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<Loopback> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Loopback(server);
  }

  /** Serves these and nothing else from now on, and begins a new digest of what is served. */
  serve(routes: readonly Route[]): void {
    this.#routes = routes;
    this.#served = createHash('sha256');
  }

  /** SHA-256 over path, length and body of all that was served since `serve`, in order. */
  servedDigest(): string {
    return this.#served.copy().digest('hex');
  }

  /** Hears what is posted with this token, until it is forgotten; the path to post to. */
  expect(token: string, handler: ReportHandler): string {
    this.#handlers.set(token, handler);
    return reportPrefix + token;
  }

  forget(token: string): void {
    this.#handlers.delete(token);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    // Another site in some browser of this machine must not read a project by rebinding its name to loopback.
    if (request.headers.host !== new URL(this.origin).host) return plain(response, 421, 'not this host');
    if (request.method === 'POST' && url.pathname.startsWith(reportPrefix)) return this.#take(url, request, response);
    for (const route of this.#routes) {
      const answer = await route(url);
      if (answer === null) continue;
      const body = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(answer.body);
      this.#served.update(`${url.pathname} ${body.length}\n`).update(body);
      const isolation = answer.isIsolated === false ? {} : isolationHeaders;
      const headers = { 'Cache-Control': 'no-store', ...isolation, ...answer.headers };
      response.writeHead(answer.status ?? 200, headers);
      response.end(body);
      return;
    }
    return plain(response, 404, `no ${url.pathname}`);
  }

  async #take(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const handler = this.#handlers.get(url.pathname.slice(reportPrefix.length));
    if (!handler) return plain(response, 410, 'nobody waits for this report');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes > reportBytesMax) return plain(response, 413, `at most ${reportBytesMax} bytes a report`);
      chunks.push(chunk as Buffer);
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch {
      return plain(response, 400, 'not JSON');
    }
    if (!Array.isArray(parsed)) return plain(response, 400, 'not a list of events');
    handler(parsed.filter((event): event is Record<string, unknown> => typeof event === 'object' && event !== null));
    return plain(response, 200, 'ok');
  }
}

/** Serves the files below `directory` under `prefix`; nothing outside it, and no dot files. */
export function filesRoute(prefix: string, directory: string): Route {
  const root = path.resolve(directory);
  return async (url) => {
    const name = decodedPath(url);
    if (name === null || !name.startsWith(prefix) || /\/\.|\0/.test(name)) return null;
    const file = path.resolve(root, `./${name.slice(prefix.length)}`);
    if (!file.startsWith(root + path.sep)) return null;
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) return null;
    return { headers: { 'Content-Type': contentType(file) }, body: await readFile(file) };
  };
}

/** The path of an address, decoded; null when it is not well-formed. */
export function decodedPath(url: URL): string | null {
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    return null;
  }
}

export function contentType(file: string): string {
  return types[path.extname(file).slice(1).toLowerCase()] ?? 'application/octet-stream';
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' });
  response.end(text);
}
