// One connection to a Chromium by the Chrome DevTools Protocol: commands with a deadline each, and events. When the
// connection ends, every command that waits fails and `closed` resolves: nothing waits for a browser that is gone.
import { WebSocket } from 'ws';

export type CdpEvent = {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly sessionId?: string;
};

type Waiting = {
  resolve: (value: Record<string, unknown>) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
};

/** More than any command but a page's own work takes. */
const commandDeadlineMs = 30_000;

export class Cdp {
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: CdpEvent) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const { reject, timer } of this.#waiting.values()) {
          clearTimeout(timer);
          reject(new Error('browser has disconnected'));
        }
        this.#waiting.clear();
        resolve();
      });
    });
    // What follows an error is always a close, and that is what counts.
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
  }

  static async connect(url: string): Promise<Cdp> {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new Cdp(socket);
  }

  /** Sends a command and waits for its answer, at most `deadlineMs`. Fails with the browser's own text. */
  async send(
    method: string,
    params: object = {},
    sessionId?: string,
    deadlineMs = commandDeadlineMs,
  ): Promise<Record<string, unknown>> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error('browser has disconnected'));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`The browser did not answer ${method} within ${deadlineMs} ms.`));
      }, deadlineMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  }

  /** Hears events until the function that it returns is called. */
  listen(listener: (event: CdpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as {
      id?: number;
      result?: Record<string, unknown>;
      error?: { message: string };
      method?: string;
      params?: Record<string, unknown>;
      sessionId?: string;
    };
    if (message.id === undefined) {
      const event = {
        method: message.method ?? '',
        params: message.params ?? {},
        ...(message.sessionId === undefined ? {} : { sessionId: message.sessionId }),
      };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    clearTimeout(waiting?.timer);
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result ?? {});
  }
}
