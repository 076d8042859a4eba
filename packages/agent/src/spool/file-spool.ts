// The spool on disk: segment files of checksummed lines, dropped whole once acknowledged, and a file with the first number
// that was not reserved yet. Numbers are reserved in blocks, synced before the block's first is used: after a crash the
// next incarnation starts above the block, so that even a lost write cannot make a number come twice.
//
// What always holds: what does not go to disk (full, read-only) is kept in memory, said once through `say`, and
// written with the next append that works.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Report } from '@assay/protocol';
import { openLineLog, readLines } from './line-log.ts';
import type { LineLog } from './line-log.ts';
import { checkRoom, spoolDefaults } from './spool.ts';
import type { ReportBody, Spool } from './spool.ts';

export type FileSpoolOptions = {
  directory: string;
  bytesMax?: number;
  segmentBytesMax?: number;
  /** How many numbers are reserved at once. */
  blockSize?: number;
  say?: (level: 'info' | 'warning', text: string) => void;
};

type Kept = { report: Report; bytes: number };
/** A closed or current file; `lastSeq` is the highest number in it. */
type Segment = { path: string; lastSeq: number };

const segmentName = /^(\d{16})\.ndjson$/;

export function openFileSpool(options: FileSpoolOptions): Spool {
  return new FileSpool(options);
}

class FileSpool implements Spool {
  readonly #directory: string;
  readonly #bytesMax: number;
  readonly #segmentBytesMax: number;
  readonly #blockSize: number;
  readonly #say: (level: 'info' | 'warning', text: string) => void;
  #kept: Kept[] = [];
  #keptBytes = 0;
  #next: number;
  #reservedBelow: number;
  #segments: Segment[] = [];
  #log: LineLog | null = null;
  /** Lines that are not on disk yet: more than one only while the disk refuses. */
  #unwritten: string[] = [];
  #isTroubled = false;

  constructor(options: FileSpoolOptions) {
    this.#directory = options.directory;
    this.#bytesMax = options.bytesMax ?? spoolDefaults.bytesMax;
    this.#segmentBytesMax = options.segmentBytesMax ?? 4 * 1024 * 1024;
    this.#blockSize = options.blockSize ?? 10_000;
    this.#say = options.say ?? (() => undefined);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#reservedBelow = readNumber(join(this.#directory, 'reserved'));
    const highest = this.#load();
    this.#next = Math.max(this.#reservedBelow, highest + 1);
    // A disk that is full now is said at the start, and not when a number was already used.
    this.#reserve(this.#next);
  }

