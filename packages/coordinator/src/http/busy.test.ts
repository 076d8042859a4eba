// Back-pressure: while too much waits for the disk, workers' sockets are not read and submissions are not taken.
import { readFileSync } from 'node:fs';
import { ErrorBody, protocolVersion } from '@assay/protocol';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { exampleSubmission, startTestServer } from '../testing/http-server.ts';

const [golden] = (
  JSON.parse(readFileSync(new URL('../../../protocol/fixtures/agent-hello.json', import.meta.url), 'utf8')) as {
    value: [object];
  }
).value;
// The golden message is of the version in which it was written.
const hello = { ...golden, protocolVersion };

/** A disk whose commits can be held back. */
function heldDisk() {
  let held: (() => void)[] | null = null;
  return {
    schedule: (commit: () => void) => (held === null ? queueMicrotask(commit) : void held.push(commit)),
    hold: () => (held = []),
    release() {
      const due = held ?? [];
      held = null;
      for (const commit of due) commit();
    },
  };
}

test('a busy coordinator reads nothing more from a worker and takes no submission, and goes on when it can', async () => {
  const disk = heldDisk();
  const server = await startTestServer({
    schedule: disk.schedule,
    limits: { workMax: 2 },
    timings: { busyWaitMs: 30 },
  });
  const socket = new WebSocket(`${server.api.replace('http', 'ws')}/worker`);
  const acked: number[] = [];
  const welcomed = new Promise((resolve) => socket.once('message', resolve));
  socket.on('message', (data: Buffer) => {
    for (const message of JSON.parse(data.toString()) as { kind: string; seq: number }[])
      if (message.kind === 'ack') acked.push(message.seq);
  });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify([{ ...hello, held: [], nextReportSeq: 0 }]));
  await welcomed;

  disk.hold();
  const started = (seq: number) => ({
    kind: 'report',
    report: { kind: 'started', seq, task: 'r-aaaaaaaaaa.0', attempt: 1, atMs: 1 },
  });
  const padding = { kind: 'output', task: 'r-aaaaaaaaaa.0', attempt: 1, stream: 'stdout', text: 'x'.repeat(65_536) };
  const frames = 30;
  const accepted = () => server.engine.state.workers.values().next().value?.ackedSeq ?? -1;
  for (let seq = 0; seq < frames; seq += 1)
    socket.send(JSON.stringify([started(seq), ...Array.from({ length: 15 }, () => padding)]));
  await expect.poll(() => server.shell.isBusy()).toBe(true);
  const post = (key: string) =>
    fetch(`${server.api}/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(exampleSubmission(key, 1)),
    });
  const refused = await post('while-busy');
  expect([refused.status, ErrorBody.parse(await refused.json()).code]).toEqual([429, 'TOO_MANY_REQUESTS']);
  // Much less than this is enough to read everything that was sent; what the sockets' own buffers do not hold waits on the
  // worker's side.
  for (let turn = 0; turn < 300; turn += 1) await (await fetch(`${server.api}/health`)).text();
  expect(accepted()).toBeLessThan(10);
  expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
  expect(acked).toEqual([]);

  disk.release();
  await expect.poll(() => acked.at(-1), { timeout: 10_000 }).toBe(frames - 1);
  expect(socket.bufferedAmount).toBe(0);
  expect((await post('when-free')).status).toBe(200);
  socket.terminate();
  await server.stop();
});
