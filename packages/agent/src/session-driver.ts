// Drives the connection machine in real time: its link, its one timer, its heartbeats' measurements.
import { openLink } from './link/link.ts';
import type { Link, LinkOptions } from './link/link.ts';
import { nextDeadlineMs, sessionStep } from './session/session.ts';
import type { SessionInput, SessionOutput, SessionState } from './session/session.ts';

export type SessionDriverOptions = {
  state: SessionState;
  link: LinkOptions;
  /** Everything that is not about the link, in order. */
  perform: (output: SessionOutput) => void;
  connected: (isConnected: boolean) => void;
};

/** Live output waits for a network that is this far behind, and is left out meanwhile. */
const outputWaitingBytesMax = 1024 * 1024;

export class SessionDriver {
  readonly #options: SessionDriverOptions;
  readonly #queue: SessionInput[] = [];
  #link: { number: number; link: Link } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs: number | null = null;
  #isStepping = false;
  #isConnected = false;
  #isClosed = false;

  constructor(options: SessionDriverOptions) {
    this.#options = options;
  }

  /** Inputs that come while one is carried out follow after it. */
  input(input: SessionInput): void {
    this.#queue.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        for (const output of sessionStep(this.#options.state, next, nowMs())) this.#perform(output);
      }
    } finally {
      this.#isStepping = false;
    }
    this.#tellConnected();
    this.#arm();
  }

  canTakeOutput(): boolean {
    return this.#isConnected && (this.#link?.link.waitingBytes() ?? 0) < outputWaitingBytesMax;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #perform(output: SessionOutput): void {
    switch (output.kind) {
      case 'openLink':
        return this.#open(output.link);
      case 'send':
        if (this.#link?.number === output.link) this.#link.link.send(output.messages);
        return;
      case 'closeLink':
        if (this.#link?.number === output.link) this.#link.link.close(output.reason);
        return;
      default:
        return this.#options.perform(output);
    }
  }

  #open(number: number): void {
    const link = openLink(this.#options.link, {
      opened: () => this.input({ kind: 'linkOpened', link: number }),
      failed: (code, message) => this.input({ kind: 'linkFailed', link: number, code, message }),
      messages: (messages) => this.input({ kind: 'messagesReceived', link: number, messages }),
      badFrame: (message) => this.input({ kind: 'badFrame', link: number, message }),
      closed: (reason) => this.input({ kind: 'linkClosed', link: number, reason }),
    });
    this.#link = { number, link };
  }

  #tellConnected(): void {
    const isConnected = this.#options.state.phase.kind === 'connected';
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    this.#options.connected(isConnected);
  }

  #arm(): void {
    const atMs = this.#isClosed ? null : nextDeadlineMs(this.#options.state);
    if (atMs === this.#timerAtMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = null;
    if (atMs === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#timerAtMs = null;
        // What has arrived is read first: a process that was held up must not take its own delay for the other's silence.
        setImmediate(() => {
          if (this.#isClosed) return;
          this.input({ kind: 'vitalsMeasured', residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20) });
          this.input({ kind: 'timePassed' });
        });
      },
      Math.max(0, atMs - nowMs()),
    );
  }
}

/** Milliseconds since the epoch that never jump: the system's clock may be set while the agent runs. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
