// What the kernel wrote while an attempt ran: device resets, Xid lines, processes killed for memory. Read from /dev/kmsg,
// where this process may; in most containers it may not, and then nothing is said.
//
// One handle for the process, never waited for. `mark` reads what is new and says how far that is; `since` gives the lines
// after a mark. Marks and not times: the kernel's clock and ours drift apart. A record continues over several lines only in
// its dictionary, which is left out.
import { closeSync, constants, openSync, readSync } from 'node:fs';

/** Lines kept for those who ask later; a flood pushes the oldest out. */
const linesMax = 2_000;
const recordBytes = 8_192;
/** Reads in one look: a kernel that writes faster than we read is not chased. */
const readsMax = 20_000;

export class KernelLog {
  readonly #file: string;
  readonly #lines: { readonly at: number; readonly text: string }[] = [];
  readonly #buffer = Buffer.alloc(recordBytes);
  #handle: number | null | undefined;
  #count = 0;

  constructor(file = '/dev/kmsg') {
    this.#file = file;
  }

  /** How far the log is now; null where it cannot be read. */
  mark(): number | null {
    this.#read();
    return this.#handle === null ? null : this.#count;
  }

  /** Lines written after a mark, oldest first. */
  since(mark: number | null): string {
    if (mark === null) return '';
    this.#read();
    return this.#lines
      .filter(({ at }) => at > mark)
      .map(({ text }) => text)
      .join('\n');
  }

  close(): void {
    if (typeof this.#handle === 'number') closeSync(this.#handle);
    this.#handle = null;
  }

  #read(): void {
    if (this.#handle === undefined) this.#handle = open(this.#file);
    if (this.#handle === null) return;
    for (let reads = 0; reads < readsMax; reads += 1) {
      let length: number;
      try {
        length = readSync(this.#handle, this.#buffer, 0, recordBytes, null);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Overwritten before it was read: the next read goes on with what is left.
        if (code === 'EPIPE') continue;
        if (code !== 'EAGAIN') this.close();
        return;
      }
      if (length === 0) return;
      this.#count += 1;
      // "priority,sequence,microseconds,flags;text": https://docs.kernel.org/admin-guide/abi-testing.html, dev-kmsg
      const record = this.#buffer.toString('utf8', 0, length);
      const text = record.slice(record.indexOf(';') + 1).split('\n', 1)[0] ?? '';
      this.#lines.push({ at: this.#count, text });
      if (this.#lines.length > linesMax) this.#lines.shift();
    }
  }
}

function open(file: string): number | null {
  try {
    return openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    return null;
  }
}

/** The log of this machine. */
export const hostKernelLog = new KernelLog();
