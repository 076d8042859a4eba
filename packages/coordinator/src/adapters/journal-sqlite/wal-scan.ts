// Reads a segment's write-ahead log before SQLite does, to tell a torn tail from damage.
// Why: at open SQLite silently drops everything from the first bad frame on. After a power cut that is right for the last
// transaction, which was never acknowledged, and wrong for a bad frame in the middle, behind which acknowledged entries stand.
// What always holds: a frame's checksum continues the one stored in the frame before it, so frames behind a damaged one can
// still be recognised; a transaction is synchronised before the next one is written, so valid frames behind the end of
// the damaged transaction prove that it had been acknowledged.
// Format: SQLite's "Write-Ahead Log Format" (fileformat2.html, section 4).
import { existsSync, readFileSync } from 'node:fs';

export type WalState =
  /** Nothing behind the last commit. */
  | { kind: 'clean' }
  /** `frames` at the end belong to one transaction that was never acknowledged. */
  | { kind: 'torn'; frames: number }
  /** Acknowledged transactions stand behind the damaged frame. */
  | { kind: 'damaged'; frame: number };

const headerBytes = 32;
const frameHeaderBytes = 24;

type Checksum = { a: number; b: number };

function checksum(bytes: Buffer, from: number, to: number, isBigEndian: boolean, start: Checksum): Checksum {
  let { a, b } = start;
  for (let at = from; at < to; at += 8) {
    const first = isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    const second = isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4);
    a = (a + first + b) >>> 0;
    b = (b + second + a) >>> 0;
  }
  return { a, b };
}

/** What the log of the database at `path` holds; a missing or empty log is clean. */
export function scanWal(path: string): WalState {
  if (!existsSync(`${path}-wal`)) return { kind: 'clean' };
  const wal = readFileSync(`${path}-wal`);
  if (wal.length < headerBytes + frameHeaderBytes) return { kind: 'clean' };
  const isBigEndian = wal.readUInt32BE(0) === 0x377f0683;
  const pageBytes = wal.readUInt32BE(8) === 1 ? 65_536 : wal.readUInt32BE(8);
  const ofHeader = checksum(wal, 0, 24, isBigEndian, { a: 0, b: 0 });
  const isHeaderGood = ofHeader.a === wal.readUInt32BE(24) && ofHeader.b === wal.readUInt32BE(28);
  // A log is restarted by rewriting its header first: a bad header means that no frame of the new round was synchronised.
  if (!isHeaderGood || pageBytes < 512) return { kind: 'clean' };
  return judge(framesOf(wal, pageBytes, isBigEndian, ofHeader));
}

/** `isThisRound`: it carries the salts of the log's header; others are left from before the log was restarted.
 * `isChained`: its checksum continues the one stored before it. */
type Frame = { isThisRound: boolean; isChained: boolean; isCommit: boolean };

function framesOf(wal: Buffer, pageBytes: number, isBigEndian: boolean, start: Checksum): Frame[] {
  const frames: Frame[] = [];
  let previous = start;
  for (let at = headerBytes; at + frameHeaderBytes <= wal.length; at += frameHeaderBytes + pageBytes) {
    const isThisRound =
      wal.readUInt32BE(at + 8) === wal.readUInt32BE(16) && wal.readUInt32BE(at + 12) === wal.readUInt32BE(20);
    if (at + frameHeaderBytes + pageBytes > wal.length) {
      frames.push({ isThisRound, isChained: false, isCommit: false });
      break;
    }
    const stored = { a: wal.readUInt32BE(at + 16), b: wal.readUInt32BE(at + 20) };
    const ofFrame = checksum(wal, at, at + 8, isBigEndian, previous);
    const whole = checksum(wal, at + frameHeaderBytes, at + frameHeaderBytes + pageBytes, isBigEndian, ofFrame);
    const isChained = isThisRound && whole.a === stored.a && whole.b === stored.b;
    frames.push({ isThisRound, isChained, isCommit: isChained && wal.readUInt32BE(at + 4) !== 0 });
    previous = stored;
  }
  return frames;
}

function judge(frames: Frame[]): WalState {
  const bad = frames.findIndex((frame) => !frame.isChained);
  const good = bad === -1 ? frames.length : bad;
  const lastCommit = frames.slice(0, good).findLastIndex((frame) => frame.isCommit);
  const endOfDamaged = frames.findIndex((frame, index) => index >= good && frame.isCommit);
  const isBehindEnd = endOfDamaged !== -1 && frames.slice(endOfDamaged + 1).some((frame) => frame.isChained);
  if (isBehindEnd) return { kind: 'damaged', frame: bad };
  const unfinished = frames.slice(lastCommit + 1).filter((frame) => frame.isThisRound).length;
  return unfinished === 0 ? { kind: 'clean' } : { kind: 'torn', frames: unfinished };
}
