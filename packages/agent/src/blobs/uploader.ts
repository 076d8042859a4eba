// Sends the outbox's files, one report after another, while there is a link; says when a report's files are all there, so
// that the report may follow. A file that the coordinator refuses for good, or fails to take time and again although it is
// there, is taken out of its report: a result must not wait for ever for its log.
import type { BlobRef, Report } from '@assay/protocol';
import { putBlob } from './http.ts';
import type { BlobAccess } from './http.ts';
import type { Outbox } from './outbox.ts';

type Finished = Report & { kind: 'finished' };

export type UploaderOptions = {
  access: BlobAccess;
  outbox: Outbox;
  /** The report with the blobs that the coordinator has. */
  ready: (report: Report) => void;
  say: (level: 'info' | 'warning', text: string) => void;
  retryMs?: number;
  /** Tries of one report's files on one connection; then they are left out. */
  triesMax?: number;
};

export class Uploader {
  readonly #options: UploaderOptions;
  #queue: Finished[] = [];
  #isConnected = false;
  #isBusy = false;
  #tries = 0;
  #retry: NodeJS.Timeout | null = null;
  readonly #abort = new AbortController();

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  /** Whether the report waits for files; if so it is queued. */
  needs(report: Report): boolean {
    if (report.kind !== 'finished') return false;
    return (report.outcome.blobs ?? []).some((blob) => this.#options.outbox.has(blob.digest));
  }

  add(report: Report): void {
    if (report.kind !== 'finished') return;
    this.#queue.push(report);
    void this.#work();
  }

  setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#tries = 0;
    if (isConnected) void this.#work();
  }

  close(): void {
    this.#abort.abort();
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#queue = [];
  }

  async #work(): Promise<void> {
    if (this.#isBusy || !this.#isConnected || this.#retry !== null) return;
    this.#isBusy = true;
    while (this.#isConnected && this.#queue.length > 0) {
      const report = this.#queue[0]!;
      const blobs = await this.#send(report);
      if (this.#abort.signal.aborted) return;
      if (blobs === null) {
        this.#retry = setTimeout(() => {
          this.#retry = null;
          void this.#work();
        }, this.#options.retryMs ?? 1_000);
        break;
      }
      this.#tries = 0;
      this.#queue.shift();
      this.#options.ready({ ...report, outcome: { ...report.outcome, blobs } });
    }
    this.#isBusy = false;
  }

  /** The blobs that are there now; null when the coordinator could not be reached. */
  async #send(report: Finished): Promise<BlobRef[] | null> {
    const { access, outbox, say } = this.#options;
    const stored: BlobRef[] = [];
    for (const blob of report.outcome.blobs ?? []) {
      if (outbox.has(blob.digest)) {
        const result = await putBlob(access, blob.digest, outbox.pathOf(blob.digest), blob.bytes, this.#abort.signal);
        if (this.#abort.signal.aborted) return null;
        const isLastTry = this.#isConnected && this.#tries + 1 >= (this.#options.triesMax ?? 30);
        if (result.kind === 'unreachable' && !isLastTry) {
          this.#tries += 1;
          say('warning', `${blob.name} of ${report.task} could not be sent yet: ${result.message}`);
          return null;
        }
        const isLeftOut = result.kind !== 'stored';
        if (isLeftOut) say('warning', `${blob.name} of ${report.task} is left out: ${result.message}`);
        outbox.remove(blob.digest, blob.bytes);
        if (isLeftOut) continue;
      }
      stored.push(blob);
    }
    return stored;
  }
}
