// Splits a host's stdout or stderr by file. Before and after each file the host writes a marker line that carries the
// nonce (`RS nonce item start|end LF`); what lies between belongs to that file, all else to the host itself. A marker
// may be cut by chunks, so an end of a chunk that could still become one is held back.

export type StreamListener = {
  /** `item` is null for the host's own output. */
  output(item: number | null, chunk: Buffer): void;
  ended(item: number): void;
};

export class MarkedStream {
  readonly #prefix: Buffer;
  readonly #listener: StreamListener;
  #held: Buffer = Buffer.alloc(0);
  #item: number | null = null;

  constructor(nonce: string, listener: StreamListener) {
    this.#prefix = Buffer.from(`\u001e${nonce} `);
    this.#listener = listener;
  }

  add(chunk: Buffer): void {
    let data = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    for (;;) {
      const at = data.indexOf(this.#prefix);
      const end = at < 0 ? -1 : data.indexOf(10, at);
      if (at < 0 || end < 0) break;
      this.#pass(data.subarray(0, at));
      this.#mark(data.toString('utf8', at + this.#prefix.length, end));
      data = data.subarray(end + 1);
    }
    const keepFrom = this.#possibleMarker(data);
    this.#held = Buffer.from(data.subarray(keepFrom));
    this.#pass(data.subarray(0, keepFrom));
  }

  /** No more will come. */
  end(): void {
    this.#pass(this.#held);
    this.#held = Buffer.alloc(0);
  }

  #pass(chunk: Buffer): void {
    if (chunk.length > 0) this.#listener.output(this.#item, chunk);
  }

  #mark(text: string): void {
    const [id, what] = text.split(' ');
    const item = Number(id);
    this.#item = what === 'start' ? item : null;
    if (what === 'end') this.#listener.ended(item);
  }

  /** Where an unfinished marker may begin; the length of the data when none can. */
  #possibleMarker(data: Buffer): number {
    const full = data.indexOf(this.#prefix);
    if (full >= 0 && data.length - full < this.#prefix.length + 64) return full;
    for (let at = Math.max(0, data.length - this.#prefix.length); at < data.length; at += 1) {
      if (data[at] === 0x1e && this.#prefix.subarray(0, data.length - at).equals(data.subarray(at))) return at;
    }
    return data.length;
  }
}
