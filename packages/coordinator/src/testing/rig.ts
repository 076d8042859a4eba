// Test support: the production engine, driver and shell over a disk in memory and a clock by hand, and workers that speak the
// wire's messages over links in memory. Commits happen when the test says so, or at once.
import {
  createEngine,
  emptyState,
  engineDefaults,
  type Engine,
  type EngineConfig,
  type Input,
  type Reply,
} from '@assay/core';
import { outcomeOf, profileOf, specOf } from '@assay/core/testing/specs.ts';
import {
  protocolVersion,
  type AgentMessage,
  type AttemptOutcome,
  type CoordinatorMessage,
  type FeedItem,
  type Hello,
  type Profile,
  type Report,
  type RunId,
  type RunSpec,
  type SessionId,
  type WorkerId,
} from '@assay/protocol';
import { createMemoryJournal, emptyDisk, type MemoryDisk } from '../adapters/journal-memory.ts';
import { createMemoryResultStore } from '../adapters/results-memory.ts';
import { createMemoryFeed } from '../feed/live-feed.ts';
import type { LinkFate } from '../perform/links.ts';
import type { WorkerLink } from '../ports/worker-link.ts';
import { createShell, type Shell } from '../shell.ts';
import { HandClock } from './hand-clock.ts';

export const someProfile: Profile = profileOf();

export const someSpec: RunSpec = specOf({ name: 'unit', project: 'demo' });

export function passedOutcome(casesReported = 0): AttemptOutcome {
  const counts = { passed: Math.max(1, casesReported), failed: 0, skipped: 0, todo: 0 };
  return outcomeOf({ counts, casesReported, endedAtMs: 10, costMs: 10 });
}

/** One worker's end of a link in memory. */
export class TestWorker implements WorkerLink {
  readonly session: SessionId;
  readonly worker: WorkerId;
  readonly got: CoordinatorMessage[] = [];
  closedBecause: string | null = null;
  fate: LinkFate | null = null;

  constructor(worker: string, session: string) {
    this.worker = worker as WorkerId;
    this.session = session as SessionId;
  }

  send(messages: CoordinatorMessage[]): void {
    if (this.closedBecause !== null) throw new Error(`sent to the closed link ${this.session}`);
    // As over a wire: nothing shared.
    this.got.push(...structuredClone(messages));
  }

  close(reason: string): void {
    this.closedBecause = reason;
  }

  kinds(): string[] {
    return this.got.map((message) => message.kind);
  }

  assigned(): { task: string; attempt: number }[] {
    return this.got.flatMap((message) =>
      message.kind === 'assign' ? message.tasks.map(({ task, attempt }) => ({ task, attempt })) : [],
    );
  }
}

export class Rig {
  readonly clock: HandClock;
  readonly disk: MemoryDisk;
  readonly engine: Engine;
  readonly shell: Shell;
  readonly config: EngineConfig;
  readonly fed: FeedItem[] = [];
  readonly fatal: unknown[] = [];
  /** Commits that wait, when `isDiskSlow`. */
  readonly commits: (() => void)[] = [];
  isDiskSlow = false;
  durableSeq = 0;
  #sessions = 0;

  constructor(options: { config?: Partial<EngineConfig>; disk?: MemoryDisk; engine?: Engine; clock?: HandClock } = {}) {
    this.clock = options.clock ?? new HandClock();
    if (options.clock === undefined) this.clock.ms = 1_000;
    this.disk = options.disk ?? emptyDisk();
    this.config = { ...engineDefaults, ...options.config };
    this.engine = options.engine ?? createEngine(this.config, emptyState());
    const journal = createMemoryJournal({
      disk: this.disk,
      schedule: (commit) => (this.isDiskSlow ? void this.commits.push(commit) : commit()),
    });
    const feed = createMemoryFeed({ startSeq: journal.lastSeq() });
    feed.subscribe(
      { run: null },
      null,
      (delivery) => delivery.kind === 'events' && this.fed.push(...delivery.events.map(({ item }) => item)),
    );
    this.shell = createShell({
      engine: this.engine,
      config: this.config,
      journal,
      clock: this.clock,
      feed,
      results: createMemoryResultStore(),
      onDurable: (seq) => {
        this.durableSeq = seq;
      },
      onFatal: (error) => this.fatal.push(error),
      followers: () => ({ resultsSeq: 0, resultsError: null, snapshotSeq: null }),
    });
  }

  /** Turns of the loop until nothing is left to do. */
  settle(): void {
    while (this.clock.turn());
    if (this.fatal.length > 0) throw this.fatal[0];
  }

  pass(ms: number): void {
    this.clock.pass(this.clock.ms + ms);
    this.settle();
  }

  commit(): void {
    this.commits.shift()?.();
    this.settle();
  }

  /** Posts an input and returns its reply, or null when none came yet. */
  post(input: Input): Reply | null {
    let reply: Reply | null = null;
    this.shell.post(input, (outcome) => {
      if (outcome.kind === 'failed') throw outcome.error;
      reply = outcome.reply;
    });
    this.settle();
    return reply;
  }

  submit(targets: number, over: { run?: string; spec?: Partial<RunSpec> } = {}): RunId {
    const run = (over.run ?? 'r-aaaaaaaaaa') as RunId;
    const tasks = Array.from({ length: targets }, (_, index) => ({ suite: 0, target: `t${index}.test.ts` }));
    const reply = this.post({
      kind: 'submitRun',
      run,
      submitter: 'me',
      idempotencyKey: `key-${run}`,
      contentDigest: 'c',
      spec: { ...someSpec, ...over.spec },
      tasks,
      sealed: true,
    });
    if (reply !== null && reply.kind !== 'runAccepted')
      throw new Error(`the submission was answered with ${JSON.stringify(reply)}`);
    return run;
  }

  connect(worker: string, over: Partial<Hello> & { token?: string } = {}): TestWorker {
    this.#sessions += 1;
    const link = new TestWorker(worker, `s-${this.#sessions}`);
    const { token = 't-1', ...said } = over;
    const hello: Hello = {
      kind: 'hello',
      protocolVersion,
      agentVersion: '0.1.0',
      worker: link.worker,
      incarnation: `i-${worker}-${this.#sessions}`,
      name: worker,
      pool: 'default',
      slots: 1,
      profile: someProfile,
      profileDigest: 'digest-of-some-profile',
      declared: {},
      held: [],
      nextReportSeq: 0,
      isDraining: false,
      ...said,
    };
    this.shell.links.open(link, hello, token, (fate) => {
      link.fate = fate;
    });
    this.settle();
    return link;
  }

  says(link: TestWorker, ...messages: AgentMessage[]): boolean {
    const isOpen = this.shell.receive(link.session, messages);
    this.settle();
    return isOpen;
  }

  reports(link: TestWorker, ...reports: Report[]): boolean {
    return this.says(link, ...reports.map((report) => ({ kind: 'report', report }) as const));
  }
}
