// A worker: the production connection machine, spool, work in hand and its accounting after a restart, wired together as
// agent/src/main.ts does it, over a simulated process, network and executor. Spool and ledger are its disk: they outlive a crash.
import { createSession, nextDeadlineMs, sessionStep } from '@assay/agent/session';
import type { SessionInput, SessionOffer, SessionOutput, SessionState } from '@assay/agent/session';
import { accountForUnfinished, decodeFrame, encodeFrames, Work, type ReportBody } from '@assay/agent/simulation';
import type { AgentMessage, Profile, Report, WorkerId } from '@assay/protocol';
import type { Truth } from '../checks/truth.ts';
import { WallClock, epochMs } from '../sim/clock.ts';
import type { LinkEnd, Network } from '../sim/network.ts';
import { SimProcess } from '../sim/process.ts';
import type { World } from '../sim/world.ts';
import { createExecutor, type Execute, type PlanOf } from './executor.ts';
import { MemoryLedger } from './ledger.ts';
import type { MachineKind } from './machines.ts';
import { createSimSpool } from './sim-spool.ts';
import { SimSoundness } from './sim-soundness.ts';

/** The parts that a test may put a broken one in place of. */
export type AgentParts = { sessionStep: typeof sessionStep; execute: (execute: Execute) => Execute };
export const soundAgentParts: AgentParts = { sessionStep, execute: (execute) => execute };

export type SimAgentOptions = {
  world: World;
  network: Network;
  truth: Truth;
  parts: AgentParts;
  index: number;
  machine: MachineKind;
  slots: number;
  slowness: number;
  startupMs: number;
  planOf: PlanOf;
};

export class SimAgent {
  readonly worker: WorkerId;
  readonly name: string;
  readonly slots: number;
  readonly wall: WallClock;
  readonly soundness: SimSoundness;
  profile: Profile;
  process: SimProcess;
  /** Why its last process ended by itself, or null. */
  ended: { reason: string; error: { code: string; message: string } | null } | null = null;
  readonly #options: SimAgentOptions;
  readonly #spool = createSimSpool();
  readonly #ledger = new MemoryLedger();
  #incarnation = 0;
  #session!: SessionState;
  #work!: Work;
  #link: { number: number; end: LinkEnd } | null = null;
  #queue: SessionInput[] = [];
  #isStepping = false;
  #timer: { atMs: number; cancel: () => void } | null = null;
  #isDraining = false;
  /** When its process ends in order, it is started anew after so long. */
  #restartInMs: number | null = null;
  #profileSeq: number | null = null;

  constructor(options: SimAgentOptions) {
    this.#options = options;
    this.worker = `w-${options.index}` as WorkerId;
    this.name = `w-${options.index}`;
    this.slots = options.slots;
    this.profile = options.machine.profile;
    this.wall = new WallClock(options.world, 137 * options.index);
    this.process = new SimProcess(options.world, this.name);
    this.process.kill();
    this.soundness = new SimSoundness({
      world: options.world,
      name: this.name,
      after: (delayMs, act) => void this.process.after(delayMs, act),
      report: (body) => this.#report(body),
      endAttempts: (attempts, reason) => void this.#work.kill(attempts, reason),
      restart: () => {
        this.#restartInMs = 100;
        this.drain('to be started anew');
      },
      reboot: () => {
        this.crash(true);
        options.world.after(5_000, () => this.start());
      },
    });
  }

  get declared(): Record<string, string | number | boolean> {
    return this.#options.machine.declared;
  }

  get isRunning(): boolean {
    return this.process.isAlive;
  }

  /** Attempts executing or waiting here. */
  get inHand(): number {
    return this.process.isAlive ? this.#work.size : 0;
  }

  /** What this agent still owes the coordinator. */
  get isQuiet(): boolean {
    return this.#spool.unacknowledged().length === 0 && this.inHand === 0;
  }

