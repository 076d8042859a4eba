// Follows an append-only report file while another process writes it, line by line, and to its very end once that
// process is gone: what was written before a SIGKILL counts. A file that shrinks, a line without end or beyond the
// line limit is corruption. It polls, because change notification differs between systems; one fstat of one open local
// file costs microseconds, and reads are bounded, so both are synchronous.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const pollMs = 15;
const lineBytesMax = 4 * 1024 * 1024;
const readBytes = 256 * 1024;

export type TailListener = {
  line(text: string): void;
  corrupt(reason: string): void;
  /** All lines that a read brought have been passed on. */
  caughtUp(): void;
};

export class ReportTail {
  readonly #listener: TailListener;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(readBytes);
  readonly #timer: NodeJS.Timeout;
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;
  #isSkipping = false;

  /** Creates the file and starts to follow it. */
  constructor(path: string, listener: TailListener) {
    this.#listener = listener;
    this.#fd = openSync(path, 'ax+', 0o600);
    this.#timer = setInterval(() => this.#drain(), pollMs);
  }

  /** Reads what is left and stops. */
  close(): void {
    clearInterval(this.#timer);
    this.#drain();
    if (this.#rest.length > 0) this.#listener.corrupt('the report ends in the middle of a line');
    closeSync(this.#fd);
  }

  #drain(): void {
    try {
      const { size } = fstatSync(this.#fd);
      if (size < this.#offset) {
        this.#listener.corrupt(`the report shrank from ${this.#offset} to ${size} bytes`);
        this.#offset = size;
        this.#rest = Buffer.alloc(0);
      }
      while (this.#offset < size) {
        const bytes = readSync(this.#fd, this.#buffer, 0, readBytes, this.#offset);
        if (bytes === 0) return;
        this.#offset += bytes;
        this.#take(Buffer.from(this.#buffer.subarray(0, bytes)));
      }
    } catch (error) {
      this.#listener.corrupt(`the report cannot be read: ${String(error)}`);
    }
  }

  #take(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      if (this.#isSkipping) this.#isSkipping = false;
      else if (end > 0) this.#listener.line(data.toString('utf8', 0, end));
      data = data.subarray(end + 1);
    }
    if (data.length > lineBytesMax) {
      if (!this.#isSkipping) this.#listener.corrupt(`a line of the report is longer than ${lineBytesMax} bytes`);
      this.#isSkipping = true;
      data = Buffer.alloc(0);
    }
    this.#rest = data;
    this.#listener.caughtUp();
  }
}
