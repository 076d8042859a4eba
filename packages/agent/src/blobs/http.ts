// The agent's few HTTP calls: blobs to and from the coordinator. Node's own client rather than fetch, which costs an
// idle agent several MiB; streams both ways, a deadline on silence, no redirects.
import { createReadStream } from 'node:fs';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { AssayError } from '@assay/protocol';
import type { Digest } from '@assay/protocol';

export type BlobAccess = { url: string; token: string; ca: string | null; silenceMs?: number };

export type PutResult =
  | { kind: 'stored' }
  | { kind: 'refused'; status: number; message: string }
  | { kind: 'unreachable'; message: string };

/** Sends a file under its digest. A refusal is for good; unreachable may work later. */
export async function putBlob(
  access: BlobAccess,
  digest: Digest,
  path: string,
  bytes: number,
  signal?: AbortSignal,
): Promise<PutResult> {
  let response: IncomingMessage;
  try {
    response = await request(
      access,
      digest,
      { method: 'PUT', headers: { 'content-length': bytes, 'content-type': 'application/octet-stream' } },
      path,
      signal,
    );
  } catch (error) {
    return { kind: 'unreachable', message: String(error) };
  }
  const status = response.statusCode ?? 0;
  const text = await readText(response);
  if (status >= 200 && status < 300) return { kind: 'stored' };
  const message = `status ${status}: ${text}`;
  return status >= 500 || status === 408 || status === 429
    ? { kind: 'unreachable', message }
    : { kind: 'refused', status, message };
}

/** The blob's content, not verified yet. Throws SOURCE_UNAVAILABLE with the reason. */
export async function getBlob(access: BlobAccess, digest: Digest, signal?: AbortSignal): Promise<IncomingMessage> {
  let response: IncomingMessage;
  try {
    response = await request(access, digest, { method: 'GET' }, null, signal);
  } catch (error) {
    throw new AssayError('SOURCE_UNAVAILABLE', `bundle ${digest} cannot be fetched: ${String(error)}`);
  }
  if (response.statusCode === 200) return response;
  throw new AssayError(
    'SOURCE_UNAVAILABLE',
    `bundle ${digest} cannot be fetched: status ${response.statusCode}: ${await readText(response)}`,
  );
}

async function request(
  access: BlobAccess,
  digest: Digest,
  options: RequestOptions,
  file: string | null,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const base = new URL(access.url);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/api/v1/blobs/${digest}`;
  const { request: open } = base.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const call = open(base, {
      ...options,
      headers: { ...(options.headers as Record<string, string | number>), authorization: `Bearer ${access.token}` },
      timeout: access.silenceMs ?? 30_000,
      ...(access.ca === null ? {} : { ca: access.ca }),
      ...(signal === undefined ? {} : { signal }),
    });
    call.on('timeout', () => call.destroy(new Error(`no answer for ${access.silenceMs ?? 30_000} ms`)));
    call.on('error', reject);
    call.on('response', resolve);
    if (file === null) return void call.end();
    const content = createReadStream(file);
    content.on('error', (error) => call.destroy(error));
    content.pipe(call);
  });
}

/** The start of a body, for a message. */
async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > 2_000) break;
    }
  } catch {
    // The status says enough.
  }
  return text.slice(0, 500);
}
