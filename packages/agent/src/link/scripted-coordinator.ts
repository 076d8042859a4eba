// A coordinator for tests and benchmarks of the agent: a real HTTP and WebSocket server that checks every frame against
// the protocol's schemas, keeps what workers report, and does what the test tells it. Not an engine: it decides nothing.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentFrame, CoordinatorFrame, protocolVersion } from '@assay/protocol';
import type { AgentMessage, CoordinatorMessage, Hello, Report, SessionId } from '@assay/protocol';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

type Welcome = CoordinatorMessage & { kind: 'welcome' };

export type ScriptedOptions = {
  token?: string;
  welcome?: Partial<Welcome>;
  /** Instead of a welcome. */
  refuse?: CoordinatorMessage & { kind: 'refused' };
  port?: number;
};

export class ScriptedCoordinator {
  readonly token: string;
  readonly hellos: Hello[] = [];
  /** Accepted reports: each number once, in order of arrival. */
  readonly reports: Report[] = [];
  readonly others: AgentMessage[] = [];
  readonly violations: string[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly closes: string[] = [];
  options: ScriptedOptions;
  /** When false, reports are read but neither kept nor acknowledged. */
  accepts = true;
  heartbeats = true;
  ackedSeq = -1;
  #server: Server;
  #sockets: WebSocketServer;
  #link: WebSocket | null = null;
  #sessions = 0;
  #timer: NodeJS.Timeout;
  readonly #waiters = new Set<() => void>();

  static async start(options: ScriptedOptions = {}): Promise<ScriptedCoordinator> {
    const coordinator = new ScriptedCoordinator(options);
    await new Promise<void>((resolve) => coordinator.#server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return coordinator;
  }

  private constructor(options: ScriptedOptions) {
    this.options = options;
    this.token = options.token ?? 'test-token';
    this.#server = createServer((request, response) => void this.#blob(request, response));
    this.#sockets = new WebSocketServer({ noServer: true });
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/api/v1/worker' || request.headers.authorization !== `Bearer ${this.token}`) {
        const body = JSON.stringify({ code: 'UNAUTHORIZED', message: 'no such token', next: '', retryable: false });
        socket.end(
          `HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        );
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (link) => this.#accept(link));
    });
    this.#timer = setInterval(() => this.heartbeats && this.send([{ kind: 'heartbeat', atMs: Date.now() }]), 100);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get isLinked(): boolean {
    return this.#link !== null;
  }

  send(messages: CoordinatorMessage[]): void {
    this.#link?.send(JSON.stringify(CoordinatorFrame.parse(messages)));
  }

  sendRaw(text: string | Buffer): void {
    this.#link?.send(text);
  }

  /** Cuts the link without a close frame, as a network does. */
  cut(): void {
    this.#link?.terminate();
  }

  /** Resolves when the condition holds, which is looked at with everything that arrives; rejects after the time. */
  async until(what: string, condition: () => boolean, withinMs = 15_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        clearInterval(poll);
        this.#waiters.delete(check);
        resolve();
      };
      const poll = setInterval(check, 20);
      const timer = setTimeout(() => {
        clearInterval(poll);
        this.#waiters.delete(check);
        reject(
          new Error(
            `not within ${withinMs} ms: ${what}; reports: ${JSON.stringify(this.reports.map((r) => [r.seq, r.kind]))} ${this.violations.join('; ')}`,
          ),
        );
      }, withinMs);
      this.#waiters.add(check);
    });
  }

  reportsOf<K extends Report['kind']>(kind: K): (Report & { kind: K })[] {
    return this.reports.filter((report): report is Report & { kind: K } => report.kind === kind);
  }

  addBlob(content: Buffer): string {
    const digest = createHash('sha256').update(content).digest('hex');
    this.blobs.set(digest, content);
    return digest;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(link: WebSocket): void {
    let isWelcomed = false;
    link.on('error', () => undefined);
    link.on('close', (code, reason) => {
      this.closes.push(`${code} ${reason.toString()}`);
      if (this.#link === link) this.#link = null;
      for (const check of [...this.#waiters]) check();
    });
    link.on('message', (data) => {
      const frame = AgentFrame.safeParse(JSON.parse((data as Buffer).toString('utf8')));
      if (!frame.success) return void this.violations.push(`frame: ${frame.error.message}`);
      for (const message of frame.data) {
        if (message.kind !== 'hello' && !isWelcomed) this.violations.push(`${message.kind} before welcome`);
        if (message.kind === 'hello') {
          this.#link = link;
          isWelcomed = this.#greet(message);
        } else if (message.kind === 'report') this.#report(message.report);
        else this.others.push(message);
      }
      for (const check of [...this.#waiters]) check();
    });
  }

  #greet(hello: Hello): boolean {
    this.hellos.push(hello);
    if (this.options.refuse !== undefined) {
      this.send([this.options.refuse]);
      return false;
    }
    this.#sessions += 1;
    const session = `s-${this.#sessions}` as SessionId;
    this.send([
      {
        kind: 'welcome',
        protocolVersion,
        session,
        ackedSeq: this.ackedSeq,
        heartbeatMs: 100,
        silentAfterMs: 2_000,
        reportWindow: 100,
        abandon: [],
        ...this.options.welcome,
      },
    ]);
    return true;
  }

  #report(report: Report): void {
    if (!this.accepts) return;
    if (report.seq > this.ackedSeq) {
      this.reports.push(report);
      this.ackedSeq = report.seq;
    }
    this.send([{ kind: 'ack', seq: this.ackedSeq }]);
  }

  async #blob(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const digest = /^\/api\/v1\/blobs\/([0-9a-f]{64})$/.exec(request.url ?? '')?.[1];
    if (digest === undefined || request.headers.authorization !== `Bearer ${this.token}`)
      return void response.writeHead(404).end();
    if (request.method === 'GET') {
      const content = this.blobs.get(digest);
      return void (content === undefined
        ? response.writeHead(404).end('no such blob')
        : response.writeHead(200).end(content));
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const content = Buffer.concat(chunks);
    if (createHash('sha256').update(content).digest('hex') !== digest)
      return void response.writeHead(400).end('other digest');
    this.blobs.set(digest, content);
    response.writeHead(204).end();
  }
}
