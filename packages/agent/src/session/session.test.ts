import { protocolVersion } from '@assay/protocol';
import { expect, test } from 'vitest';
import { backoffMs, createSession, nextDeadlineMs, sessionDefaults, sessionStep } from './session.ts';
import { assign, finished, offer, ref, started, World } from './session-world.ts';

function connected(config = {}): World {
  const world = new World(config);
  world.input({ kind: 'started' });
  world.settle();
  expect(world.state.phase.kind).toBe('connected');
  return world;
}

const draining = (seq: number) => ({ kind: 'draining', seq, reason: 'asked' }) as const;
const kinds = (world: World) => world.outputs.map((output) => output.kind);

test('the first message of a link is hello, with the protocol version, what is held and the next report number', () => {
  const world = new World();
  world.add(finished(0, 'a'));
  world.input({ kind: 'started' });
  world.open();
  const sent = world.outputs.filter((output) => output.kind === 'send').flatMap((output) => output.messages);
  expect(sent).toMatchObject([
    { kind: 'hello', protocolVersion, held: [ref('a')], nextReportSeq: 0, isDraining: false },
  ]);
});

test('after welcome everything above its number is sent, and what is below it leaves the spool', () => {
  const world = new World();
  for (let seq = 0; seq < 3; seq += 1) world.add(finished(seq, `t.${seq}`));
  world.input({ kind: 'started' });
  world.open();
  world.isWelcomed = true;
  const outputs = world.input({ kind: 'messagesReceived', link: 1, messages: [world.welcome({ ackedSeq: 0 })] });
  expect(outputs.find((output) => output.kind === 'dropSpool')).toEqual({ kind: 'dropSpool', throughSeq: 0 });
  const seqs = outputs
    .flatMap((output) => (output.kind === 'send' ? output.messages : []))
    .map((message) => message.kind === 'report' && message.report.seq);
  expect(seqs).toEqual([1, 2]);
  expect([...world.state.held.values()].map((held) => held.ref)).toEqual([ref('t.1'), ref('t.2')]);
});

test('each report names the one before it, or the last acknowledged one, so that a lost frame shows', () => {
  const world = new World();
  for (const seq of [3, 4, 10_000]) world.add(finished(seq, `t.${seq}`));
  world.input({ kind: 'started' });
  world.open();
  world.isWelcomed = true;
  const outputs = world.input({ kind: 'messagesReceived', link: 1, messages: [world.welcome({ ackedSeq: 3 })] });
  const later = world.input({ kind: 'reportAdded', report: finished(10_001, 't.5'), isReady: true });
  const named = [...outputs, ...later]
    .flatMap((output) => (output.kind === 'send' ? output.messages : []))
    .map((message) => message.kind === 'report' && [message.report.seq, message.after]);
  expect(named).toEqual([
    [4, 3],
    [10_000, 4],
    [10_001, 10_000],
  ]);
});

test('an assignment that comes twice is delivered once', () => {
  const world = connected();
  world.tell(assign('a', 'b'), assign('b', 'c'));
  world.agentReads();
  const delivered = world.outputs.flatMap((output) =>
    output.kind === 'deliverAssign' ? [output.assign.tasks.map((task) => task.task)] : [],
  );
  expect(delivered).toEqual([['a', 'b'], ['c']]);
});

test('a take-back or cancel of what is not in hand, or already reported, is not passed on', () => {
  const world = connected();
  world.tell(assign('a', 'b'));
  world.agentReads();
  world.add(finished(0, 'a'));
  const attempts = [ref('a'), ref('b'), ref('x'), ref('b', 2)];
  world.tell(
    { kind: 'takeBack', assignment: 'a-1' as never, attempts },
    { kind: 'cancel', attempts: [ref('a')], reason: '' },
  );
  world.agentReads();
  expect(
    world.outputs.filter((output) => output.kind === 'deliverTakeBack' || output.kind === 'deliverCancel'),
  ).toEqual([{ kind: 'deliverTakeBack', attempts: [ref('b')] }]);
});

