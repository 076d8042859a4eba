import { expect, test } from 'vitest';
import type { Event, Input } from '@assay/core';
import {
  CoordinatorFrame,
  FeedItem,
  type AssignmentId,
  type Case,
  type RunId,
  type RunSpec,
  type SessionId,
  type TaskId,
  type WorkerId,
} from '@assay/protocol';
import type { JournalEntry } from '../ports/journal.ts';
import { Performer } from './deliveries.ts';
import { feedItemsOf } from './feed-items.ts';
import type { LiveFacts } from './live-facts.ts';

const run = 'r-aaaaaaaaaa' as RunId;
const worker = 'w-aaaaaaaaaa' as WorkerId;
const session = 's-1' as SessionId;
const task = (index: number): TaskId => `${run}.${index}` as TaskId;
const counts = { passed: 2, failed: 0, skipped: 0, todo: 0 };

const spec: RunSpec = {
  name: 'unit',
  project: 'demo',
  priority: 0,
  source: { kind: 'directory', path: '/project' },
  suites: [
    {
      name: 'unit',
      runner: 'vitest',
      directory: '',
      arguments: [],
      env: {},
      secrets: [],
      timeoutMs: 1_000,
      noOutputTimeoutMs: 0,
      requires: '',
      retries: 0,
      batching: 'shared',
    },
  ],
  failFast: false,
  unplaceable: 'wait',
};

const facts: LiveFacts = {
  specOf: (asked) => (asked === run ? spec : null),
  targetOf: (asked) => (asked.startsWith(`${run}.`) ? `test/${asked.slice(run.length + 1)}.test.ts` : null),
  countsOf: (asked) =>
    asked === run ? { total: 1, queued: 0, assigned: 0, running: 0, settled: 1, verdicts: { passed: 1 } } : null,
  gatesOf: () => [],
  isHeldBy: () => true,
};

let lastSeq = 0;
function entry(events: Event[], input: Input = { kind: 'timePassed' }): JournalEntry {
  lastSeq += 1;
  return { seq: lastSeq, atMs: 1_000, input, events };
}

function joined(over: { session: SessionId; ackedSeq?: number }): Event {
  return {
    kind: 'workerJoined',
    worker,
    token: 't-1',
    incarnation: 'i-1',
    name: 'laptop',
    pool: 'default',
    slots: 2,
    agentVersion: '0.1.0',
    profile: {} as never,
    profileDigest: 'd',
    declared: {},
    ackedSeq: -1,
    isDraining: false,
    isReturning: false,
    abandon: [],
    ...over,
  };
}

const assigned: Event = {
  kind: 'tasksAssigned',
  run,
  suite: 0,
  assignment: 'a-1' as AssignmentId,
  worker,
  session,
  tasks: [
    { index: 3, attempt: 2, expectedMs: 40 },
    { index: 5, attempt: 1, expectedMs: 30 },
  ],
  placement: { rule: 'longestFirst', fittingWorkers: 1, freeWorkers: 1, expectedMs: 70 },
};

function performer(): Performer {
  return new Performer(facts, { heartbeatMs: 2_000, silentAfterMs: 4_000 });
}

test('a commit is one list of messages a session: welcome first, its work after it, one cumulative acknowledgement', () => {
  const deliveries = performer().perform([
    entry([joined({ session, ackedSeq: 7 }), assigned]),
    entry([{ kind: 'reportsAccepted', worker, session, seq: 8 }]),
    entry([{ kind: 'reportsAccepted', worker, session, seq: 12 }]),
  ]);
  expect(deliveries).toHaveLength(1);
  const { messages, close } = deliveries[0]!;
  expect(close).toBe(null);
  expect(messages.map((message) => message.kind)).toEqual(['welcome', 'assign', 'ack']);
  expect(messages[0]).toMatchObject({ session, ackedSeq: 7, heartbeatMs: 2_000 });
  expect(messages[1]).toMatchObject({
    source: spec.source,
    suite: spec.suites[0],
    tasks: [
      { task: task(3), attempt: 2, target: 'test/3.test.ts', expectedMs: 40 },
      { task: task(5), attempt: 1, target: 'test/5.test.ts', expectedMs: 30 },
    ],
  });
  expect(messages[2]).toEqual({ kind: 'ack', seq: 12 });
  // What goes out is what the wire contract says.
  expect(() => CoordinatorFrame.parse(messages)).not.toThrow();
});

test('certifications and steps of recovery go to the worker; the whole worker is a device that is not named', () => {
  const performing = performer();
  performing.perform([entry([joined({ session })])]);
  const asked = { worker, deadlineMs: 9, reason: 'a check failed' };
  const [delivery] = performing.perform([
    entry([
      { kind: 'certificationRequested', ...asked, device: 'gpu:0', request: 1 },
      { kind: 'certificationRequested', ...asked, device: null, request: 2 },
      { kind: 'recoveryRequested', ...asked, device: null, request: 3, rung: 'runner', attempts: [] },
    ]),
  ]);
  expect(delivery?.messages).toEqual([
    { kind: 'certify', request: 1, device: 'gpu:0' },
    { kind: 'certify', request: 2 },
    { kind: 'recover', request: 3, rung: 'runner', attempts: [], reason: 'a check failed' },
  ]);
  expect(() => CoordinatorFrame.parse(delivery?.messages)).not.toThrow();
});

