// The open links: hello to close, what comes in over them as inputs of the engine, what was committed out over them.
// What always holds: a session is opened once; what it sends reaches the engine in order, after its hello; heartbeats go both
// ways and never to the journal; a link that the engine gave up is closed from here, and its close is no news then.
// Callbacks only, so that the simulator drives it in virtual time.
import {
  AssayError,
  errorCatalogue,
  protocolVersion,
  runIdOf,
  type AgentMessage,
  type FeedItem,
  type Hello,
  type Reading,
  type Report,
  type WorkerId,
} from '@assay/protocol';
import { flipsOf } from '@assay/core';
import type { Driver } from '../driver/driver.ts';
import { Liveness } from '../liveness.ts';
import type { Clock } from '../ports/clock.ts';
import type { LiveFeed } from '../ports/live-feed.ts';
import type { WorkerLink } from '../ports/worker-link.ts';
import type { Delivery } from './deliveries.ts';
import type { LiveFacts } from './live-facts.ts';

export type LinkFate = { kind: 'welcomed' } | { kind: 'refused'; code: string; message: string; isFinal: boolean };

export type LinksOptions = {
  driver: Driver;
  clock: Clock;
  feed: LiveFeed;
  facts: LiveFacts;
  heartbeatMs: number;
  silentAfterMs: number;
};

/** `lastSeq`: the highest report that came, or was acknowledged in the welcome. */
type Open = { readonly link: WorkerLink; readonly worker: WorkerId; isWelcomed: boolean; lastSeq: number };
/** A heartbeat interval is cut into this many ticks, so that thousands of links are not written to in one turn. */
const ticksPerHeartbeat = 4;

