// A circuit around calls that leave the process: the pure breaker of the core with real time, promises and abort signals.
//
// What always holds: whatever happens to a call (it returns, throws, rejects later, takes too long, is aborted by its caller,
// throws before its first await), its permit and its place in the bulkhead come back, once; an asynchronous failure is a
// failure; what the caller itself aborted is none, and nor is a call that found the bulkhead full.
// The shortest way through (no fallback, no judge, no time-out, no signal of the caller, a closed circuit) hands out the call's
// own promise and costs one reading of the clock (bench/circuit). A rejection that nobody waits for is then counted, and not
// reported as unhandled.
import {
  admit,
  createBreaker,
  healthOf,
  record,
  type Breaker,
  type BreakerSettings,
  type CallOutcome,
  type Permit,
  type Refusal,
} from '@assay/core';
import type { Clock } from '../ports/clock.ts';
import { watched } from './watched-call.ts';

/** Why a call did not give its own result. */
export type Reason =
  | { readonly kind: 'refused'; readonly state: Refusal['state']; readonly retryAtMs: number | null }
  | { readonly kind: 'full'; readonly running: number }
  | { readonly kind: 'timedOut'; readonly timeoutMs: number }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What a call came to, for those who judge it. */
export type Settled<Value> =
  | { readonly kind: 'returned'; readonly value: Value }
  | { readonly kind: 'threw'; readonly error: unknown };

export type WrapOptions<Args extends unknown[], Value> = {
  /** Takes the place of a call that was refused, timed out or failed. Without it the call rejects. */
  fallback?: (reason: Reason, ...args: Args) => Value | PromiseLike<Value>;
  /** The longest that a call may take: then it is aborted and has failed, whether it obeys its signal or not. */
  timeoutMs?: number;
  /** Calls under way at once; one more is refused and does not wait. */
  bulkhead?: number;
  /** Whether the call says something bad of the callee. By default everything thrown does, and nothing returned. */
  isFailure?: (settled: Settled<Value>) => boolean;
};

/** What a circuit lets through: `fn` with the signal that it should obey first. `null` is a caller who never aborts. */
export type Wrapped<Args extends unknown[], Value> = (signal: AbortSignal | null, ...args: Args) => Promise<Value>;

/** A call that was not made, or was given up: what a caller without a fallback is told. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly reason: Exclude<Reason, { kind: 'failed' }>;

  constructor(reason: Exclude<Reason, { kind: 'failed' }>) {
    super(sentenceOf(reason));
    this.reason = reason;
  }
}

export type CircuitOptions = {
  clock: Pick<Clock, 'nowMs' | 'after'>;
  /** Breaker settings, with the rate of slow calls and what slow is. */
  settings: BreakerSettings;
  /** Luck from 0 to 1 that spreads the open periods. */
  random?: () => number;
};

export class Circuit {
  readonly breaker: Breaker;
  readonly #clock: CircuitOptions['clock'];
  readonly #random: () => number;

  constructor({ clock, settings, random = Math.random }: CircuitOptions) {
    this.#clock = clock;
    this.#random = random;
    this.breaker = createBreaker(settings, clock.nowMs());
  }

