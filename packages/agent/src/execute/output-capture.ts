// What is kept of one stream of an attempt: its head and its tail, bounded, with a marker that says how many bytes are
// left out between them. A test that prints 100 MB costs this much memory and no more, and is never made to wait.

export class OutputCapture {
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #totalBytes = 0;

  constructor(bytesMax: number) {
    this.#headMax = Math.floor(bytesMax / 2);
    this.#tailMax = bytesMax - this.#headMax;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Bytes that were printed and are not kept. */
  get leftOutBytes(): number {
    return this.#totalBytes - this.#headBytes - Math.min(this.#tailBytes, this.#tailMax);
  }

  /** Whether the head still takes text: the live view shows the head only. */
  get isHeadOpen(): boolean {
    return this.#headBytes < this.#headMax;
  }

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const room = this.#headMax - this.#headBytes;
    const head = chunk.subarray(0, Math.max(0, room));
    if (head.length > 0) {
      this.#head.push(head);
      this.#headBytes += head.length;
    }
    const rest = chunk.subarray(head.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    while (this.#tail.length > 1 && this.#tailBytes - (this.#tail[0]?.length ?? 0) >= this.#tailMax) {
      this.#tailBytes -= this.#tail.shift()?.length ?? 0;
    }
  }

  /** Head, marker if anything is missing, tail. */
  content(): Buffer {
    const tail = Buffer.concat(this.#tail).subarray(-this.#tailMax);
    const kept = this.#tailBytes === 0 ? [] : [tail];
    const leftOut = this.#totalBytes - this.#headBytes - (this.#tailBytes === 0 ? 0 : tail.length);
    const marker = leftOut > 0 ? [Buffer.from(`\n[assay: ${leftOut} bytes left out]\n`)] : [];
    return Buffer.concat([...this.#head, ...marker, ...kept]);
  }

  /** The last `characters` of what was printed. */
  end(characters: number): string {
    return Buffer.concat([...this.#head, ...this.#tail])
      .toString('utf8')
      .slice(-characters);
  }
}
