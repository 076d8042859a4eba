// The loop's end of the results thread: a ResultStore to ask, and what is known of how far it got.
// What always holds: `acknowledged` is called in order, only for what the store has committed; when the thread dies, what was
// asked is answered with RESULTS_UNAVAILABLE, runs go on, and after a pause another thread goes on where the store is.
import type { Worker } from 'node:worker_threads';
import { AssayError, type ErrorCode } from '@assay/protocol';
import type { Analysis } from '../ports/analysis.ts';
import type { ResultQuestions } from '../ports/result-store.ts';
import type { AnalysisQuestion, FromResults, ResultsQuestion, ResultsSettings, ToResults } from './results-messages.ts';
import { startThread } from '../start-thread.ts';

export type ResultsLinkOptions = Omit<ResultsSettings, 'firstSeq'> & {
  /** First entry that the journal has, now. */
  firstSeq: () => number;
  acknowledged: (seq: number) => void;
  /** The store is in trouble (a message), or well again (null). */
  onTrouble: (error: AssayError | null) => void;
};

export interface ResultsLink {
  readonly store: ResultQuestions;
  readonly analysis: Analysis;
  /** Last entry that is in the store; 0 until it was opened. */
  appliedSeq(): number;
  /** Why results are not written now, or null. */
  error(): string | null;
  /** Resolves when the store is open (its last sequence) or could not be opened at first (null). Rejects where trying again is no use. */
  opened(): Promise<number | null>;
  /** Entries up to `seq` are in the journal. They are gathered for a while before they are stored, unless that `isUrgent`. */
  durable(seq: number, isUrgent?: boolean): void;
  /**
   * Has the thread bring over what is durable for at most `limitMs`, close the store and end, and waits for that; called again, the
   * earlier limit holds. The thread is never terminated: that would abort the process while the database's own code runs. False when it did
   * not end long after its limit (a disk that hangs): whoever exits then, exits roughly.
   */
  close(limitMs: number): Promise<boolean>;
}

type Open = { resolve: (value: never) => void; reject: (error: AssayError) => void };

export function openResults(options: ResultsLinkOptions): ResultsLink {
  return new ThreadedResults(options);
}

/** A thread that died is started again after this, then after twice as long, and so on up to the longest. */
const restartFirstMs = 1_000;
const restartMaxMs = 60_000;
/** How long a thread that was asked to end may take beyond its limit: for the batch that it is at, under load, and the store's last checkpoint. */
const endingMs = 30_000;

class ThreadedResults implements ResultsLink {
  readonly store: ResultQuestions;
  readonly analysis: Analysis;
  readonly #options: ResultsLinkOptions;
  readonly #questions = new Map<number, Open>();
  readonly #opened = Promise.withResolvers<number | null>();
  /** Null while none runs: it died and waits to be started again, or it is over. */
  #worker: Worker | null;
  #ended: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | null = null;
  #restartMs = restartFirstMs;
  #isOver = false;
  #nextId = 1;
  #durableSeq = 0;
  #appliedSeq = 0;
  #error: AssayError | null = null;

  constructor(options: ResultsLinkOptions) {
    this.#options = options;
    this.#worker = this.#start();
    this.store = {
      appliedSeq: async () => this.#appliedSeq,
      listRuns: (query) => this.#ask('listRuns', query),
      readRun: (run) => this.#ask('readRun', run),
      listTasks: (query) => this.#ask('listTasks', query),
      readTask: (task) => this.#ask('readTask', task),
      backup: (request) => this.#ask('backup', request),
      restore: (request) => this.#ask('restore', { ...request, firstSeq: this.#options.firstSeq() }),
      listCases: (query) => this.#ask('listCases', query),
      query: (request) => this.#ask('query', request),
    };
    this.analysis = {
      flakes: (scope) => this.#analyse('flakes', scope),
      failures: (scope) => this.#analyse('failures', scope),
      changes: (scope) => this.#analyse('changes', scope),
      culprit: (request) => this.#analyse('culprit', request),
    };
    // Nobody may wait for it: a rejection is then no accident.
    this.#opened.promise.catch(() => undefined);
  }

  appliedSeq(): number {
    return this.#appliedSeq;
  }

