import { expect, test } from 'vitest';
import type { Input } from '@assay/core';
import { protocolVersion } from '@assay/protocol';
import type { AgentMessage, CoordinatorMessage, Hello, SessionId, TaskId, WorkerId } from '@assay/protocol';
import { createMemoryFeed } from '../feed/live-feed.ts';
import { Links } from './links.ts';

const session = 's-1' as SessionId;
const worker = 'w-1' as WorkerId;
const started = (seq: number, after: number): AgentMessage => ({
  kind: 'report',
  report: { kind: 'started', seq, task: 'r-1.0' as TaskId, attempt: 1, atMs: 5 },
  after,
});

/** A link that was welcomed with everything up to report 4 acknowledged. */
function welcomed(): { links: Links; inputs: Input[]; closed: string[] } {
  const inputs: Input[] = [];
  const closed: string[] = [];
  const links = new Links({
    driver: {
      submit: (input) => void inputs.push(input),
      isBusy: () => false,
      whenDurable: (act) => act(),
      stop: (done) => done(),
    },
    clock: { nowMs: () => 0, after: () => () => undefined, soon: () => undefined },
    feed: createMemoryFeed({ startSeq: 0 }),
    facts: { specOf: () => null, targetOf: () => null, gatesOf: () => [], isHeldBy: () => true, countsOf: () => null },
    heartbeatMs: 1_000,
    silentAfterMs: 2_000,
  });
  links.open(
    { session, send: () => undefined, close: (reason) => closed.push(reason) },
    { kind: 'hello', protocolVersion, worker } as Hello,
    't',
    () => undefined,
  );
  const welcome = {
    kind: 'welcome',
    protocolVersion,
    session,
    ackedSeq: 4,
    heartbeatMs: 1_000,
    silentAfterMs: 2_000,
    reportWindow: 10,
    abandon: [],
  } satisfies CoordinatorMessage;
  links.deliver([{ session, messages: [welcome], close: null }]);
  inputs.length = 0;
  return { links, inputs, closed };
}

const reportsIn = (inputs: readonly Input[]): number[] =>
  inputs.flatMap((input) => (input.kind === 'workerReported' ? input.reports.map(({ seq }) => seq) : []));

test('numbers may leave gaps, as after a restart of the agent: what counts is which report each comes after', () => {
  const { links, inputs, closed } = welcomed();
  expect(links.receive(session, [started(7, 4), started(10_000, 7)])).toBe(true);
  expect(links.receive(session, [started(10_001, 10_000)])).toBe(true);
  expect(reportsIn(inputs)).toEqual([7, 10_000, 10_001]);
  expect(closed).toEqual([]);
});

test('a report that comes after one that never came ends the link, and what came before it is kept', () => {
  const { links, inputs, closed } = welcomed();
  expect(links.receive(session, [started(5, 4), started(7, 6), started(8, 7)])).toBe(false);
  expect(reportsIn(inputs)).toEqual([5]);
  expect(inputs.at(-1)).toEqual({ kind: 'workerDisconnected', worker, session });
  expect(closed).toEqual(['report 6 did not arrive: a frame was lost']);
  expect(links.receive(session, [started(6, 5)])).toBe(false);
});

test('a frame that comes twice, or is sent again after the welcome, is no gap', () => {
  const { links, closed } = welcomed();
  const frame = [started(5, 4), started(6, 5)];
  expect(links.receive(session, frame)).toBe(true);
  expect(links.receive(session, frame)).toBe(true);
  expect(links.receive(session, [started(3, 2), started(7, 6)])).toBe(true);
  expect(closed).toEqual([]);
});

test('a heartbeat names the last report that was sent, so that the loss of the very last one is noticed', () => {
  const { links, inputs, closed } = welcomed();
  const heartbeat = (after: number): AgentMessage => ({ kind: 'heartbeat', atMs: 9, after });
  expect(links.receive(session, [heartbeat(4), started(5, 4), heartbeat(5)])).toBe(true);
  expect(closed).toEqual([]);
  expect(links.receive(session, [heartbeat(6)])).toBe(false);
  expect(inputs.at(-1)).toEqual({ kind: 'workerDisconnected', worker, session });
  expect(closed).toEqual(['report 6 did not arrive: a frame was lost']);
});
