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
  const second = bytes[1] ?? 0;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const header = 2 + extended + (second & 0x80 ? 4 : 0);
  if (bytes.length < header) return null;
  const payload = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  return bytes.length < header + payload ? null : header + payload;
}

/** Text or binary: control frames (ping, pong, close) are left alone. */
export function isDataFrame(frame: Buffer): boolean {
  return ((frame[0] ?? 0) & 0x0f) <= 2;
}

/** The frame with one bit of its content turned, or null where it has none. */
export function damaged(frame: Buffer): Buffer | null {
  const last = frame.length - 1;
  if (last < 8) return null;
  const copy = Buffer.from(frame);
  copy[last] = (copy[last] ?? 0) ^ 0x04;
  return copy;
}

/** The highest sequence that a coordinator's frame acknowledges, or null. Its frames are not masked and not compressed. */
export function acknowledgedIn(frame: Buffer): number | null {
  if (!isDataFrame(frame)) return null;
  const short = (frame[1] ?? 0) & 0x7f;
  const text = frame.toString('utf8', short === 126 ? 4 : short === 127 ? 10 : 2);
  if (!text.includes('"ack"')) return null;
  try {
    const messages = JSON.parse(text) as { kind: string; seq?: number }[];
    const seqs = messages.flatMap(({ kind, seq }) => (kind === 'ack' && seq !== undefined ? [seq] : []));
    return seqs.length === 0 ? null : Math.max(...seqs);
  } catch {
    return null;
  }
}