  error(): string | null {
    return this.#error === null ? null : `${this.#error.code}: ${this.#error.message}`;
  }

  opened(): Promise<number | null> {
    return this.#opened.promise;
  }

  durable(seq: number, isUrgent = false): void {
    this.#durableSeq = seq;
    this.#post({ kind: 'durable', seq, isUrgent });
  }

  async close(limitMs: number): Promise<boolean> {
    this.#isOver = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#post({ kind: 'close', limitMs });
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, limitMs + endingMs, false);
    const hasEnded = await Promise.race([this.#ended.then(() => true), late]);
    clearTimeout(timer);
    return hasEnded;
  }

  #start(): Worker {
    const { journalDirectory, resultsFile, firstSeq, gatherMs } = this.#options;
    const settings: ResultsSettings = { journalDirectory, resultsFile, firstSeq: firstSeq(), gatherMs };
    const worker = startThread(new URL('results-thread.ts', import.meta.url), {
      workerData: settings,
      name: 'results',
    });
    worker.on('message', (message: FromResults) => this.#receive(message));
    worker.on('error', (error) =>
      this.#trouble(
        new AssayError('RESULTS_UNAVAILABLE', `the results thread died: ${String(error)}`, undefined, error),
      ),
    );
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#worker = null;
        this.#afterExit();
        resolve();
      });
    });
    worker.postMessage({ kind: 'durable', seq: this.#durableSeq, isUrgent: false } satisfies ToResults);
    return worker;
  }

  #afterExit(): void {
    const error = this.#error ?? new AssayError('RESULTS_UNAVAILABLE', 'the results thread has ended');
    this.#opened.resolve(null);
    for (const open of this.#questions.values()) open.reject(error);
    this.#questions.clear();
    if (this.#isOver) return;
    this.#restart = setTimeout(() => {
      this.#worker = this.#start();
    }, this.#restartMs);
    this.#restart.unref();
    this.#restartMs = Math.min(restartMaxMs, this.#restartMs * 2);
  }

  #post(message: ToResults): void {
    this.#worker?.postMessage(message);
  }

  #ask<Value>(question: ResultsQuestion, argument: unknown): Promise<Value> {
    return this.#send((id) => ({ kind: 'ask', id, question, argument }));
  }

  #analyse<Value>(question: AnalysisQuestion, argument: unknown): Promise<Value> {
    return this.#send((id) => ({ kind: 'analyse', id, question, argument }));
  }

  #send<Value>(messageOf: (id: number) => ToResults): Promise<Value> {
    if (this.#worker === null)
      return Promise.reject(this.#error ?? new AssayError('RESULTS_UNAVAILABLE', 'the results thread has ended'));
    const id = this.#nextId++;
    return new Promise<Value>((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
      this.#post(messageOf(id));
    });
  }

  #receive(message: FromResults): void {
    switch (message.kind) {
      case 'opened':
        this.#appliedSeq = message.appliedSeq;
        this.#well();
        return this.#opened.resolve(message.appliedSeq);
      case 'applied':
        this.#appliedSeq = message.seq;
        this.#restartMs = restartFirstMs;
        return this.#options.acknowledged(message.seq);
      case 'trouble':
        return this.#trouble(new AssayError(message.code as ErrorCode, message.message), message.isFinal);
      case 'recovered':
        return this.#well();
      case 'answer':
        return this.#taken(message.id)?.resolve(message.value as never);
      case 'fault':
        return this.#taken(message.id)?.reject(
          new AssayError(message.body.code as ErrorCode, message.body.message, message.body.details),
        );
      case 'closed':
        return;
    }
  }

  #taken(id: number): Open | undefined {
    const open = this.#questions.get(id);
    this.#questions.delete(id);
    return open;
  }

  #well(): void {
    if (this.#error === null) return;
    this.#error = null;
    this.#options.onTrouble(null);
  }

  #trouble(error: AssayError, isFinal = false): void {
    this.#error = error;
    // Another try would end the same way: a newer version's file stays untouched.
    if (isFinal) {
      this.#isOver = true;
      this.#opened.reject(error);
    } else this.#opened.resolve(null);
    this.#options.onTrouble(error);
  }
}
