// The link between one worker and the coordinator, as a TCP proxy that can be made to fail in the ways links do. It counts what it
// did to the bytes: that count is the proof of a link fault.
// What always holds: bytes are never reordered; while nothing is wrong they pass unchanged; after `mend` new bytes pass at once.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { acknowledgedIn, damaged, FrameSplitter, isDataFrame } from './frames.ts';

export type LinkTrouble =
  /** Open connections are reset, new ones refused. */
  | { readonly kind: 'cut' }
  /** Nothing passes and nobody is told; what was sent meanwhile arrives after the mending, as TCP would repeat it. */
  | { readonly kind: 'blackHole' }
  /** Every piece is late by this much, and by up to `jitterMs` more. */
  | { readonly kind: 'delay'; readonly delayMs: number; readonly jitterMs: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** The worker's end is gone and the coordinator is not told. */
  | { readonly kind: 'halfOpen' }
  /** Every frame from the worker arrives twice. */
  | { readonly kind: 'duplicate' }
  /** In one frame of three from the worker, anywhere in it, a bit is turned. */
  | { readonly kind: 'corrupt' };

export type LinkCounts = {
  bytes: number;
  resets: number;
  refused: number;
  heldBytes: number;
  delayedBytes: number;
  delayedMs: number;
  orphaned: number;
  duplicated: number;
  damaged: number;
};

type Direction = 'up' | 'down';
type Pair = { near: Socket; far: Socket; isOrphan: boolean };

export class FaultyLink {
  readonly #target: () => number;
  readonly #random: () => number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #trouble: LinkTrouble | null = null;
  #mended: (() => void)[] = [];
  /** Acknowledgements that the coordinator sent on this link: reports up to `seq` are durable, it says. */
  readonly acks: { readonly seq: number; readonly atMs: number }[] = [];
  readonly counts: LinkCounts = {
    bytes: 0,
    resets: 0,
    refused: 0,
    heldBytes: 0,
    delayedBytes: 0,
    delayedMs: 0,
    orphaned: 0,
    duplicated: 0,
    damaged: 0,
  };

  /** `target` is asked for the coordinator's port with each connection: it may have been started again elsewhere. */
  constructor(target: () => number, random: () => number) {
    this.#target = target;
    this.#random = random;
    this.#server = createServer((near) => this.#accept(near));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', () => resolve()));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link does not listen');
    return address.port;
  }

  get openConnections(): number {
    return this.#pairs.size;
  }

  trouble(trouble: LinkTrouble): void {
    this.#trouble = trouble;
    if (trouble.kind === 'cut') {
      for (const { near, far } of this.#pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
        this.counts.resets += 1;
      }
    }
    if (trouble.kind !== 'halfOpen') return;
    for (const pair of this.#pairs) {
      pair.isOrphan = true;
      pair.near.resetAndDestroy();
      this.counts.orphaned += 1;
    }
    // The connections that come next are whole.
    this.#trouble = null;
  }

  mend(): void {
    this.#trouble = null;
    for (const pair of this.#pairs) if (pair.isOrphan) pair.far.destroy();
    for (const resume of this.#mended.splice(0)) resume();
  }

  async close(): Promise<void> {
    this.mend();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #accept(near: Socket): void {
    near.on('error', () => undefined);
    if (this.#trouble?.kind === 'cut') {
      this.counts.refused += 1;
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#target(), '127.0.0.1');
    const pair: Pair = { near, far, isOrphan: false };
    this.#pairs.add(pair);
    far.on('error', () => undefined);
    near.on('close', () => {
      if (!pair.isOrphan) far.destroy();
      if (far.destroyed) this.#pairs.delete(pair);
    });
    far.on('close', () => {
      near.destroy();
      this.#pairs.delete(pair);
    });
    this.#carry(near, far, 'up');
    this.#carry(far, near, 'down');
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    const frames = new FrameSplitter();
    // The handshake is HTTP: frames follow its empty line. A connection that only carries HTTP never gets there.
    let isUpgrade: boolean | null = null;
    let waiting: Promise<void> = Promise.resolve();
    let head = '';
    const split = (bytes: Buffer): Buffer[] => {
      if (isUpgrade === true) return frames.push(bytes);
      head += bytes.toString('latin1');
      if (head.includes('\r\n\r\n')) {
        isUpgrade = /upgrade: websocket/i.test(head);
        head = '';
      }
      return [bytes];
    };
    from.on('data', (bytes: Buffer) => {
      this.counts.bytes += bytes.length;
      for (const piece of split(bytes)) {
        const wasFrame = isUpgrade === true;
        if (direction === 'down' && wasFrame) this.#note(piece);
        waiting = waiting.then(() => this.#pass(piece, to, direction, wasFrame));
      }
      // Pressure is handed on: a stopped receiver must not fill our memory.
      if (to.writableLength > 4 * 1024 * 1024) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => void waiting.then(() => to.end()));
  }

  #note(frame: Buffer): void {
    const seq = acknowledgedIn(frame);
    if (seq !== null && seq > (this.acks.at(-1)?.seq ?? -1)) this.acks.push({ seq, atMs: Date.now() });
  }

  async #pass(piece: Buffer, to: Socket, direction: Direction, isFrame: boolean): Promise<void> {
    if (this.#trouble?.kind === 'blackHole') {
      this.counts.heldBytes += piece.length;
      await new Promise<void>((resume) => this.#mended.push(resume));
    }
    const trouble = this.#trouble;
    if (trouble?.kind === 'delay') {
      const lateMs = trouble.delayMs + this.#random() * trouble.jitterMs;
      this.counts.delayedBytes += piece.length;
      this.counts.delayedMs += lateMs;
      await new Promise((resolve) => setTimeout(resolve, lateMs));
    }
    if (trouble?.kind === 'throttle') {
      const lateMs = (piece.length / trouble.bytesPerSecond) * 1_000;
      this.counts.delayedBytes += piece.length;
      this.counts.delayedMs += lateMs;
      await new Promise((resolve) => setTimeout(resolve, lateMs));
    }
    if (to.destroyed) return;
    to.write(this.#altered(piece, direction, isFrame));
  }

  #altered(piece: Buffer, direction: Direction, isFrame: boolean): Buffer {
    const trouble = this.#trouble;
    if (direction !== 'up' || !isFrame || !isDataFrame(piece)) return piece;
    if (trouble?.kind === 'duplicate') {
      this.counts.duplicated += 1;
      return Buffer.concat([piece, piece]);
    }
    if (trouble?.kind !== 'corrupt' || this.#random() > 1 / 3) return piece;
    const bad = damaged(piece, this.#random());
    if (bad === null) return piece;
    this.counts.damaged += 1;
    return bad;
  }
}
