// The HTTP client beneath selenium-webdriver: one kept connection to the driver, a deadline for every command, and no second
// sending. Why it exists: selenium's own client repeats a command after a TCP reset (the command then ran twice) and waits for
// ever where a driver or browser is stopped.
// What always holds: a command goes out at most once; `send` settles within its deadline.
import { Agent, request } from 'node:http';

/** What selenium-webdriver's executor hands to a client, and gets back (its http.Request and http.Response). */
export type WireRequest = { readonly method: string; readonly path: string; readonly data: unknown };
export type WireResponse = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

/** `code`: `COMMAND_DEADLINE`, or the system's own (`ECONNREFUSED`, `ECONNRESET`). Whether the command ran is not known. */
export class WireError extends Error {
  readonly code: string;
  readonly command: string;

  constructor(code: string, command: string, detail: string) {
    super(`${command}: ${code}: ${detail}`);
    this.name = 'WireError';
    this.code = code;
    this.command = command;
  }
}

const answerBytesMax = 64 * 1024 * 1024;

export class WireClient {
  readonly #base: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #deadlineMs: number;

  constructor(base: string, deadlineMs: number) {
    this.#base = new URL(base);
    this.#deadlineMs = deadlineMs;
  }

  async send({ method, path, data }: WireRequest): Promise<WireResponse> {
    const command = `${method} ${path}`;
    const body = method === 'POST' ? JSON.stringify(data ?? {}) : '';
    return new Promise((resolve, reject) => {
      const fail = (code: string, detail: string): void => {
        clearTimeout(timer);
        reject(new WireError(code, command, detail));
        outgoing.destroy();
      };
      const timer = setTimeout(
        () => fail('COMMAND_DEADLINE', `no answer within ${this.#deadlineMs} ms`),
        this.#deadlineMs,
      );
      const outgoing = request(
        new URL(`${this.#base.pathname.replace(/\/$/, '')}${path}`, this.#base),
        {
          method,
          agent: this.#agent,
          headers: {
            'content-type': 'application/json; charset=utf-8',
            'content-length': Buffer.byteLength(body),
          },
        },
        (incoming) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          incoming.on('data', (part: Buffer) => {
            bytes += part.length;
            if (bytes > answerBytesMax) fail('ANSWER_TOO_LARGE', `more than ${answerBytesMax} bytes`);
            else parts.push(part);
          });
          incoming.on('error', (error) => fail(codeOf(error), String(error)));
          incoming.on('end', () => {
            clearTimeout(timer);
            const headers = new Map(
              Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const),
            );
            const text = Buffer.concat(parts).toString('utf8').replaceAll('\0', '');
            resolve({ status: incoming.statusCode ?? 0, headers, body: text });
          });
        },
      );
      outgoing.on('error', (error) => fail(codeOf(error), String(error)));
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? 'CONNECTION_FAILED';
}
