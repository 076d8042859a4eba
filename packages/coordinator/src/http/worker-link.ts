// One worker's connection, from its first byte to its close, as the coordinator sees it.
//
// awaitingHello -> opening (the engine decides; the socket is not read) -> open -> closed. What always holds: nothing but
// one valid hello is heard first, in time; a frame that is malformed, oversized or out of turn ends the link; while the
// coordinator is busy the socket is not read, so that a fast worker waits in its own buffers and not in ours; a link that
// was welcomed is reported closed exactly once.
import { AssayError, type AgentMessage, type Hello, limit, protocolVersion } from '@assay/protocol';
import type { RawData, WebSocket } from 'ws';
import type { Identity } from '../ports/authority.ts';
import type { WorkerLink } from '../ports/worker-link.ts';
import type { BusyGate } from './busy-gate.ts';
import type { HttpContext } from './context.ts';
import { freshSessionId } from './fresh-id.ts';
import { closeCodes, closeSocket, createWebSocketLink } from './link-websocket.ts';
import { withOwnDigest, withOwnDigests } from './profile-digest.ts';
import { mayServePool, trustOf } from './scopes.ts';
import { readFrame, readSummedFrame } from './worker-frame.ts';

type Phase =
  | { kind: 'awaitingHello'; deadline: NodeJS.Timeout }
  /** `early`: frames that were read before the socket paused. */
  | { kind: 'opening'; early: AgentMessage[] }
  | { kind: 'open' }
  | { kind: 'closed' };

/** `isSummed`: the agent asked for a sum before each frame, and was told that it gets one. */
export function serveWorker(
  socket: WebSocket,
  identity: Identity,
  context: HttpContext,
  busyGate: BusyGate,
  isSummed: boolean,
): void {
  const connection = new WorkerConnection(socket, identity, context, busyGate, isSummed);
  socket.on('message', (data: RawData, isBinary: boolean) => connection.frameArrived(data as Buffer, isBinary));
  // Oversized frames and broken framing: ws closes the socket itself, with 1009 or 1002.
  socket.on('error', (error) => connection.socketBroke(error));
  socket.on('close', () => connection.end());
}

class WorkerConnection {
  readonly #socket: WebSocket;
  readonly #identity: Identity;
  readonly #context: HttpContext;
  readonly #busyGate: BusyGate;
  readonly #link: WorkerLink;
  readonly #isSummed: boolean;
  #phase: Phase;

  constructor(socket: WebSocket, identity: Identity, context: HttpContext, busyGate: BusyGate, isSummed: boolean) {
    this.#socket = socket;
    this.#identity = identity;
    this.#context = context;
    this.#busyGate = busyGate;
    this.#isSummed = isSummed;
    this.#link = createWebSocketLink(freshSessionId(), socket, isSummed);
    const deadline = setTimeout(
      () => this.#refuse('BAD_FRAME', 'no hello came in time', false, closeCodes.noHello),
      context.timings.helloDeadlineMs,
    );
    this.#phase = { kind: 'awaitingHello', deadline };
  }

  frameArrived(data: Buffer, isBinary: boolean): void {
    if (this.#phase.kind === 'closed') return;
    if (isBinary) return this.#badFrame('binary frames are not part of the protocol');
    const frame = this.#isSummed ? readSummedFrame(data) : readFrame(data);
    if (frame.kind === 'messages') return this.#hear(frame.messages);
    if (frame.kind === 'bad') return this.#badFrame(frame.reason);
    this.#refuse(
      'PROTOCOL_MISMATCH',
      `this coordinator speaks version ${protocolVersion}, the worker version ${frame.version}`,
      true,
      closeCodes.refused,
    );
  }

  socketBroke(error: Error): void {
    this.#context.log('worker link broke', {
      session: this.#link.session,
      token: this.#identity.token,
      error: error.message,
    });
  }

  /** The link is over, whoever ended it. */
  end(): void {
    if (this.#phase.kind === 'awaitingHello') clearTimeout(this.#phase.deadline);
    const wasOpen = this.#phase.kind === 'open';
    this.#phase = { kind: 'closed' };
    if (wasOpen) this.#context.coordinator.linkClosed(this.#link.session);
  }

  #hear(messages: AgentMessage[]): void {
    if (this.#phase.kind === 'open') return this.#deliver(messages);
    if (this.#phase.kind === 'opening') {
      if (this.#phase.early.length + messages.length > limit('messagesPerFrame'))
        return this.#badFrame('too much before the welcome');
      this.#phase.early.push(...messages);
      return;
    }
    const [hello, ...early] = messages;
    if (hello?.kind !== 'hello') return this.#badFrame(`${hello?.kind} came before hello`);
    if (!mayServePool(this.#identity, hello.pool)) {
      return this.#refuse(
        'POOL_FORBIDDEN',
        `the token ${this.#identity.name} lacks the scope worker:${hello.pool}`,
        true,
        closeCodes.refused,
      );
    }
    if (this.#phase.kind === 'awaitingHello') clearTimeout(this.#phase.deadline);
    this.#phase = { kind: 'opening', early };
    this.#open(hello).catch((error: unknown) => this.#openFailed(error));
  }

  async #open(hello: Hello): Promise<void> {
    this.#socket.pause();
    const { token } = this.#identity;
    const trust = trustOf(this.#identity);
    const fate = await this.#context.coordinator.openLink(this.#link, withOwnDigest(hello), token, trust);
    if (fate.kind === 'refused') return this.#refuse(fate.code, fate.message, fate.isFinal, closeCodes.refused);
    if (this.#phase.kind !== 'opening') return this.#context.coordinator.linkClosed(this.#link.session);
    const { early } = this.#phase;
    this.#phase = { kind: 'open' };
    this.#socket.resume();
    if (early.length > 0) this.#deliver(early);
  }

  #openFailed(error: unknown): void {
    const fault = error instanceof AssayError ? error : new AssayError('INTERNAL', 'the coordinator met a bug');
    if (fault !== error)
      this.#context.log('worker link failed', {
        session: this.#link.session,
        error: String((error as Error).stack ?? error),
      });
    this.#refuse(fault.code, fault.message, false, closeCodes.refused);
  }

  #deliver(messages: AgentMessage[]): void {
    if (messages.some((message) => message.kind === 'hello')) return this.#badFrame('a second hello');
    if (!this.#context.coordinator.receive(this.#link.session, withOwnDigests(messages))) {
      this.#phase = { kind: 'closed' };
      return closeSocket(this.#socket, closeCodes.sessionOver, 'this session is over');
    }
    if (!this.#busyGate.isBusy()) return;
    this.#socket.pause();
    this.#busyGate.whenFree(() => this.#socket.resume());
  }

  #badFrame(reason: string): void {
    this.#refuse('BAD_FRAME', reason, false, closeCodes.badFrame);
  }

  #refuse(code: string, message: string, isFinal: boolean, closeCode: number): void {
    if (this.#phase.kind === 'closed') return;
    this.end();
    this.#context.log('worker link refused', {
      session: this.#link.session,
      token: this.#identity.token,
      code,
      message,
    });
    // A paused socket would not hear the answer to its close.
    this.#socket.resume();
    this.#link.send([{ kind: 'refused', code, message: message.slice(0, 2_000), isFinal }]);
    closeSocket(this.#socket, closeCode, `${code}: ${message}`);
  }
}
