// WorkerLink over one WebSocket: messages go out as JSON frames within the frame limits. A worker that reads so slowly
// that too much is waiting for it is cut off at once; it comes back and is told again what it missed.
import { type CoordinatorMessage, limit, type SessionId } from '@assay/protocol';
import { type WebSocket, WebSocket as Socket } from 'ws';
import type { WorkerLink } from '../ports/worker-link.ts';
import { sumOf } from './worker-frame.ts';

/** Reasons to close, as WebSocket close codes of the private range; 1001 is the protocol's own "going away". */
export const closeCodes = {
  ended: 1000,
  stopping: 1001,
  badFrame: 4400,
  refused: 4403,
  noHello: 4408,
  sessionOver: 4409,
  slowReader: 4429,
} as const;

/** `isSummed`: each frame goes with its sum, as the agent asked. */
export function createWebSocketLink(session: SessionId, socket: WebSocket, isSummed: boolean): WorkerLink {
  return {
    session,
    send(messages) {
      for (const frame of framesOf(messages)) {
        if (socket.readyState !== Socket.OPEN) return;
        socket.send(isSummed ? sumOf(frame) + frame : frame);
        if (socket.bufferedAmount > limit('linkBacklogBytes')) {
          // No close handshake: it would wait behind the backlog.
          socket.terminate();
          return;
        }
      }
    },
    close: (reason) => closeSocket(socket, closeCodes.ended, reason),
  };
}

/** Closes with a reason cut to what a close frame can carry. Never throws. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  let text = reason;
  while (Buffer.byteLength(text) > 120) text = text.slice(0, -1 - Math.floor(text.length / 8));
  socket.close(code, text);
}

/** As few frames as the limits on messages and bytes allow; one message alone may fill a frame. */
function* framesOf(messages: CoordinatorMessage[]): Generator<string> {
  let parts: string[] = [];
  let bytes = 2;
  for (const message of messages) {
    const text = JSON.stringify(message);
    const size = Buffer.byteLength(text) + 1;
    if (parts.length > 0 && (bytes + size > limit('frameBytes') || parts.length === limit('messagesPerFrame'))) {
      yield `[${parts.join(',')}]`;
      parts = [];
      bytes = 2;
    }
    parts.push(text);
    bytes += size;
  }
  if (parts.length > 0) yield `[${parts.join(',')}]`;
}
