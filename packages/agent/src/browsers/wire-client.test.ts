// The client against real sockets: a server that answers, one that resets, one that never answers.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WireClient } from './wire-client.ts';

let server: Server | null = null;
let client: WireClient | null = null;

afterEach(async () => {
  client?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
});

async function clientOf(
  answer: (message: IncomingMessage, reply: ServerResponse) => void,
  deadlineMs = 5_000,
): Promise<WireClient> {
  const made = createServer(answer);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  client = new WireClient(`http://127.0.0.1:${(made.address() as AddressInfo).port}`, deadlineMs);
  return client;
}

test('commands share one connection, and answers come back whole', async () => {
  const ports = new Set<number | undefined>();
  const made = await clientOf((message, reply) => {
    ports.add(message.socket.remotePort);
    message.resume().on('end', () => reply.end(JSON.stringify({ value: message.url })));
  });
  for (const path of ['/status', '/session'])
    expect(JSON.parse((await made.send({ method: 'POST', path, data: {} })).body)).toEqual({ value: path });
  expect(ports.size).toBe(1);
});

test('a command that is reset on a kept connection was sent once and is said to have failed', async () => {
  const seen: (string | undefined)[] = [];
  const made = await clientOf((message, reply) => {
    seen.push(message.url);
    if (message.url === '/reset') message.socket.resetAndDestroy();
    else message.resume().on('end', () => reply.end('{}'));
  });
  await made.send({ method: 'POST', path: '/first', data: {} });
  await expect(made.send({ method: 'POST', path: '/reset', data: {} })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(seen).toEqual(['/first', '/reset']);
});

test('a driver that never answers costs one deadline', async () => {
  const made = await clientOf(() => {}, 200);
  await expect(made.send({ method: 'GET', path: '/status', data: null })).rejects.toMatchObject({
    code: 'COMMAND_DEADLINE',
    command: 'GET /status',
  });
});

test('nobody there is refused at once, with the name of the command', async () => {
  const made = await clientOf((_message, reply) => void reply.end());
  await new Promise((resolve) => server?.close(resolve));
  await expect(made.send({ method: 'DELETE', path: '/session/x', data: null })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
    command: 'DELETE /session/x',
  });
});
