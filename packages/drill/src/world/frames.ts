// Splits a stream of WebSocket bytes (RFC 6455, section 5.2) into whole frames, so that a proxy can repeat or damage one and leave
// the stream readable. What a worker sends stays masked as it came; of what a coordinator sends, acknowledgements are read.

export class FrameSplitter {
  #kept: Buffer = Buffer.alloc(0);

  /** The frames that are complete now; the rest waits. */
  push(bytes: Buffer): Buffer[] {
    this.#kept = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    const frames: Buffer[] = [];
    for (let length = frameLength(this.#kept); length !== null; length = frameLength(this.#kept)) {
      frames.push(this.#kept.subarray(0, length));
      this.#kept = this.#kept.subarray(length);
    }
    return frames;
  }
}

/** Bytes of the first frame, or null while it is not all there. */
function frameLength(bytes: Buffer): number | null {
  if (bytes.length < 2) return null;
  const header = headLength(bytes);
  if (bytes.length < header) return null;
  const short = (bytes[1] ?? 0) & 0x7f;
  const payload = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  return bytes.length < header + payload ? null : header + payload;
}

/** Text or binary: control frames (ping, pong, close) are left alone. */
export function isDataFrame(frame: Buffer): boolean {
  return ((frame[0] ?? 0) & 0x0f) <= 2;
}

/** The frame with one bit of its content turned, at a place from 0 up to 1 of it; null where it has no content. */
export function damaged(frame: Buffer, place: number): Buffer | null {
  const bytes = frame.length - headLength(frame);
  if (bytes <= 0) return null;
  const bit = Math.min(bytes * 8 - 1, Math.floor(place * bytes * 8));
  const copy = Buffer.from(frame);
  const at = frame.length - bytes + (bit >> 3);
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Bytes before the content: two, the longer length, the mask. */
function headLength(frame: Buffer): number {
  const second = frame[1] ?? 0;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

/** The highest sequence that a coordinator's frame acknowledges, or null. Its frames are not masked and not compressed. */
export function acknowledgedIn(frame: Buffer): number | null {
  if (!isDataFrame(frame)) return null;
  const text = frame.toString('utf8', headLength(frame));
  if (!text.includes('"ack"')) return null;
  try {
    // The frame's sum stands before its array.
    const messages = JSON.parse(text.slice(text.indexOf('['))) as { kind: string; seq?: number }[];
    const seqs = messages.flatMap(({ kind, seq }) => (kind === 'ack' && seq !== undefined ? [seq] : []));
    return seqs.length === 0 ? null : Math.max(...seqs);
  } catch {
    return null;
  }
}