  start(): void {
    const { world, truth } = this.#options;
    if (this.process.isAlive) return;
    this.#incarnation += 1;
    this.process = new SimProcess(world, this.name);
    this.ended = null;
    this.#queue = [];
    this.#isStepping = false;
    this.#timer = null;
    this.#link = null;
    this.#isDraining = false;
    this.#profileSeq = null;
    const before = this.#spool.nextSeq();
    accountForUnfinished(this.#spool, this.#ledger, this.wall.nowMs());
    for (const report of this.#spool.unacknowledged()) if (report.seq >= before) truth.spooled(this.worker, report);
    world.trace(
      this.name,
      `starts, incarnation ${this.#incarnation}, ${this.#spool.unacknowledged().length} reports in the spool`,
    );
    this.#work = this.#createWork();
    this.#session = createSession({
      offer: this.#offer(),
      pending: this.#spool.unacknowledged().map((report) => ({ report, isReady: true })),
      nextSeq: this.#spool.nextSeq(),
      seed: this.#options.index * 1_000 + this.#incarnation,
    });
    this.#input({ kind: 'started' });
    this.soundness.started();
  }

  /** SIGKILL, or the whole machine: then nobody closes its sockets for it. */
  crash(isMachineGone: boolean, lostWrites = 0): void {
    if (!this.process.isAlive) return;
    this.#options.world.trace(this.name, isMachineGone ? 'loses power' : 'is killed');
    const lost = this.#spool.loseLast(isMachineGone ? lostWrites : 0);
    if (lost.length > 0)
      this.#options.world.trace(this.name, `had not written reports ${lost.map(({ seq }) => seq).join(', ')}`);
    this.#options.truth.lost(this.worker, lost);
    this.process.kill();
    this.#options.network.processDied(this.process, isMachineGone);
  }

  drain(reason: string): void {
    if (this.#isDraining || !this.process.isAlive) return;
    this.#isDraining = true;
    this.#options.world.expectPromises();
    this.#options.world.trace(this.name, `drains: ${reason}`);
    this.#work.drain(reason);
    const report = this.#spoolReport({ kind: 'draining', reason });
    if (report.kind === 'draining') this.#input({ kind: 'drainAsked', report });
  }

  changeProfile(profile: Profile): void {
    this.profile = profile;
    if (!this.process.isAlive) return;
    this.#options.world.expectPromises();
    this.#options.world.trace(this.name, `is another machine now: ${profile.cpu.count ?? 0} processors`);
    this.#input({ kind: 'offerChanged', offer: this.#offer() });
    const report = this.#spoolReport({ kind: 'profileChanged', profile, profileDigest: 'of-the-agent' });
    this.#profileSeq = report.seq;
    this.#input({ kind: 'reportAdded', report, isReady: true });
    this.#work.misfitted('this machine changed');
  }

  #offer(): SessionOffer {
    return {
      agentVersion: 'sim',
      worker: this.worker,
      incarnation: `${this.name}-${this.#incarnation}`,
      name: this.name,
      pool: 'default',
      slots: this.slots,
      profile: this.profile,
      profileDigest: 'of-the-agent',
      declared: this.#options.machine.declared,
    };
  }

