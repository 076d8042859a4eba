// For the tests of the connection machine: a link that delivers in order and loses what is under way when it is cut, and a
// coordinator that keeps reports by number, as the contract says. Time is a number. It checks what must always hold.
import { protocolVersion } from '@assay/protocol';
import type { AgentMessage, Assign, AttemptRef, CoordinatorMessage, Hello, Report } from '@assay/protocol';
import { attemptKey, createSession, nextDeadlineMs, sessionStep } from './session.ts';
import type { SessionConfig, SessionInput, SessionOffer, SessionOutput, SessionState } from './session.ts';

export const offer: SessionOffer = {
  agentVersion: '0.1.0',
  worker: 'w-test' as SessionOffer['worker'],
  incarnation: 'one',
  name: 'test',
  pool: 'default',
  slots: 2,
  profile: {
    os: { family: 'linux', arch: 'x64' },
    cpu: {},
    memory: {},
    runtimes: {},
    runners: {},
    browsers: [],
    drivers: {},
    unknown: [],
  },
  profileDigest: 'd',
  declared: {},
};

export function ref(task: string, attempt = 1): AttemptRef {
  return { task, attempt } as AttemptRef;
}

export function assign(...tasks: string[]): Assign {
  const made = tasks.map((task) => ({ ...ref(task), target: '', expectedMs: 1 }));
  return {
    kind: 'assign',
    assignment: 'a-1',
    run: 'r-1',
    source: { kind: 'directory', path: '/p' },
    suite: {},
    tasks: made,
  } as unknown as Assign;
}

export function started(seq: number, task: string): Report {
  return { kind: 'started', seq, ...ref(task), atMs: 0 };
}

export function finished(seq: number, task: string): Report {
  const counts = { passed: 1, failed: 0, skipped: 0, todo: 0 };
  return {
    kind: 'finished',
    seq,
    ...ref(task),
    outcome: { verdict: 'passed', counts, casesReported: 0, startedAtMs: 0, endedAtMs: 0, costMs: 0 },
  };
}

export class World {
  nowMs = 1_000;
  readonly state: SessionState;
  /** The coordinator's journal. */
  readonly accepted: Report[] = [];
  readonly outputs: SessionOutput[] = [];
  readonly broken: string[] = [];
  reportWindow = 3;
  /** The link's number while the coordinator takes part in it. */
  link: number | null = null;
  hello: Hello | null = null;
  isWelcomed = false;
  #toCoordinator: AgentMessage[] = [];
  #toAgent: CoordinatorMessage[] = [];
  #sentOnLink: number[] = [];

  constructor(config: Partial<SessionConfig> = {}) {
    this.state = createSession({ config, offer, pending: [], nextSeq: 0, seed: 1 });
  }

  get ackedSeq(): number {
    return this.accepted.at(-1)?.seq ?? -1;
  }

  input(input: SessionInput): SessionOutput[] {
    const outputs = sessionStep(this.state, input, this.nowMs);
    this.outputs.push(...outputs);
    for (const output of outputs) this.#follow(output);
    this.#check();
    return outputs;
  }

  add(report: Report, isReady = true): void {
    this.input({ kind: 'reportAdded', report, isReady });
  }

  /** The connection that the agent asked for is made. */
  open(): void {
    if (this.state.phase.kind !== 'connecting') return;
    this.#reset(this.state.phase.link);
    this.input({ kind: 'linkOpened', link: this.state.phase.link });
  }

  /** The coordinator reads what was sent, and answers as the contract says. */
  coordinatorReads(count = Number.POSITIVE_INFINITY): void {
    for (const message of this.#toCoordinator.splice(0, count)) {
      if (message.kind === 'hello') {
        this.hello = message;
        this.isWelcomed = true;
        this.#toAgent.push(this.welcome());
      }
      if (message.kind === 'report') {
        if (message.report.seq > this.ackedSeq) this.accepted.push(message.report);
        this.#toAgent.push({ kind: 'ack', seq: this.ackedSeq });
      }
    }
  }

  welcome(change: Partial<CoordinatorMessage & { kind: 'welcome' }> = {}): CoordinatorMessage {
    const { reportWindow, ackedSeq } = this;
    return {
      kind: 'welcome',
      protocolVersion,
      session: 's-1' as never,
      ackedSeq,
      heartbeatMs: 100,
      silentAfterMs: 300,
      reportWindow,
      abandon: [],
      ...change,
    };
  }

  tell(...messages: CoordinatorMessage[]): void {
    this.#toAgent.push(...messages);
  }

  agentReads(count = Number.POSITIVE_INFINITY): void {
    const messages = this.#toAgent.splice(0, count);
    if (this.link !== null && messages.length > 0) this.input({ kind: 'messagesReceived', link: this.link, messages });
  }

  cut(): void {
    const { link } = this;
    if (link === null) return;
    this.#reset(null);
    this.input({ kind: 'linkClosed', link, reason: 'cut' });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.input({ kind: 'timePassed' });
  }

  /** Everything works, until nothing is left to happen. */
  settle(): void {
    for (let round = 0; round < 60; round += 1) {
      this.open();
      this.coordinatorReads();
      this.agentReads();
      if (this.state.phase.kind === 'connected') this.tell({ kind: 'heartbeat', atMs: this.nowMs });
      const deadlineMs = nextDeadlineMs(this.state);
      if (deadlineMs !== null && this.state.phase.kind === 'backingOff')
        this.pass(Math.max(0, deadlineMs - this.nowMs));
    }
  }

  #reset(link: number | null): void {
    this.link = link;
    this.hello = null;
    this.isWelcomed = false;
    this.#toCoordinator = [];
    this.#toAgent = [];
    this.#sentOnLink = [];
  }

  #follow(output: SessionOutput): void {
    if (output.kind === 'closeLink' && output.link === this.link) this.#reset(null);
    if (output.kind !== 'send') return;
    if (output.link !== this.link) return void this.broken.push(`sent on link ${output.link}, which is not open`);
    for (const message of output.messages) {
      if (message.kind === 'hello') {
        if (this.#sentOnLink.length > 0 || this.hello !== null) this.broken.push('hello twice');
      } else if (!this.isWelcomed || this.state.phase.kind === 'greeting')
        this.broken.push(`${message.kind} before welcome`);
      if (message.kind === 'report') {
        const before = this.#sentOnLink.at(-1);
        if (before !== undefined && message.report.seq !== before + 1)
          this.broken.push(`report ${message.report.seq} after ${before}`);
        if (before === undefined && message.report.seq > this.ackedSeq + 1)
          this.broken.push(`report ${message.report.seq} first, though only ${this.ackedSeq} is accepted`);
        this.#sentOnLink.push(message.report.seq);
      }
      this.#toCoordinator.push(message);
    }
  }

  #check(): void {
    const { phase, pending, held } = this.state;
    if (phase.kind === 'connected' && phase.sent > phase.reportWindow)
      this.broken.push(`${phase.sent} reports under way, the window is ${phase.reportWindow}`);
    for (const { report } of pending) {
      if (report.kind === 'finished' && !held.has(attemptKey(report)))
        this.broken.push(`${report.task} is unacknowledged and not held`);
    }
  }
}
