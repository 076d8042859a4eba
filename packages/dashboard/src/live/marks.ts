// Which readings an item of the feed made old, and when they are read again: what a page shows, once a beat, and never while
// the reading before is still on its way.
// Runs and workers of a large fleet are read one by one where few changed, and as a list where many did.
import type { Client } from '@assay/client';
import type { FeedItem, RunView, WorkerView } from '@assay/protocol';
import type { QueryClient } from '@tanstack/react-query';
import { keys } from './keys.ts';

const beatMs = 300;
/** Lists are long where fleets are: they are read less often. */
const listBeats = 6;
const oneByOneMax = 12;

export class Marks {
  readonly #client: Client;
  readonly #queries: QueryClient;
  readonly #runs = new Set<string>();
  readonly #workers = new Set<string>();
  readonly #tasks = new Set<string>();
  #circuits = false;
  #recovery = false;
  #beat = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isBusy = false;

  constructor(client: Client, queries: QueryClient) {
    this.#client = client;
    this.#queries = queries;
  }

  item(item: FeedItem): void {
    if (item.kind === 'output') return;
    if ('run' in item) this.#runs.add(item.run);
    if ('worker' in item && item.worker !== null && item.kind !== 'casesRecorded') this.#workers.add(item.worker);
    if ('task' in item) this.#tasks.add(item.task);
    if (item.kind === 'tasksAssigned') for (const task of item.tasks) this.#tasks.add(task);
    // Every result is counted by circuits, whether or not it moves one.
    if (item.kind === 'circuitMoved' || item.kind === 'attemptSettled') this.#circuits = true;
    if (item.kind === 'recoveryReported' || item.kind === 'workerCertified') this.#recovery = true;
    this.#timer ??= setTimeout(() => this.#flush(), beatMs);
  }

  everything(): void {
    void this.#queries.invalidateQueries();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = null;
    if (this.#isBusy) {
      this.#timer = setTimeout(() => this.#flush(), beatMs);
      return;
    }
    this.#isBusy = true;
    this.#beat += 1;
    void this.#readAgain().finally(() => {
      this.#isBusy = false;
      if (this.#isMarked()) this.#timer ??= setTimeout(() => this.#flush(), beatMs);
    });
  }

  #isMarked(): boolean {
    return this.#runs.size + this.#workers.size + this.#tasks.size > 0 || this.#circuits || this.#recovery;
  }

  async #readAgain(): Promise<void> {
    const isListBeat = this.#beat % listBeats === 0;
    const reading: Promise<unknown>[] = [];
    const invalid = (queryKey: readonly string[]): void =>
      void reading.push(this.#queries.invalidateQueries({ queryKey }, { cancelRefetch: false }));
    for (const task of this.#tasks) {
      invalid(keys.task(task));
      invalid(keys.explain(task));
    }
    this.#tasks.clear();
    if (this.#runs.size <= oneByOneMax || isListBeat) this.#readRuns(reading, invalid);
    if (this.#workers.size <= oneByOneMax || isListBeat) this.#readWorkers(reading, invalid);
    if (isListBeat && this.#circuits) {
      this.#circuits = false;
      invalid(keys.circuits);
      invalid(['circuit']);
    }
    if (isListBeat && this.#recovery) {
      this.#recovery = false;
      invalid(keys.recovery);
    }
    await Promise.allSettled(reading);
  }

  #readRuns(reading: Promise<unknown>[], invalid: (key: readonly string[]) => void): void {
    const runs = [...this.#runs];
    this.#runs.clear();
    for (const run of runs) invalid(keys.tasks(run));
    if (runs.length > oneByOneMax) return invalid(keys.runs);
    for (const id of runs)
      reading.push(
        this.#client.readRun(id).then((run) => {
          this.#queries.setQueryData(keys.run(id), run);
          this.#queries.setQueryData<RunView[]>(keys.runs, (old) =>
            replaced(old, run, (one) => one.run === id, 'first'),
          );
        }),
      );
  }

  #readWorkers(reading: Promise<unknown>[], invalid: (key: readonly string[]) => void): void {
    const workers = [...this.#workers];
    this.#workers.clear();
    if (workers.length > oneByOneMax) {
      invalid(keys.workers);
      for (const worker of workers) invalid(keys.worker(worker));
      return;
    }
    for (const id of workers)
      reading.push(
        this.#client.readWorker(id).then((worker) => {
          this.#queries.setQueryData(keys.worker(id), worker);
          const { profile: _, ...listed } = worker;
          this.#queries.setQueryData<WorkerView[]>(keys.workers, (old) =>
            replaced(old, listed, (one) => one.worker === id, 'last'),
          );
        }),
      );
  }
}

/** The list with one of it replaced, or with it added where it is new; nothing where no list was read yet. */
function replaced<One>(
  list: One[] | undefined,
  one: One,
  isIt: (one: One) => boolean,
  place: 'first' | 'last',
): One[] | undefined {
  if (list === undefined) return undefined;
  const at = list.findIndex(isIt);
  if (at >= 0) return list.with(at, one);
  return place === 'first' ? [one, ...list] : [...list, one];
}