test('abandoned attempts leave the hands at once', () => {
  const world = new World();
  world.input({ kind: 'started' });
  world.settle();
  world.tell(assign('a', 'b'));
  world.agentReads();
  world.cut();
  world.pass(10_000);
  world.open();
  world.isWelcomed = true;
  const outputs = world.input({
    kind: 'messagesReceived',
    link: world.state.links,
    messages: [world.welcome({ abandon: [ref('a')] })],
  });
  expect(outputs).toContainEqual({ kind: 'abandon', attempts: [ref('a')] });
  expect([...world.state.held.keys()]).toEqual(['b#1']);
});

test('a heartbeat goes out every interval and counts what runs', () => {
  const world = connected();
  world.tell(assign('a', 'b'));
  world.agentReads();
  world.add(started(0, 'a'));
  world.input({ kind: 'vitalsMeasured', residentMiB: 60 });
  world.pass(100);
  const last = world.outputs.at(-1);
  expect(last).toMatchObject({ kind: 'send', messages: [{ kind: 'heartbeat', running: 1, residentMiB: 60 }] });
});

test('a coordinator that falls silent is left and sought again', () => {
  const world = connected();
  world.nowMs += 299;
  world.input({ kind: 'timePassed' });
  expect(world.state.phase.kind).toBe('connected');
  world.pass(1);
  expect(world.state.phase.kind).toBe('backingOff');
  expect(kinds(world)).toContain('closeLink');
  world.pass(200);
  expect(world.state.phase.kind).toBe('connecting');
});

test('a coordinator that takes the connection and never welcomes is left too', () => {
  const world = new World();
  world.input({ kind: 'started' });
  world.open();
  world.pass(sessionDefaults.greetingTimeoutMs);
  expect(world.state.phase.kind).toBe('backingOff');
});

test.each(['PROTOCOL_MISMATCH', 'WORKER_ID_TAKEN', 'POOL_FORBIDDEN'])(
  '%s ends the agent, whether it comes as a message or in place of the link',
  (code) => {
    for (const way of ['message', 'link'] as const) {
      const world = new World();
      world.input({ kind: 'started' });
      if (way === 'link') world.input({ kind: 'linkFailed', link: 1, code, message: 'no' });
      else {
        world.open();
        world.input({
          kind: 'messagesReceived',
          link: 1,
          messages: [{ kind: 'refused', code, message: 'no', isFinal: false }],
        });
      }
      expect(world.state.phase).toEqual({ kind: 'refused', code, message: 'no' });
      expect(world.outputs.at(-1)).toEqual({ kind: 'stop', reason: 'no', error: { code, message: 'no' } });
      expect(nextDeadlineMs(world.state)).toBeNull();
    }
  },
);

test('any other refusal is waited out', () => {
  const world = new World();
  world.input({ kind: 'started' });
  world.open();
  world.input({
    kind: 'messagesReceived',
    link: 1,
    messages: [{ kind: 'refused', code: 'SHUTTING_DOWN', message: 'later', isFinal: false }],
  });
  expect(world.state.phase.kind).toBe('backingOff');
});

test('a wrong token ends an agent that was never welcomed, and is waited out by one that was', () => {
  const fresh = new World();
  fresh.input({ kind: 'started' });
  fresh.input({ kind: 'linkFailed', link: 1, code: 'UNAUTHORIZED', message: 'no' });
  expect(fresh.state.phase.kind).toBe('refused');
  const known = connected();
  known.cut();
  known.pass(10_000);
  known.input({ kind: 'linkFailed', link: known.state.links, code: 'UNAUTHORIZED', message: 'no' });
  expect(known.state.phase.kind).toBe('backingOff');
});

test('a coordinator of another protocol version is final', () => {
  const world = new World();
  world.input({ kind: 'started' });
  world.open();
  world.input({ kind: 'messagesReceived', link: 1, messages: [world.welcome({ protocolVersion: 99 })] });
  expect(world.state.phase).toMatchObject({ kind: 'refused', code: 'PROTOCOL_MISMATCH' });
});

test('a coordinator that knows later reports than this worker has numbers for is final: they would be dropped as repeats', () => {
  const world = new World();
  world.input({ kind: 'started' });
  world.open();
  world.input({ kind: 'messagesReceived', link: 1, messages: [world.welcome({ ackedSeq: 5 })] });
  expect(world.state.phase).toMatchObject({ kind: 'refused', code: 'WORKER_STATE_STALE' });
});

