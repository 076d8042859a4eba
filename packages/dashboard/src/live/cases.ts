// The cases of one run as they come: what is stored, page by page, and what the feed says meanwhile.
// What always holds: no case twice and none left out: each has its place (task, attempt, ordinal). The feed is listened to
// before the first page is asked for; where the store was behind the feed then, its pages are read once more when it is not.
// What is shown changes a few times a second, however many come, and no slice of the work holds the page up.
import type { Client } from '@assay/client';
import type { Case } from '@assay/protocol';
import type { Live } from './live.ts';

export type CaseLine = {
  key: string;
  task: string;
  attempt: number;
  target: string;
  name: string;
  /** For searching, in small letters. */
  text: string;
  status: Case['status'];
  durationMs: number;
  message: string | undefined;
};

export type CaseFilter = { status: string; words: string };

const pageSize = 1_000;
const showEveryMs = 250;
const sliceMs = 8;
const catchUpMs = 500;

export class RunCases {
  readonly #client: Client;
  readonly #run: string;
  readonly #live: Live;
  readonly #lines: CaseLine[] = [];
  readonly #known = new Set<string>();
  readonly #targets = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #shown: readonly CaseLine[] = [];
  #filter: CaseFilter = { status: '', words: '' };
  #checked = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isReading = true;
  #error: unknown = null;
  #version = 0;
  #unsubscribe: () => void;

  constructor(client: Client, live: Live, run: string) {
    this.#client = client;
    this.#run = run;
    this.#live = live;
    this.#unsubscribe = live.onItem((item) => {
      if (item === null) return void this.#read();
      if (item.kind === 'attemptStarted' && item.run === run) this.#targets.set(item.task, item.target);
      if (item.kind !== 'casesRecorded' || item.run !== run) return;
      const target = this.#targets.get(item.task) ?? '';
      item.cases.forEach((one, index) => this.#add(item.task, item.attempt, (item.from ?? 0) + index, target, one));
      this.#later();
    });
    void this.#read();
  }

  /** Those that the filter lets through; the same array until they change. */
  shown(): readonly CaseLine[] {
    return this.#shown;
  }

  state(): { total: number; isReading: boolean; error: unknown; version: number } {
    return { total: this.#lines.length, isReading: this.#isReading, error: this.#error, version: this.#version };
  }

  version(): number {
    return this.#version;
  }

  setFilter(filter: CaseFilter): void {
    if (filter.status === this.#filter.status && filter.words === this.#filter.words) return;
    this.#filter = filter;
    this.#checked = 0;
    this.#shown = [];
    this.#show();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): void {
    this.#stop.abort();
    this.#unsubscribe();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const { resultsSeq, journalSeq } = await this.#client.health();
      const neededSeq = Math.max(journalSeq, this.#live.seq());
      await this.#readPages();
      if (resultsSeq < neededSeq && (await this.#storeReaches(neededSeq))) await this.#readPages();
      this.#error = null;
    } catch (error) {
      this.#error = error;
    }
    this.#isReading = false;
    this.#later();
  }

  async #readPages(): Promise<void> {
    for (let after: string | undefined; !this.#stop.signal.aborted;) {
      const page = await this.#client.listCases(this.#run, {
        limit: pageSize,
        ...(after === undefined ? {} : { after }),
      });
      for (const { task, attempt, ordinal, target, case: one } of page.cases) {
        this.#targets.set(task, target);
        this.#add(task, attempt, ordinal, target, one);
      }
      this.#later();
      if (page.next === null) return;
      after = page.next;
    }
  }

  /** The store follows the journal, usually by about a second: until it is there the list says that it is being read. */
  async #storeReaches(seq: number): Promise<boolean> {
    while (!this.#stop.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, catchUpMs));
      if ((await this.#client.health()).resultsSeq >= seq) return true;
    }
    return false;
  }

  #add(task: string, attempt: number, ordinal: number, target: string, one: Case): void {
    const key = `${task}#${attempt}.${ordinal}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    const name = one.path.join(' › ');
    this.#lines.push({
      key,
      task,
      attempt,
      target,
      name,
      text: `${target} ${name}`.toLowerCase(),
      status: one.status,
      durationMs: one.durationMs,
      message: one.failure?.message.split('\n')[0],
    });
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.#show(), showEveryMs);
  }

  /** Checks lines against the filter for a few milliseconds; the rest in a later slice. */
  #show(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const untilMs = performance.now() + sliceMs;
    const { status, words } = this.#filter;
    const all = words.toLowerCase().split(/\s+/).filter(Boolean);
    const more: CaseLine[] = [];
    while (this.#checked < this.#lines.length) {
      const line = this.#lines[this.#checked] as CaseLine;
      this.#checked += 1;
      if ((status === '' || line.status === status) && all.every((part) => line.text.includes(part))) more.push(line);
      if (this.#checked % 500 === 0 && performance.now() > untilMs) break;
    }
    if (more.length > 0) this.#shown = this.#shown.length === 0 ? more : this.#shown.concat(more);
    this.#version += 1;
    for (const listener of this.#listeners) listener();
    if (this.#checked < this.#lines.length) this.#timer = setTimeout(() => this.#show(), 0);
  }
}
