// Brings the journal into the results store, and keeps trying: the part of the results thread that can be run without one.
// What always holds: entries reach the store in order, each batch again until it was stored; `applied` is said only after the
// store has committed; the store is closed before it ends, however it ends; while the store cannot be opened or written, that is said once, and taken back once it works again.
import { AssayError } from '@assay/protocol';
import type { JournalEntry } from '../ports/journal.ts';
import type { ResultStore } from '../ports/result-store.ts';
import type { JournalFollower } from './journal-follower.ts';

/** As much of a follower as is needed. */
export type EntrySource = Pick<JournalFollower, 'take' | 'behind' | 'rewind'>;
export type ResultsNews =
  | { kind: 'opened'; appliedSeq: number }
  | { kind: 'applied'; seq: number }
  /** `isFinal`: it will not be tried again. */
  | { kind: 'trouble'; code: string; message: string; isFinal: boolean }
  | { kind: 'recovered' };

export type ResultsWorkerOptions = {
  openStore: () => Promise<ResultStore>;
  /** Entries after `appliedSeq`; called once, when the store is open. */
  follow: (appliedSeq: number) => EntrySource;
  say: (news: ResultsNews) => void;
  /** Waits so long, or until `wake` is called. */
  wait: (delayMs: number) => Promise<void>;
  /** Time between two batches, so that small commits are gathered into one. */
  gatherMs: number;
};

const retryFirstMs = 250;
const retryMaxMs = 30_000;

export class ResultsWorker {
  readonly #options: ResultsWorkerOptions;
  #store: ResultStore | null = null;
  #opening = Promise.withResolvers<ResultStore>();
  #isInTrouble = false;
  /** By when, on the process's monotonic clock, what is behind must be applied; Infinity while nobody has asked it to stop. */
  #stopAtMs = Infinity;
  #isStopping = false;
  /** The last batch left entries behind. */
  #isFull = false;
  #retryMs = retryFirstMs;

  constructor(options: ResultsWorkerOptions) {
    this.#options = options;
    // Nobody may be asking.
    this.#opening.promise.catch(() => undefined);
  }

  /** The store, for questions: waits while it is being opened; RESULTS_UNAVAILABLE where that failed and is tried again later. */
  async store(): Promise<ResultStore> {
    if (this.#store === null && this.#isInTrouble)
      throw new AssayError('RESULTS_UNAVAILABLE', 'the results database cannot be opened');
    return this.#store ?? (await this.#opening.promise);
  }

  /**
   * Brings over what is still there for at most `limitMs`, a batch that was begun to its end; asked again, the earlier limit holds.
   * What is left is in the journal, and is followed at the next start.
   */
  stop(limitMs = Infinity): void {
    this.#isStopping = true;
    this.#stopAtMs = Math.min(this.#stopAtMs, performance.now() + limitMs);
  }

  /** Runs until `stop`, then closes the store; so too where it ends with an error: a thread must not end inside the store. */
  async run(): Promise<void> {
    const store = await this.#open();
    if (store === null) return;
    this.#store = store;
    this.#opening.resolve(store);
    try {
      await this.#followInto(store);
    } finally {
      await store.close();
    }
  }

  async #followInto(store: ResultStore): Promise<void> {
    const appliedSeq = await store.appliedSeq();
    const source = this.#options.follow(appliedSeq);
    this.#options.say({ kind: 'opened', appliedSeq });
    while (!(this.#isStopping && (source.behind() === 0 || this.#isInTrouble || performance.now() >= this.#stopAtMs))) {
      if (source.behind() === 0) await this.#options.wait(retryMaxMs);
      else if (await this.#applyNext(store, source))
        // What one batch could not hold is brought over at once: gathering is for the little that trickles in.
        await this.#options.wait(this.#isStopping || this.#isFull ? 0 : this.#options.gatherMs);
    }
  }

  async #open(): Promise<ResultStore | null> {
    while (!this.#isStopping) {
      try {
        const store = await this.#options.openStore();
        this.#worksAgain();
        return store;
      } catch (error) {
        const isFinal = error instanceof AssayError && error.code === 'RESULTS_NEWER';
        await this.#trouble(error, isFinal);
        if (isFinal) return null;
      }
    }
    return null;
  }

  /** True when a batch was stored. */
  async #applyNext(store: ResultStore, source: EntrySource): Promise<boolean> {
    const entries: JournalEntry[] = source.take();
    this.#isFull = source.behind() > 0;
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined)
      throw new Error('the journal has no entry that was said to be durable');
    try {
      await store.apply(entries);
    } catch (error) {
      // A copy that was put back meanwhile wants what comes after it, which was taken long ago.
      source.rewind(await this.#wantedFrom(store, first.seq));
      await this.#trouble(error, false);
      return false;
    }
    this.#worksAgain();
    this.#options.say({ kind: 'applied', seq: last.seq });
    return true;
  }

  async #wantedFrom(store: ResultStore, firstSeq: number): Promise<number> {
    const appliedSeq = await store.appliedSeq().catch(() => firstSeq - 1);
    return appliedSeq === 0 ? firstSeq : Math.min(firstSeq, appliedSeq + 1);
  }

  async #trouble(error: unknown, isFinal: boolean): Promise<void> {
    this.#isInTrouble = true;
    this.#opening.reject(error);
    const code = error instanceof AssayError ? error.code : 'RESULTS_UNAVAILABLE';
    this.#options.say({
      kind: 'trouble',
      code,
      message: error instanceof Error ? error.message : String(error),
      isFinal,
    });
    if (!isFinal && !this.#isStopping) await this.#options.wait(this.#retryMs);
    this.#retryMs = Math.min(retryMaxMs, this.#retryMs * 2);
  }

  #worksAgain(): void {
    this.#retryMs = retryFirstMs;
    if (!this.#isInTrouble) return;
    this.#isInTrouble = false;
    this.#options.say({ kind: 'recovered' });
  }
}
