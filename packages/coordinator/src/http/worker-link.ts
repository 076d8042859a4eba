// One worker's connection, from its first byte to its close, as the coordinator sees it.
//
// awaitingHello -> opening (the engine decides; the socket is not read) -> open -> closed. What always holds: nothing but
// one valid hello is heard first, in time; a frame that is malformed, oversized or out of turn ends the link; while the
// coordinator is busy the socket is not read, so that a fast worker waits in its own buffers and not in ours; a link that
// was welcomed is reported closed exactly once.
import { AssayError, type AgentMessage, type ErrorCode, type Hello, limit, protocolVersion } from '@assay/protocol';
import type { RawData, WebSocket } from 'ws';
import type { Identity } from '../ports/authority.ts';
import type { BusyGate } from './busy-gate.ts';
import type { HttpContext } from './context.ts';
import { freshSessionId } from './fresh-id.ts';
import { closeCodes, closeSocket, createWebSocketLink } from './link-websocket.ts';
import { withOwnDigest, withOwnDigests } from './profile-digest.ts';
import { mayServePool } from './scopes.ts';
import { readFrame } from './worker-frame.ts';

type Phase =
  | { kind: 'awaitingHello' }
  | { kind: 'opening'; early: AgentMessage[] }
  | { kind: 'open' }
  | { kind: 'closed' };

export function serveWorker(socket: WebSocket, identity: Identity, context: HttpContext, busyGate: BusyGate): void {
  const { coordinator, log, timings } = context;
  const link = createWebSocketLink(freshSessionId(), socket);
  let phase: Phase = { kind: 'awaitingHello' };

  const refuse = (code: ErrorCode, message: string, isFinal: boolean, closeCode: number): void => {
    if (phase.kind === 'open') coordinator.linkClosed(link.session);
    phase = { kind: 'closed' };
    log('worker link refused', { session: link.session, token: identity.token, code, message });
    // A paused socket would not hear the answer to its close.
    socket.resume();
    link.send([{ kind: 'refused', code, message: message.slice(0, 2_000), isFinal }]);
    closeSocket(socket, closeCode, `${code}: ${message}`);
  };
  const badFrame = (reason: string) => refuse('BAD_FRAME', reason, false, closeCodes.badFrame);

  const deadline = setTimeout(() => {
    if (phase.kind === 'awaitingHello') refuse('BAD_FRAME', 'no hello came in time', false, closeCodes.noHello);
  }, timings.helloDeadlineMs);

  const deliver = (messages: AgentMessage[]): void => {
    if (messages.some((message) => message.kind === 'hello')) return badFrame('a second hello');
    if (!coordinator.receive(link.session, withOwnDigests(messages))) {
      phase = { kind: 'closed' };
      return closeSocket(socket, closeCodes.sessionOver, 'this session is over');
    }
    if (!busyGate.isBusy()) return;
    socket.pause();
    busyGate.whenFree(() => socket.resume());
  };

  const open = async (hello: Hello): Promise<void> => {
    if (!mayServePool(identity, hello.pool))
      return refuse(
        'POOL_FORBIDDEN',
        `the token ${identity.name} lacks the scope worker:${hello.pool}`,
        true,
        closeCodes.refused,
      );
    socket.pause();
    const fate = await coordinator.openLink(link, withOwnDigest(hello), identity.token);
    if (fate.kind === 'refused') {
      if (phase.kind !== 'closed') refuse(fate.code as ErrorCode, fate.message, fate.isFinal, closeCodes.refused);
      return;
    }
    if (phase.kind !== 'opening') return coordinator.linkClosed(link.session);
    const { early } = phase;
    phase = { kind: 'open' };
    socket.resume();
    if (early.length > 0) deliver(early);
  };

  const hear = (messages: AgentMessage[]): void => {
    if (phase.kind === 'open') return deliver(messages);
    if (phase.kind === 'opening') {
      // Frames that were read before the socket paused.
      if (phase.early.length + messages.length > limit('messagesPerFrame'))
        return badFrame('too much before the welcome');
      phase.early.push(...messages);
      return;
    }
    const [hello, ...early] = messages;
    if (hello?.kind !== 'hello') return badFrame(`${hello?.kind} came before hello`);
    clearTimeout(deadline);
    phase = { kind: 'opening', early };
    open(hello).catch((error: unknown) => {
      const fault = error instanceof AssayError ? error : new AssayError('INTERNAL', 'the coordinator met a bug');
      if (fault.code === 'INTERNAL')
        log('worker link failed', { session: link.session, error: String((error as Error).stack ?? error) });
      if (phase.kind !== 'closed') refuse(fault.code, fault.message, false, closeCodes.refused);
    });
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (phase.kind === 'closed') return;
    if (isBinary) return badFrame('binary frames are not part of the protocol');
    const frame = readFrame(data as Buffer);
    if (frame.kind === 'messages') return hear(frame.messages);
    if (frame.kind === 'bad') return badFrame(frame.reason);
    refuse(
      'PROTOCOL_MISMATCH',
      `this coordinator speaks version ${protocolVersion}, the worker version ${frame.version}`,
      true,
      closeCodes.refused,
    );
  });
  // Oversized frames and broken framing: ws closes the socket itself, with 1009 or 1002.
  socket.on('error', (error) =>
    log('worker link broke', { session: link.session, token: identity.token, error: error.message }),
  );
  socket.on('close', () => {
    clearTimeout(deadline);
    if (phase.kind === 'open') coordinator.linkClosed(link.session);
    phase = { kind: 'closed' };
  });
}
