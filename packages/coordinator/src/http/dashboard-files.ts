// The dashboard's own files: read once, served from memory, with the strictest policy that they work under. Every other address
// that a browser asks for as a page gets the page too, so that each of its addresses can be shared and reloaded.
// What always holds: nothing outside the folder can be asked for (only names that were found in it are known); a page may load
// nothing from another host, run no text as code and be framed by nobody.
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AssayError } from '@assay/protocol';
import type { App } from './context.ts';
import { notFound } from './error-reply.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

type File = { type: string; plain: Buffer; gzip: Buffer | null };

/** `directory` is what packages/dashboard builds; null serves no pages, and says so where one is asked for. */
export function dashboardFiles(app: App, directory: string | null): void {
  let files: Map<string, File> | null = null;
  // Whatever no route answers. Not a route of its own: it would answer for malformed addresses of the API too.
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    if (request.method !== 'GET' || path.startsWith('/api/')) return notFound(request);
    files ??= readFiles(directory);
    const asked = files.get(path);
    const file = asked ?? (isPage(request) ? files.get('/index.html') : undefined);
    if (file === undefined) {
      if (isPage(request) && files.size === 0)
        throw new AssayError('NOT_FOUND', 'this coordinator serves no dashboard');
      return notFound(request);
    }
    // What the build puts in assets/ has its digest in its name.
    if (asked !== undefined && path.startsWith('/assets/'))
      reply.header('cache-control', 'public, max-age=31536000, immutable');
    return send(request, reply, file);
  });
}

function send(request: FastifyRequest, reply: FastifyReply, file: File): FastifyReply {
  const isZipped = file.gzip !== null && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (isZipped) reply.header('content-encoding', 'gzip');
  return reply
    .header('vary', 'accept-encoding')
    .header('content-security-policy', policy)
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('permissions-policy', 'camera=(), microphone=(), geolocation=()')
    .type(file.type)
    .send(isZipped ? file.gzip : file.plain);
}

/** Whether a browser asks for it to show it, and not a program for data. */
function isPage({ headers }: FastifyRequest): boolean {
  return String(headers.accept ?? '').includes('text/html');
}

function readFiles(directory: string | null): Map<string, File> {
  const files = new Map<string, File>();
  if (directory === null) return files;
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true }).map((name) => String(name).replaceAll('\\', '/'));
  } catch {
    return files;
  }
  const known = new Set(names);
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const path = join(directory, name);
    const gzip = known.has(`${name}.gz`) ? readFileSync(`${path}.gz`) : null;
    files.set(`/${name}`, { type, plain: readFileSync(path), gzip });
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}
