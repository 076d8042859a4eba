// Decides when a snapshot is due, has it written by a thread, and says how much of the journal may be dropped for it.
// What always holds: one at a time; a failed one is said and tried again later, and nothing depends on it but the time that the
// next start takes and the journal's size.
import type { Clock } from '../ports/clock.ts';
import type { SnapshotDone, SnapshotTask } from './snapshot-thread.ts';
import { startThread } from '../start-thread.ts';

export type SnapshotPolicy = {
  /** Journalled text since the last snapshot: what a start would have to fold. */
  everyBytes: number;
  /** Age of the oldest entry that is in no snapshot. */
  everyMs: number;
  /** Below this a snapshot at stop costs more than the fold it saves. */
  stopBytes: number;
};
export const snapshotDefaults: SnapshotPolicy = {
  everyBytes: 48 * 1024 * 1024,
  everyMs: 600_000,
  stopBytes: 256 * 1024,
};

export type SnapshotsOptions = {
  journalDirectory: string;
  snapshotDirectory: string;
  clock: Clock;
  policy: SnapshotPolicy;
  /** Sequence of the snapshot that recovery used, null when none. */
  latestSeq: number | null;
  /** Text of events that were folded at the start or journalled since: by it the cost of the next start is measured. */
  eventBytes: () => number;
  onDone: (done: SnapshotDone) => void;
  onFailed: (error: unknown) => void;
};

export class Snapshots {
  readonly #options: SnapshotsOptions;
  #latestSeq: number | null;
  #bytesAtLast = 0;
  /** When the oldest entry that no snapshot holds was committed. */
  #dirtySinceMs: number | null = null;
  #durableSeq = 0;
  #underWay: Promise<void> | null = null;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#latestSeq = options.latestSeq;
  }

  latestSeq(): number | null {
    return this.#latestSeq;
  }

  /** Everything up to `seq` is durable. */
  durable(seq: number): void {
    this.#durableSeq = seq;
    const nowMs = this.#options.clock.nowMs();
    this.#dirtySinceMs ??= nowMs;
    const { everyBytes, everyMs } = this.#options.policy;
    const isDue = this.#bytesSince() >= everyBytes || nowMs - this.#dirtySinceMs >= everyMs;
    if (isDue && this.#underWay === null) this.#start();
  }

  /** Waits for one under way, and writes a last one where that is worth it. */
  async stop(): Promise<void> {
    await this.#underWay;
    if (this.#bytesSince() < this.#options.policy.stopBytes || this.#dirtySinceMs === null) return;
    this.#start();
    await this.#underWay;
  }

  #bytesSince(): number {
    return this.#options.eventBytes() - this.#bytesAtLast;
  }

  #start(): void {
    const { journalDirectory, snapshotDirectory } = this.#options;
    this.#bytesAtLast = this.#options.eventBytes();
    this.#dirtySinceMs = null;
    this.#underWay = runThread({ journalDirectory, snapshotDirectory, throughSeq: this.#durableSeq })
      .then((done) => {
        this.#latestSeq = done.seq;
        this.#options.onDone(done);
      })
      .catch((error: unknown) => this.#options.onFailed(error))
      .finally(() => {
        this.#underWay = null;
      });
  }
}

function runThread(task: SnapshotTask): Promise<SnapshotDone> {
  return new Promise((resolve, reject) => {
    const worker = startThread(new URL('snapshot-thread.ts', import.meta.url), { workerData: task, name: 'snapshot' });
    let done: SnapshotDone | null = null;
    worker.on('message', (message: SnapshotDone) => {
      done = message;
    });
    worker.on('error', reject);
    worker.on('exit', () =>
      done === null ? reject(new Error('the snapshot thread ended without a word')) : resolve(done),
    );
  });
}
