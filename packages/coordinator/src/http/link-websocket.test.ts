// A link over a real WebSocket: what is sent fits the protocol's frames, and who does not read is cut off.
import type { AddressInfo } from 'node:net';
import {
  type AssignmentId,
  CoordinatorFrame,
  type CoordinatorMessage,
  limit,
  type SessionId,
  type TaskId,
} from '@assay/protocol';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { closeCodes, closeSocket, createWebSocketLink } from './link-websocket.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function pair(): Promise<{ near: WebSocket; far: WebSocket }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const far = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [near] = await Promise.all([
    new Promise<WebSocket>((resolve) => server.once('connection', resolve)),
    new Promise((resolve) => far.once('open', resolve)),
  ]);
  near.on('error', () => undefined);
  far.on('error', () => undefined);
  stops.push(() => new Promise((resolve) => server.close(resolve)));
  stops.push(async () => far.terminate());
  return { near, far };
}

const session = 's-aaaaaaaaaa' as SessionId;
const takeBack = (tasks: number): CoordinatorMessage => ({
  kind: 'takeBack',
  assignment: 'a-aaaaaaaaaa' as AssignmentId,
  attempts: Array.from({ length: tasks }, (_, index) => ({ task: `r-aaaaaaaaaa.${index}` as TaskId, attempt: 1 })),
});

test('messages arrive in order in as few frames as the limits on bytes and messages allow', async () => {
  const { near, far } = await pair();
  const frames: string[] = [];
  far.on('message', (data: Buffer) => frames.push(data.toString()));
  const many: CoordinatorMessage[] = Array.from({ length: limit('messagesPerFrame') * 2 + 1 }, (_, seq) => ({
    kind: 'ack',
    seq,
  }));
  const large = Array.from({ length: 400 }, () => takeBack(limit('batchTasksMax')));
  const link = createWebSocketLink(session, near, false);
  link.send([...many, ...large]);
  link.send([]);
  link.close('done');
  await new Promise((resolve) => far.once('close', resolve));
  const read = frames.flatMap((frame) => CoordinatorFrame.parse(JSON.parse(frame)));
  expect(read).toEqual([...many, ...large]);
  for (const frame of frames) expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(limit('frameBytes'));
  const bytes = frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
  expect(frames.length).toBeLessThanOrEqual(2 + Math.ceil(bytes / limit('frameBytes')) + 1);
});

test('a worker that does not read is cut off, and sending to it is no error', async () => {
  const { near, far } = await pair();
  far.pause();
  const link = createWebSocketLink(session, near, false);
  const isClosed = new Promise<number>((resolve) => near.once('close', resolve));
  let sent = 0;
  while (near.readyState === WebSocket.OPEN) {
    link.send([takeBack(limit('batchTasksMax'))]);
    sent += 1;
    expect(sent).toBeLessThan(10_000);
  }
  expect(await isClosed).toBe(1006);
  link.send([{ kind: 'ack', seq: 1 }]);
  link.close('again');
});

test('a reason is cut to what a close frame carries', async () => {
  const { near, far } = await pair();
  const heard = new Promise<{ code: number; reason: string }>((resolve) =>
    far.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  closeSocket(near, closeCodes.badFrame, `BAD_FRAME: ${'é'.repeat(500)}`);
  const { code, reason } = await heard;
  expect(code).toBe(closeCodes.badFrame);
  expect(reason).toMatch(/^BAD_FRAME: é+$/);
  expect(Buffer.byteLength(reason)).toBeGreaterThan(90);
});
