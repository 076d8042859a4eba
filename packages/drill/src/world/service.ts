// A small HTTP service that a drill's tests depend on and that the coordinator looks at: it can fail, slow down and come back at the
// same address. It counts what it was asked and how it answered: the proof of a dependency fault.
import { createServer, type Server } from 'node:http';

export type ServiceTrouble =
  | { readonly kind: 'down' }
  | { readonly kind: 'failing' }
  | { readonly kind: 'slow'; readonly lateMs: number };

export class DependencyService {
  #server: Server | null = null;
  #trouble: ServiceTrouble | null = null;
  port = 0;
  readonly counts = { answered: 0, failed: 0, slowed: 0 };

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async start(): Promise<void> {
    const server = createServer((_, response) => {
      const trouble = this.#trouble;
      const answer = (): void => {
        response.statusCode = trouble?.kind === 'failing' ? 503 : 200;
        if (trouble?.kind === 'failing') this.counts.failed += 1;
        else this.counts.answered += 1;
        response.end('{"service":"drill"}');
      };
      if (trouble?.kind !== 'slow') return answer();
      this.counts.slowed += 1;
      setTimeout(answer, trouble.lateMs).unref();
      return undefined;
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(this.port, '127.0.0.1', () => resolve()),
    );
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
    this.#server = server;
  }

  async trouble(trouble: ServiceTrouble): Promise<void> {
    this.#trouble = trouble;
    if (trouble.kind === 'down') await this.stop();
  }

  async mend(): Promise<void> {
    this.#trouble = null;
    if (this.#server === null) await this.start();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
