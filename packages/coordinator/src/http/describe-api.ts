// The OpenAPI document as text, from the routes as they register. Nothing listens and nothing is called: describing an API
// needs its shape and none of what stands behind it.
import type { Coordinator } from '../ports/coordinator.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Authority } from '../ports/authority.ts';
import { createHttpServer } from './server.ts';

export async function describeApi(): Promise<string> {
  const nothing: unknown = Object.freeze({});
  const server = createHttpServer({
    coordinator: nothing as Coordinator,
    blobs: nothing as BlobStore,
    authority: nothing as Authority,
    host: '127.0.0.1',
    port: 0,
    auth: 'tokens',
  });
  try {
    return `${JSON.stringify(await server.openApiDocument(), null, 2)}\n`;
  } finally {
    await server.close();
  }
}