  /** The share of recent calls that went well, null where nothing was measured. */
  health(): number | null {
    return healthOf(this.breaker, this.#clock.nowMs());
  }

  /** Puts the circuit around a function. Several may share one circuit; each has a bulkhead of its own. */
  wrap<Args extends unknown[], Value>(
    fn: (signal: AbortSignal, ...args: Args) => Value | PromiseLike<Value>,
    options: WrapOptions<Args, Value> = {},
  ): Wrapped<Args, Value> {
    const guard = new Guard(this.breaker, this.#clock, this.#random, fn, options);
    return (signal, ...args) => (signal === null && guard.isPlain() ? guard.pass(args) : guard.call(signal, args));
  }
}

type SharedEnds = { readonly permit: Permit; readonly returned: () => void; readonly threw: () => void };

/** One wrapped function: what happens to each call of it. */
class Guard<Args extends unknown[], Value> {
  readonly #breaker: Breaker;
  readonly #clock: CircuitOptions['clock'];
  readonly #random: () => number;
  readonly #fn: (signal: AbortSignal, ...args: Args) => Value | PromiseLike<Value>;
  readonly #options: WrapOptions<Args, Value>;
  readonly #bulkhead: number;
  readonly #timeoutMs: number;
  readonly #isTimed: boolean;
  /** Neither options nor settings ask for more than counting. */
  readonly #isSimple: boolean;
  #running = 0;
  /** A closed circuit has one permit for all calls until it changes its state: their ends share these. */
  #shared: SharedEnds | null = null;

  constructor(
    breaker: Breaker,
    clock: CircuitOptions['clock'],
    random: () => number,
    fn: (signal: AbortSignal, ...args: Args) => Value | PromiseLike<Value>,
    options: WrapOptions<Args, Value>,
  ) {
    this.#breaker = breaker;
    this.#clock = clock;
    this.#random = random;
    this.#fn = fn;
    this.#options = options;
    this.#bulkhead = options.bulkhead ?? Infinity;
    this.#timeoutMs = options.timeoutMs ?? Infinity;
    this.#isTimed = breaker.settings.slowCallMs !== null;
    const { fallback, isFailure } = options;
    this.#isSimple =
      !this.#isTimed && fallback === undefined && isFailure === undefined && this.#timeoutMs === Infinity;
  }

  /** Whether the next call needs nothing but to be counted. */
  isPlain(): boolean {
    return this.#isSimple && this.#breaker.state.kind === 'closed' && this.#running < this.#bulkhead;
  }

  /** A call of which `isPlain` was true. */
  pass(args: Args): Promise<Value> {
    const permit = admit(this.#breaker, 0) as Permit;
    const shared = this.#shared?.permit === permit ? this.#shared : this.#share(permit);
    this.#running += 1;
    let result: Value | PromiseLike<Value>;
    try {
      result = this.#fn(neverAborted, ...args);
    } catch (error) {
      shared.threw();
      return Promise.reject(error as Error);
    }
    const promise = result instanceof Promise ? (result as Promise<Value>) : Promise.resolve(result);
    void promise.then(shared.returned, shared.threw);
    return promise;
  }

  #share(permit: Permit): SharedEnds {
    this.#shared = {
      permit,
      returned: () => this.#count(permit, 'success', 0),
      threw: () => this.#count(permit, 'failure', 0),
    };
    return this.#shared;
  }

  async call(signal: AbortSignal | null, args: Args): Promise<Value> {
    if (signal !== null) signal.throwIfAborted();
    if (this.#running >= this.#bulkhead) return this.#instead({ kind: 'full', running: this.#running }, args);
    const breaker = this.#breaker;
    // A closed breaker admits whatever the time is, so that most calls need not ask for it.
    const isClosed = breaker.state.kind === 'closed';
    const startMs = isClosed && !this.#isTimed ? 0 : this.#clock.nowMs();
    const permit = isClosed ? admit(breaker, startMs) : admit(breaker, startMs, this.#random());
    if (typeof permit !== 'number') return this.#instead(permit, args);
    this.#running += 1;
    if (signal !== null || this.#timeoutMs !== Infinity) return this.#watch(signal, permit, startMs, args);
    let value: Value;
    try {
      value = await this.#fn(neverAborted, ...args);
    } catch (error) {
      return this.#threw(error, permit, startMs, args);
    }
    return this.#returned(value, permit, startMs, args);
  }

  async #watch(signal: AbortSignal | null, permit: Permit, startMs: number, args: Args): Promise<Value> {
    const timeoutMs = this.#timeoutMs;
    const end = await watched((own) => this.#fn(own, ...args), signal, timeoutMs, this.#clock);
    switch (end.kind) {
      case 'returned':
        return this.#returned(end.value, permit, startMs, args);
      case 'threw':
        return this.#threw(end.error, permit, startMs, args);
      case 'timedOut':
        this.#count(permit, 'failure', startMs);
        return this.#instead({ kind: 'timedOut', timeoutMs }, args);
      case 'aborted':
        this.#count(permit, 'ignored', startMs);
        throw end.reason;
    }
  }

  #returned(value: Value, permit: Permit, startMs: number, args: Args): Value | PromiseLike<Value> {
    const { isFailure, fallback } = this.#options;
    const isBad = isFailure !== undefined && judge(isFailure, { kind: 'returned', value });
    this.#count(permit, isBad ? 'failure' : 'success', startMs);
    return isBad && fallback !== undefined ? fallback({ kind: 'failed', error: value }, ...args) : value;
  }

  #threw(error: unknown, permit: Permit, startMs: number, args: Args): Value | PromiseLike<Value> {
    const { isFailure } = this.#options;
    const isBad = isFailure === undefined || judge(isFailure, { kind: 'threw', error });
    this.#count(permit, isBad ? 'failure' : 'success', startMs);
    if (!isBad) throw error;
    return this.#instead({ kind: 'failed', error }, args);
  }

  /** The end of a call: its place and its permit come back. */
  #count(permit: Permit, outcome: CallOutcome, startMs: number): void {
    this.#running -= 1;
    const nowMs = this.#clock.nowMs();
    const luck = outcome === 'failure' ? this.#random() : 0;
    record(this.#breaker, permit, outcome, this.#isTimed ? nowMs - startMs : 0, nowMs, luck);
  }

  #instead(reason: Reason, args: Args): Value | PromiseLike<Value> {
    const { fallback } = this.#options;
    if (fallback !== undefined) return fallback(reason, ...args);
    throw reason.kind === 'failed' ? reason.error : new CallRefused(reason);
  }
}

const neverAborted = new AbortController().signal;

/** A judge that throws knows nothing: what it was asked about counts as a failure, so that the permit comes back. */
function judge<Value>(isFailure: (settled: Settled<Value>) => boolean, settled: Settled<Value>): boolean {
  try {
    return isFailure(settled);
  } catch {
    return true;
  }
}

function sentenceOf(reason: Exclude<Reason, { kind: 'failed' }>): string {
  switch (reason.kind) {
    case 'refused': {
      const { state, retryAtMs } = reason;
      const next = retryAtMs === null ? '' : `; worth another try at ${new Date(retryAtMs).toISOString()}`;
      return `the circuit is ${state}${next}`;
    }
    case 'full':
      return `${reason.running} calls are under way, which is as many as there may be`;
    case 'timedOut':
      return `no answer within ${reason.timeoutMs} ms`;
  }
}