test('what names only the worker goes to the session by which it joined, and long lists go in parts', () => {
  const performing = performer();
  performing.perform([entry([joined({ session })])]);
  const attempts = Array.from({ length: 1_203 }, (_, index) => ({ task: task(index), attempt: 1 }));
  const [delivery] = performing.perform([
    entry([
      { kind: 'takeBackRequested', worker, assignment: 'a-1' as AssignmentId, attempts: attempts.slice(0, 3) },
      { kind: 'cancelSent', worker, attempts, reason: 'asked for', deadlineMs: 9 },
      { kind: 'workerDraining', worker, actor: 'me', reason: 'maintenance' },
    ]),
  ]);
  expect(delivery?.session).toBe(session);
  expect(
    delivery?.messages.map((message) => [message.kind, 'attempts' in message ? message.attempts.length : 0]),
  ).toEqual([
    ['takeBack', 3],
    ['cancel', 500],
    ['cancel', 500],
    ['cancel', 203],
    ['drain', 0],
  ]);
  expect(() => CoordinatorFrame.parse(delivery?.messages)).not.toThrow();
});

test('a newer link of the same worker closes the older one', () => {
  const performing = performer();
  performing.perform([entry([joined({ session })])]);
  const deliveries = performing.perform([entry([joined({ session: 's-2' as SessionId })])]);
  expect(deliveries.map(({ session: to, close }) => [to, close !== null])).toEqual([
    [session, true],
    ['s-2', false],
  ]);
});

test('a lost worker’s link is closed, and nothing is sent to a session that is over', () => {
  const performing = performer();
  performing.perform([entry([joined({ session })])]);
  expect(
    performing.perform([entry([{ kind: 'workerLost', worker, reason: 'silent', attempts: 1, forgetAtMs: 9 }])]),
  ).toEqual([{ session, messages: [], close: 'presumed lost: silent' }]);
  expect(
    performing.perform([
      entry([{ kind: 'cancelSent', worker, attempts: [{ task: task(1), attempt: 1 }], reason: 'x', deadlineMs: 9 }]),
    ]),
  ).toEqual([]);
});

test('a disconnect of an older session leaves the newer one alone', () => {
  const performing = performer();
  performing.perform([entry([joined({ session })]), entry([joined({ session: 's-2' as SessionId })])]);
  performing.perform([entry([{ kind: 'workerDisconnected', worker, session, graceUntilMs: 9 }])]);
  expect(performing.perform([entry([{ kind: 'workerDraining', worker, actor: 'me', reason: 'x' }])])[0]?.session).toBe(
    's-2',
  );
});

test('an assignment of a run that is not live is a bug', () => {
  expect(() => performer().perform([entry([{ ...assigned, run: 'r-gone' as RunId } as Event])])).toThrow(/not live/);
});

test('feed items follow the events of an entry, and every one is of the feed’s schema', () => {
  const one: Case = { path: ['adds'], status: 'passed', durationMs: 1 };
  const input: Input = {
    kind: 'workerReported',
    worker,
    session,
    reports: [
      { kind: 'started', seq: 1, task: task(3), attempt: 1, atMs: 5 },
      {
        kind: 'cases',
        seq: 2,
        task: task(3),
        attempt: 1,
        from: 4,
        cases: [one, { ...one, path: ['b'] }, { ...one, path: ['c'] }],
      },
    ],
  };
  const about = { task: task(3), attempt: 1, worker };
  const items = feedItemsOf(
    entry(
      [
        { kind: 'runSubmitted', run, submitter: 'me', idempotencyKey: 'k', contentDigest: 'c', spec },
        { kind: 'tasksQueued', run, chunk: 0, first: 0, tasks: [{ suite: 0, target: 'a' }], sealed: true },
        {
          kind: 'runUnplaceable',
          run,
          suite: 0,
          requires: 'gpu',
          tasks: 2,
          reasons: [{ reason: 'no GPU', workers: 1 }],
        },
        joined({ session }),
        assigned,
        { kind: 'attemptStarted', ...about, atMs: 5 },
        // The first of the report's three cases was recorded before.
        { kind: 'casesRecorded', ...about, reportSeq: 2, from: 5, count: 2, counts },
        {
          kind: 'attemptSettled',
          ...about,
          verdict: 'failed',
          counts,
          costMs: 9,
          next: { kind: 'requeue', spends: 'userRetry', avoidWorker: null },
        },
        { kind: 'taskSettled', task: task(3), verdict: 'passed' },
        { kind: 'reportsAccepted', worker, session, seq: 2 },
        { kind: 'runCancelRequested', run, actor: 'me', reason: 'why', cause: 'request', tasks: 'all' },
        { kind: 'runSettled', run, verdict: 'passed' },
        { kind: 'workerLost', worker, reason: 'silent', attempts: 2, forgetAtMs: 9 },
      ],
      input,
    ),
    facts,
  );
  for (const item of items) expect(() => FeedItem.parse(item)).not.toThrow();
  expect(items.map((item) => item.kind)).toEqual([
    'runSubmitted',
    'tasksQueued',
    'runUnplaceable',
    'workerJoined',
    'tasksAssigned',
    'attemptStarted',
    'casesRecorded',
    'attemptSettled',
    'taskSettled',
    'runCancelRequested',
    'runSettled',
    'workerLost',
  ]);
  expect(items[2]).toMatchObject({ reasons: ['no GPU (1 worker)'] });
  expect(items[6]).toMatchObject({ cases: [{ path: ['b'] }, { path: ['c'] }] });
  expect(items[7]).toMatchObject({ target: 'test/3.test.ts', willRetry: true });
});