export class Links {
  readonly #options: LinksOptions;
  readonly #liveness: Liveness;
  readonly #tickMs: number;
  /** The one that waited longest for a heartbeat first. */
  readonly #open = new Map<string, Open>();
  #cancelTick: (() => void) | null = null;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#tickMs = Math.max(1, Math.floor(options.heartbeatMs / ticksPerHeartbeat));
    this.#liveness = new Liveness({ silentAfterMs: options.silentAfterMs, checkMs: this.#tickMs });
    this.#tick();
  }

  open(
    link: WorkerLink,
    hello: Hello,
    token: string,
    onFate: (fate: LinkFate) => void,
    trust: string | null = null,
  ): void {
    const { session } = link;
    if (this.#open.has(session)) throw new Error(`session ${session} is open already`);
    if (hello.protocolVersion !== protocolVersion) {
      const message = `this coordinator speaks version ${protocolVersion}, the worker version ${hello.protocolVersion}`;
      return onFate({ kind: 'refused', code: 'PROTOCOL_MISMATCH', message, isFinal: true });
    }
    this.#open.set(session, { link, worker: hello.worker, isWelcomed: false, lastSeq: -1 });
    this.#liveness.opened(session, this.#options.clock.nowMs());
    const { kind: _kind, protocolVersion: _version, ...said } = hello;
    const enforced = trust === null ? {} : { trust };
    this.#options.driver.submit({ kind: 'workerConnected', session, token, ...said, ...enforced }, (outcome) => {
      if (outcome.kind === 'failed') return this.#refused(session, outcome.error, onFate);
      if (outcome.reply.kind !== 'refused') return onFate({ kind: 'welcomed' });
      const { code, reason } = outcome.reply;
      this.#refused(session, { code, message: reason }, onFate);
    });
  }

  /** Messages of one frame, in order. False where the session is not open any more. */
  receive(session: string, messages: AgentMessage[]): boolean {
    const open = this.#open.get(session);
    if (open === undefined) return false;
    this.#liveness.heard(session, this.#options.clock.nowMs());
    const about = { worker: open.worker, session: open.link.session };
    let reports: Report[] = [];
    const flush = (): void => {
      if (reports.length > 0) this.#options.driver.submit({ kind: 'workerReported', ...about, reports });
      reports = [];
    };
    for (const message of messages) {
      if ((message.kind === 'report' || message.kind === 'heartbeat') && (message.after ?? -1) > open.lastSeq) {
        flush();
        this.#lostFrame(session, message.after!);
        return false;
      }
      if (message.kind === 'report') {
        open.lastSeq = Math.max(open.lastSeq, message.report.seq);
        reports.push(message.report);
      } else if (message.kind === 'output') this.#output(open.worker, message);
      else if (message.kind === 'readings') {
        flush();
        this.#judge(open, message.readings);
      } else if (message.kind === 'goodbye') {
        flush();
        this.#options.driver.submit({ kind: 'workerLeft', ...about, reason: message.reason });
      } else if (message.kind === 'hello') throw new AssayError('BAD_FRAME', 'a second hello');
    }
    flush();
    return true;
  }

  /** Reports are accepted in order: what comes after one that never came would be acknowledged, and that one forgotten. */
  #lostFrame(session: string, missingSeq: number): void {
    const { link } = this.#open.get(session)!;
    this.closed(session);
    link.close(`report ${missingSeq} did not arrive: a frame was lost`);
  }

  closed(session: string): void {
    const open = this.#remove(session);
    if (open !== undefined)
      this.#options.driver.submit({ kind: 'workerDisconnected', worker: open.worker, session: open.link.session });
  }

  /** Sends what one commit has for each session. */
  deliver(deliveries: Delivery[]): void {
    for (const { session, messages, close } of deliveries) {
      const open = this.#open.get(session);
      if (open === undefined) continue;
      if (messages.length > 0) open.link.send(messages);
      if (messages[0]?.kind === 'welcome') {
        open.isWelcomed = true;
        open.lastSeq = messages[0].ackedSeq;
      }
      if (close === null) continue;
      this.#remove(session);
      open.link.close(close);
    }
  }

  count(): number {
    return this.#open.size;
  }

  /** Ends all links and the timer; nothing is told to the engine, which is stopping. */
  stop(reason: string): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
    for (const session of [...this.#open.keys()]) this.#remove(session)?.link.close(reason);
  }

  #refused(session: string, refusal: { code: string; message: string }, onFate: (fate: LinkFate) => void): void {
    this.#remove(session);
    const entry = refusal.code in errorCatalogue ? errorCatalogue[refusal.code as keyof typeof errorCatalogue] : null;
    onFate({
      kind: 'refused',
      code: refusal.code,
      message: refusal.message,
      isFinal: entry !== null && !entry.retryable,
    });
  }

  #remove(session: string): Open | undefined {
    const open = this.#open.get(session);
    this.#open.delete(session);
    this.#liveness.closed(session);
    return open;
  }

  /** Live output is shown only of an attempt that this worker holds: nobody writes into another's output. */
  #output(worker: WorkerId, message: Extract<AgentMessage, { kind: 'output' }>): void {
    const { task, attempt, stream, text } = message;
    if (!this.#options.facts.isHeldBy(worker, task, attempt)) return;
    const item: FeedItem = {
      kind: 'output',
      atMs: this.#options.clock.nowMs(),
      run: runIdOf(task),
      task,
      attempt,
      stream,
      text,
    };
    this.#options.feed.publishEphemeral([item]);
  }

  /** Readings go no further than here: only a gate that flips becomes an input. */
  #judge({ worker, link }: Open, readings: readonly Reading[]): void {
    for (const flip of flipsOf(this.#options.facts.gatesOf(worker), readings))
      this.#options.driver.submit({ kind: 'gateFlipped', worker, session: link.session, ...flip });
  }

  #tick(): void {
    const { clock, driver } = this.#options;
    this.#cancelTick = clock.after(this.#tickMs, () => this.#tick());
    const nowMs = clock.nowMs();
    for (const session of this.#liveness.due(nowMs, driver.isBusy())) this.#silent(session);
    this.#sendHeartbeats(nowMs);
  }

  #silent(session: string): void {
    const open = this.#remove(session);
    if (open === undefined) return;
    this.#options.driver.submit({ kind: 'workerWentSilent', worker: open.worker, session: open.link.session });
    open.link.close('nothing was heard for too long');
  }

  #sendHeartbeats(atMs: number): void {
    const due: [string, Open][] = [];
    for (const one of this.#open) {
      if (due.length * ticksPerHeartbeat >= this.#open.size) break;
      due.push(one);
    }
    for (const [session, open] of due) {
      this.#open.delete(session);
      this.#open.set(session, open);
      if (open.isWelcomed) open.link.send([{ kind: 'heartbeat', atMs }]);
    }
  }
}
