// Follows an append-only report file while another process writes it, line by line, and to its very end once that
// process is gone: what was written before a SIGKILL counts. A file that shrinks, a line without end or beyond the
// line limit is corruption. It polls: change notification differs between systems, and one stat of one file is cheap.
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

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
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(readBytes);
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isClosed = false;
  #isSkipping = false;

  private constructor(file: FileHandle, listener: TailListener) {
    this.#file = file;
    this.#listener = listener;
  }

  /** Creates the file and starts to follow it. */
  static async follow(path: string, listener: TailListener): Promise<ReportTail> {
    const tail = new ReportTail(await open(path, 'ax+', 0o600), listener);
    tail.#schedule();
    return tail;
  }

  /** Reads what is left and stops. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#reading;
    await this.#drain();
    if (this.#rest.length > 0) this.#listener.corrupt('the report ends in the middle of a line');
    await this.#file.close();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#reading = this.#drain().then(() => this.#schedule());
    }, pollMs);
  }

  async #drain(): Promise<void> {
    try {
      const { size } = await this.#file.stat();
      if (size < this.#offset) {
        this.#listener.corrupt(`the report shrank from ${this.#offset} to ${size} bytes`);
        this.#offset = size;
        this.#rest = Buffer.alloc(0);
      }
      for (;;) {
        const { bytesRead } = await this.#file.read(this.#buffer, 0, readBytes, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        this.#take(Buffer.from(this.#buffer.subarray(0, bytesRead)));
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
