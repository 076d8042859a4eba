// One WebSocket to the coordinator, from its opening to its close. What is sent in one turn of the loop leaves in as few
// frames as possible. It reports each of its facts once and nothing after `closed` or `failed`; sending never throws.
import { type AgentMessage, type CoordinatorMessage, frameSum } from '@assay/protocol';
import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { decodeFrame, decodeSummed, encodeFrames, frameLimits, withSum } from './frames.ts';
import type { FrameLimits } from './frames.ts';

export type LinkEvents = {
  opened(): void;
  /** The link never opened. `code` is the coordinator's word for it, or the status' when it gave none. */
  failed(code: string | null, message: string): void;
  messages(messages: CoordinatorMessage[]): void;
  /** What came does not match the contract. The link is closed by whoever decides it. */
  badFrame(reason: string): void;
  closed(reason: string): void;
};

export type LinkOptions = {
  /** Of the coordinator, http or https. */
  url: string;
  token: string;
  /** PEM of the authority that signed the coordinator's certificate, where the system does not know it. */
  ca: string | null;
  limits?: FrameLimits;
};

export type Link = {
  send(messages: readonly AgentMessage[]): void;
  /** Bytes that the network has not taken yet. */
  waitingBytes(): number;
  close(reason: string): void;
};

/** After a polite close; a peer that does not answer is left. */
const closeGraceMs = 1_000;
const refusalBytesMax = 16_384;

export function openLink(options: LinkOptions, events: LinkEvents): Link {
  return new SocketLink(options, events);
}

class SocketLink implements Link {
  readonly #socket: WebSocket;
  readonly #events: LinkEvents;
  readonly #limits: FrameLimits;
  #outgoing: AgentMessage[] = [];
  #isFlushDue = false;
  /** Whether the coordinator granted a sum before each frame. */
  #isSummed = false;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #lastError = '';

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#events = events;
    this.#limits = options.limits ?? frameLimits;
    this.#socket = new WebSocket(workerUrl(options.url), {
      headers: { authorization: `Bearer ${options.token}`, [frameSum.header]: frameSum.kind },
      maxPayload: this.#limits.frameBytes + frameSum.chars,
      perMessageDeflate: false,
      followRedirects: false,
      ...(options.ca === null ? {} : { ca: options.ca }),
    });
    this.#listen();
  }

  send(messages: readonly AgentMessage[]): void {
    if (this.#state !== 'open') return;
    this.#outgoing.push(...messages);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => this.#flush());
  }

  waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  close(reason: string): void {
    if (this.#state === 'over') return;
    const wasOpen = this.#state === 'open';
    if (wasOpen) this.#flush();
    this.#state = 'over';
    if (!wasOpen) return this.#socket.terminate();
    this.#socket.close(1000, Buffer.from(reason).subarray(0, 120).toString('utf8').replaceAll('\uFFFD', ''));
    const timer = setTimeout(() => this.#socket.terminate(), closeGraceMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #flush(): void {
    this.#isFlushDue = false;
    const messages = this.#outgoing;
    this.#outgoing = [];
    if (this.#state !== 'open' || messages.length === 0) return;
    const drop = (message: AgentMessage, bytes: number): void => {
      // Cases are split and texts cut before they come here: this is a bug, and hiding it would lose a report.
      throw new Error(`a ${message.kind} of ${bytes} bytes does not fit a frame`);
    };
    for (const frame of encodeFrames(messages, drop, this.#limits))
      this.#socket.send(this.#isSummed ? withSum(frame) : frame, () => undefined);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('upgrade', ({ headers }) => {
      this.#isSummed = headers[frameSum.header] === frameSum.kind;
    });
    socket.on('open', () => {
      if (this.#state !== 'opening') return;
      this.#state = 'open';
      this.#events.opened();
    });
    socket.on('message', (data, isBinary) => {
      if (this.#state !== 'open') return;
      const decoded = isBinary
        ? { kind: 'bad' as const, reason: 'a frame is binary' }
        : (this.#isSummed ? decodeSummed : decodeFrame)((data as Buffer).toString('utf8'));
      if (decoded.kind === 'bad') this.#events.badFrame(decoded.reason);
      else this.#events.messages(decoded.messages);
    });
    socket.on('unexpected-response', (_request, response) => this.#refused(response));
    socket.on('error', (error) => {
      this.#lastError =
        error.message === '' ? String((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
      if (this.#state === 'opening') this.#fail(null, this.#lastError);
    });
    socket.on('close', (code, reason) => {
      if (this.#state === 'opening') return this.#fail(null, this.#lastError || 'the coordinator hung up');
      if (this.#state === 'over') return;
      this.#state = 'over';
      const text = [reason.toString(), this.#lastError].filter((part) => part !== '').join('; ');
      this.#events.closed(`the link closed with ${code}${text === '' ? '' : `: ${text}`}`);
    });
  }

  #fail(code: string | null, message: string): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#socket.terminate();
    this.#events.failed(code, message);
  }

  /** The coordinator answered the upgrade with an HTTP error: its body says why, in the catalogue's words. */
  #refused(response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (): void => {
      const status = response.statusCode ?? 0;
      const body = readError(Buffer.concat(chunks).toString('utf8'));
      const code =
        body?.code ??
        (status === 401 ? 'UNAUTHORIZED' : status === 403 ? 'FORBIDDEN' : status === 426 ? 'PROTOCOL_MISMATCH' : null);
      this.#fail(code, body?.message ?? `the coordinator answered with status ${status}`);
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= refusalBytesMax) chunks.push(chunk);
      else response.destroy();
    });
    response.on('end', settle);
    response.on('close', settle);
  }
}

function readError(text: string): { code: string; message: string } | null {
  try {
    const value = JSON.parse(text) as { code?: unknown; message?: string };
    if (typeof value.code !== 'string') return null;
    return { code: value.code.slice(0, 80), message: `${value.message ?? value.code}`.slice(0, 2_000) };
  } catch {
    return null;
  }
}

function workerUrl(url: string): string {
  const base = new URL(url);
  base.protocol = base.protocol === 'https:' || base.protocol === 'wss:' ? 'wss:' : 'ws:';
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/api/v1/worker`;
  return base.href;
}