  append(body: ReportBody): Report {
    const report = { ...body, seq: this.#next } as Report;
    const line = JSON.stringify(report);
    checkRoom(report.kind, line.length, this.#keptBytes, this.#bytesMax);
    this.#next += 1;
    this.#kept.push({ report, bytes: line.length });
    this.#keptBytes += line.length;
    this.#write(line, report.seq);
    return report;
  }

  dropThrough(seq: number): void {
    let count = 0;
    while (count < this.#kept.length && this.#kept[count]!.report.seq <= seq)
      this.#keptBytes -= this.#kept[count++]!.bytes;
    if (count === 0) return;
    this.#kept.splice(0, count);
    if (this.#kept.length === 0) this.#unwritten = [];
    const current = this.#segments.at(-1);
    // The current segment goes too once it is worth it: a reopened one costs more than a few kept lines.
    const isCurrentDone = this.#log !== null && this.#kept.length === 0 && this.#log.bytes() > 65_536;
    if (isCurrentDone) this.#closeLog();
    this.#segments = this.#segments.filter((segment) => {
      if (segment.lastSeq > seq || (segment === current && !isCurrentDone)) return true;
      return !this.#tryDisk(() => rmSync(segment.path, { force: true }));
    });
    const last = this.#segments.at(-1);
    if (this.#log !== null && last !== undefined) this.#tryDisk(() => this.#log!.append([`{"acked":${seq}}`]));
  }

  unacknowledged(): Report[] {
    return this.#kept.map((one) => one.report);
  }

  nextSeq(): number {
    return this.#next;
  }

  close(): void {
    this.#closeLog();
    if (this.#unwritten.length > 0)
      this.#say('warning', `${this.#unwritten.length} reports could not be kept on disk and are lost`);
    // The block's unused rest is given back.
    this.#tryDisk(() => writeNumber(join(this.#directory, 'reserved'), this.#next));
  }

  /** Reads what an earlier incarnation left; returns the highest number seen, -1 when none. */
  #load(): number {
    let highest = -1;
    let acked = -1;
    let damaged = 0;
    const names = readdirSync(this.#directory).filter((name) => segmentName.test(name));
    for (const name of names.sort()) {
      const path = join(this.#directory, name);
      const segment: Segment = { path, lastSeq: -1 };
      const content = readLines(path);
      damaged += content.damaged;
      for (const line of content.lines) {
        const value = JSON.parse(line) as { acked?: number; seq?: number };
        if (value.acked !== undefined) acked = Math.max(acked, value.acked);
        const report = value.acked === undefined ? Report.safeParse(value) : null;
        if (report === null || !report.success) {
          if (report !== null) damaged += 1;
          continue;
        }
        segment.lastSeq = highest = Math.max(highest, report.data.seq);
        this.#kept.push({ report: report.data, bytes: line.length });
      }
      this.#segments.push(segment);
    }
    this.#kept = this.#kept.filter((one) => one.report.seq > acked);
    this.#keptBytes = this.#kept.reduce((sum, one) => sum + one.bytes, 0);
    const live = new Set(this.#segments.filter((segment) => segment.lastSeq > acked));
    for (const segment of this.#segments)
      if (!live.has(segment)) this.#tryDisk(() => rmSync(segment.path, { force: true }));
    this.#segments = [...live];
    if (damaged > 0) this.#say('warning', `${damaged} torn or damaged lines in the spool were passed over`);
    return Math.max(highest, acked);
  }

  #write(line: string, seq: number): void {
    this.#unwritten.push(line);
    this.#tryDisk(() => {
      // Half a block ahead, so that a disk that is full for a while does not matter.
      if (seq >= this.#reservedBelow - this.#blockSize / 2) this.#reserve(seq);
      if (this.#log !== null && this.#log.bytes() >= this.#segmentBytesMax) this.#closeLog();
      this.#log ??= this.#openSegment(seq);
      this.#log.append(this.#unwritten);
      this.#segments.at(-1)!.lastSeq = seq;
      this.#unwritten = [];
    });
  }

  #reserve(seq: number): void {
    const below = seq + this.#blockSize;
    writeNumber(join(this.#directory, 'reserved'), below);
    this.#reservedBelow = below;
  }

  #openSegment(seq: number): LineLog {
    const path = join(this.#directory, `${String(seq).padStart(16, '0')}.ndjson`);
    const log = openLineLog(path);
    this.#segments.push({ path, lastSeq: seq });
    return log;
  }

  #closeLog(): void {
    this.#log?.close();
    this.#log = null;
  }

  /** True when it worked. Trouble is said when it starts and when it ends, and never stops the agent. */
  #tryDisk(act: () => void): boolean {
    try {
      act();
    } catch (error) {
      if (!this.#isTroubled)
        this.#say('warning', `the spool cannot be written, reports are kept in memory: ${String(error)}`);
      this.#isTroubled = true;
      return false;
    }
    if (this.#isTroubled && this.#unwritten.length === 0) {
      this.#isTroubled = false;
      this.#say('info', 'the spool can be written again');
    }
    return true;
  }
}

function readNumber(path: string): number {
  try {
    const value = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** Synced and renamed, so that it holds one of the two numbers whatever happens. */
function writeNumber(path: string, value: number): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, String(value));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  // Windows cannot open a directory, and its rename is journalled.
  if (process.platform === 'win32') return;
  const directory = openSync(join(path, '..'), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