test.each([
  ['an assignment before welcome', (world: World) => world.tell(assign('a'))],
  ['an acknowledgement of what was not sent', (world: World) => (world.settle(), world.tell({ kind: 'ack', seq: 7 }))],
  ['a second welcome', (world: World) => (world.settle(), world.tell(world.welcome()))],
])('%s closes the link', (_what, act) => {
  const world = new World();
  world.input({ kind: 'started' });
  world.open();
  act(world);
  world.agentReads();
  expect(world.state.phase.kind).toBe('backingOff');
  expect(world.outputs).toContainEqual(
    expect.objectContaining({ kind: 'closeLink', reason: expect.stringContaining('BAD_FRAME') }),
  );
  expect(world.outputs.some((output) => output.kind === 'deliverAssign')).toBe(false);
});

test('what an older link still says is ignored', () => {
  const world = connected();
  const old = world.state.links;
  world.cut();
  world.pass(10_000);
  world.settle();
  expect(world.state.links).toBe(old + 1);
  expect(world.input({ kind: 'linkClosed', link: old, reason: 'late' })).toEqual([]);
  expect(world.input({ kind: 'messagesReceived', link: old, messages: [assign('a')] })).toEqual([]);
  expect(world.state.phase.kind).toBe('connected');
});

test('the pause doubles with every failure up to its bound, its upper half random, and starts over after a good link', () => {
  const config = { backoffMinMs: 100, backoffMaxMs: 5_000 };
  for (const [failures, ceiling] of [
    [0, 100],
    [1, 200],
    [3, 800],
    [10, 5_000],
    [2_000, 5_000],
  ] as const) {
    for (let random = 0; random < 50; random += 1) {
      const { delayMs } = backoffMs(config, failures, random * 7_919);
      expect(delayMs).toBeGreaterThanOrEqual(ceiling / 2);
      expect(delayMs).toBeLessThanOrEqual(ceiling);
    }
  }
  const delays = new Set(Array.from({ length: 50 }, (_, seed) => Math.round(backoffMs(config, 10, seed).delayMs)));
  expect(delays.size).toBeGreaterThan(40);
  const world = connected({ stableAfterMs: 0 });
  world.state.failures = 20;
  world.cut();
  const untilMs = world.state.phase.kind === 'backingOff' ? world.state.phase.untilMs : 0;
  expect(untilMs - world.nowMs).toBeLessThanOrEqual(100);
});

test('a drain leaves when the work is done and delivered, with a goodbye', () => {
  const world = connected();
  world.tell(assign('a'));
  world.agentReads();
  world.input({ kind: 'drainAsked', report: draining(0) });
  world.settle();
  expect(world.state.phase.kind).toBe('connected');
  world.add(finished(1, 'a'));
  world.coordinatorReads();
  world.agentReads();
  expect(world.state.phase).toEqual({ kind: 'stopped', reason: 'asked' });
  expect(world.accepted.map((report) => report.kind)).toEqual(['draining', 'finished']);
  const sent = world.outputs.flatMap((output) => (output.kind === 'send' ? output.messages : []));
  expect(sent.at(-1)).toEqual({ kind: 'goodbye', reason: 'asked' });
  expect(world.outputs.at(-1)).toEqual({ kind: 'stop', reason: 'asked', error: null });
  expect(world.broken).toEqual([]);
});

test('a drain without a coordinator waits its patience and leaves the reports in the spool', () => {
  const state = createSession({ offer, pending: [], nextSeq: 0, seed: 1, config: { drainPatienceMs: 1_000 } });
  sessionStep(state, { kind: 'started' }, 0);
  sessionStep(state, { kind: 'linkFailed', link: 1, code: null, message: 'refused' }, 0);
  sessionStep(state, { kind: 'drainAsked', report: draining(0) }, 0);
  sessionStep(state, { kind: 'timePassed' }, 999);
  expect(state.phase.kind).not.toBe('stopped');
  const outputs = sessionStep(state, { kind: 'timePassed' }, 1_000);
  expect(outputs.at(-1)).toMatchObject({ kind: 'stop', error: null });
  expect(state.pending).toHaveLength(1);
});

test('a report without a number of its own is a bug, and said so', () => {
  const world = new World();
  world.add(finished(3, 'a'));
  expect(() => world.add(finished(3, 'b'))).toThrow(/count up/);
});
