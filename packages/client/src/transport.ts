// One call over fetch: address, token, deadline, repetition, and the answer through its schema.
// What always holds: only calls that may be repeated are repeated, with growing and jittered pauses, and only after a fault
// that may pass; nothing is handed out that the protocol's schema did not accept.
import type { z } from 'zod';
import { ClientError, errorOfResponse, jsonOf, ownError } from './client-error.ts';

/** What may be sent as a blob. */
export type BlobContent = Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;

export type TransportOptions = {
  url: string;
  token: string | undefined;
  csrf: (() => string | undefined) | undefined;
  fetch: typeof globalThis.fetch;
  retriesMax: number;
  timeoutMs: number;
};

export type Call = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Record<string, string | number | undefined>;
  json?: unknown;
  /** Raw content instead of JSON. */
  content?: BlobContent;
  headers?: Record<string, string>;
  isRepeatable: boolean;
  /** Content and streams take as long as they take. */
  isTimed: boolean;
  signal?: AbortSignal | undefined;
};

const pauseFirstMs = 100;
const pauseMaxMs = 5_000;

export class Transport {
  readonly #options: TransportOptions;
  readonly #base: string;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#base = `${options.url.replace(/\/+$/, '')}/api/v1`;
  }

  /** The answer of a call as its schema says it. */
  async json<Schema extends z.ZodType>(schema: Schema, call: Omit<Call, 'isTimed'>): Promise<z.infer<Schema>> {
    const { response, text } = await this.#repeated({ ...call, isTimed: true }, async (answer) => ({
      response: answer,
      text: await answer.text(),
    }));
    const result = schema.safeParse(jsonOf(text));
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    throw ownError(
      'PROTOCOL_MISMATCH',
      `${call.method} ${call.path}: the answer (${response.status}) is not what this client expects: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }

  /** The response itself, whose body the caller reads. */
  response(call: Call): Promise<Response> {
    return this.#repeated(call, (response) => Promise.resolve(response));
  }

  async #repeated<Value>(call: Call, read: (response: Response) => Promise<Value>): Promise<Value> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(call, read);
      } catch (error) {
        const mayPass = error instanceof ClientError && error.retryable && call.isRepeatable;
        if (!mayPass || attempt >= this.#options.retriesMax || call.signal?.aborted) throw error;
        await pause(backOffMs(attempt), call.signal);
      }
    }
  }

  async #once<Value>(call: Call, read: (response: Response) => Promise<Value>): Promise<Value> {
    const url = this.#urlOf(call);
    const deadline = call.isTimed ? AbortSignal.timeout(this.#options.timeoutMs) : undefined;
    const signals = [call.signal, deadline].filter((signal) => signal !== undefined);
    try {
      const response = await this.#options.fetch(url, this.#initOf(call, signals));
      if (!response.ok) throw await errorOfResponse(response, this.#options.url);
      return await read(response);
    } catch (error) {
      if (error instanceof ClientError || call.signal?.aborted) throw error;
      // A deadline that passed is not tried again: whoever waited a minute wants to know.
      if (deadline?.aborted)
        throw ownError(
          'COORDINATOR_UNREACHABLE',
          `${this.#options.url} did not answer within ${this.#options.timeoutMs} ms`,
          error,
          false,
        );
      throw ownError('COORDINATOR_UNREACHABLE', `${this.#options.url} cannot be reached: ${reasonOf(error)}`, error);
    }
  }

  #urlOf(call: Call): string {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(key, String(value));
    const text = query.toString();
    return `${this.#base}${call.path}${text === '' ? '' : `?${text}`}`;
  }

  #initOf(call: Call, signals: AbortSignal[]): RequestInit {
    const headers: Record<string, string> = { ...call.headers };
    if (this.#options.token !== undefined) headers.authorization = `Bearer ${this.#options.token}`;
    const csrf = call.method === 'GET' ? undefined : this.#options.csrf?.();
    if (csrf !== undefined) headers['x-assay-csrf'] = csrf;
    if (call.json !== undefined) headers['content-type'] = 'application/json';
    const body = call.json === undefined ? call.content : JSON.stringify(call.json);
    return {
      method: call.method,
      headers,
      // Tokens must not follow a redirect to somebody else.
      redirect: 'error',
      ...(body === undefined ? {} : { body }),
      // Node and browsers ask for it where the body is a stream.
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    };
  }
}

/** Doubling pauses, each drawn from the upper half, so that many clients do not come back together. */
export function backOffMs(attempt: number): number {
  const pauseMs = Math.min(pauseMaxMs, pauseFirstMs * 2 ** Math.min(attempt, 16));
  return pauseMs * (0.5 + Math.random() / 2);
}

/** Rejects with the signal's reason when it is aborted. */
export function pause(pauseMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, pauseMs);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** fetch says "fetch failed"; what happened is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