  #createWork(): Work {
    const { world, truth, machine, planOf, startupMs, slowness, parts } = this.#options;
    const process = this.process;
    const execute = createExecutor({
      world,
      truth,
      worker: this.worker,
      process: () => process,
      planOf,
      startupMs,
      slowness,
      powerOff: () => {
        this.crash(true);
        world.after(5_000, () => this.start());
      },
    });
    const isHere = (): boolean => process.isAlive;
    void machine;
    return new Work({
      slots: this.slots,
      scratchDir: '/nowhere',
      env: {},
      execute: parts.execute(execute),
      acquire: () => Promise.resolve({ directory: '/nowhere', release: () => undefined }),
      report: (body) => {
        if (isHere()) this.#report(body);
      },
      keepFiles: (_ref, outcome) => Promise.resolve(outcome),
      output: () => undefined,
      misfit: () =>
        this.#profileSeq === null ? null : 'this machine changed and the coordinator does not know it yet',
      nowMs: () => this.wall.nowMs(),
      changed: () => undefined,
    });
  }

  #perform(output: SessionOutput): void {
    switch (output.kind) {
      case 'openLink':
        return this.#dial(output.link);
      case 'send':
        if (this.#link?.number === output.link) this.#send(this.#link.end, output.messages);
        return;
      case 'closeLink':
        if (this.#link?.number === output.link) this.#link.end.close();
        return;
      case 'deliverAssign':
        this.#ledger.assigned(output.assign.tasks);
        return this.#work.assign(output.assign);
      case 'deliverTakeBack':
        return this.#work.takeBack(output.attempts);
      case 'deliverCancel':
        return this.#work.cancel(output.attempts, output.reason);
      case 'deliverDrain':
        return this.drain(output.reason);
      case 'deliverCertify':
        return this.soundness.certify(output.request);
      case 'deliverRecover':
        return this.soundness.recover(output.request);
      case 'abandon':
        this.#ledger.settled(output.attempts);
        return this.#work.abandon(output.attempts);
      case 'dropSpool':
        this.#spool.dropThrough(output.throughSeq);
        if (this.#profileSeq !== null && output.throughSeq >= this.#profileSeq) this.#profileSeq = null;
        return;
      case 'fleetChecks':
        // Nothing here is a program; what is checked is planted.
        return;
      case 'note':
        return this.#options.world.trace(this.name, output.text);
      case 'stop':
        this.#options.world.trace(this.name, `ends: ${output.reason}`);
        if (output.error !== null)
          this.#options.world.violate(
            'no worker is turned away',
            `${this.name}: ${output.error.code} ${output.error.message}`,
          );
        this.ended = { reason: output.reason, error: output.error };
        this.process.kill();
        this.#options.network.processDied(this.process, false);
        if (this.#restartInMs !== null) this.#options.world.after(this.#restartInMs, () => this.start());
        this.#restartInMs = null;
    }
  }

  #send(end: LinkEnd, messages: readonly AgentMessage[]): void {
    const drop = (): void => this.#options.world.violate('no bug', `${this.name} has a message that fits no frame`);
    for (const frame of encodeFrames(messages, drop)) end.send(frame);
  }

  #dial(number: number): void {
    const end = this.#options.network.dial(this.process, this.name, {
      opened: () => this.#input({ kind: 'linkOpened', link: number }),
      failed: (code, message) => this.#input({ kind: 'linkFailed', link: number, code, message }),
      frame: (text) => {
        const decoded = decodeFrame(text);
        if (decoded.kind === 'bad') this.#input({ kind: 'badFrame', link: number, message: decoded.reason });
        else this.#input({ kind: 'messagesReceived', link: number, messages: decoded.messages });
      },
      closed: (reason) => this.#input({ kind: 'linkClosed', link: number, reason }),
    });
    this.#link = { number, end };
  }

  #report(body: ReportBody): void {
    const report = this.#spoolReport(body);
    if (report.kind === 'started') this.#ledger.started({ task: report.task, attempt: report.attempt }, report.atMs);
    if (report.kind === 'cases')
      this.#ledger.cases({ task: report.task, attempt: report.attempt }, report.from + report.cases.length);
    if (report.kind === 'finished') this.#ledger.settled([{ task: report.task, attempt: report.attempt }]);
    if (report.kind === 'returned') this.#ledger.settled(report.attempts);
    this.#input({ kind: 'reportAdded', report, isReady: true });
  }

  #spoolReport(body: ReportBody): Report {
    const report = this.#spool.append(body);
    this.#options.truth.spooled(this.worker, report);
    return report;
  }

  /** As session-driver.ts: inputs that come while one is carried out follow after it, and one timer. */
  #input(input: SessionInput): void {
    if (!this.process.isAlive) return;
    this.#options.world.expectPromises();
    this.#queue.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        for (const output of this.#options.parts.sessionStep(this.#session, next, this.#nowMs())) this.#perform(output);
      }
    } finally {
      this.#isStepping = false;
    }
    this.#arm();
  }

  #arm(): void {
    const atMs = this.process.isAlive ? nextDeadlineMs(this.#session) : null;
    if (atMs === (this.#timer?.atMs ?? null)) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (atMs === null) return;
    const process = this.process;
    // What has arrived is read first: a process that was held up must not take its own delay for the other's silence.
    const due = (): void => void process.after(0, () => this.#input({ kind: 'timePassed' }));
    const fire = (): void => {
      this.#timer = null;
      due();
    };
    this.#timer = { atMs, cancel: process.after(Math.max(0, atMs - this.#nowMs()), fire) };
  }

  /** The agent's driver reads a clock that never jumps. */
  #nowMs(): number {
    return epochMs + this.#options.world.nowMs;
  }
}
