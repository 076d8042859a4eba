// An append-only file of JSON lines, each with its checksum, for small state that must survive a kill at any byte.
//
// What always holds: a line that `append` has written is read back whole or not at all; a torn or damaged line never
// hides the lines after it; a failed write (a full disk) is taken back by cutting the file to its last whole line.
// Writes go to the system at once and are not synced: they survive the process, and need not survive the machine, since
// what was on it when it lost power is run again by another.
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export type LineLog = {
  readonly path: string;
  bytes(): number;
  /** Throws what the system says; the file is then as it was before. */
  append(lines: readonly string[]): void;
  close(): void;
};

/** Opens for appending. A file that does not end in a whole line gets a line end first, so that the torn line stays alone. */
export function openLineLog(path: string): LineLog {
  const file = openSync(path, 'a+', 0o600);
  const content = readFileSync(file);
  let bytes = content.length;
  const write = (data: Buffer): void => {
    let written = 0;
    try {
      while (written < data.length) written += writeSync(file, data, written);
    } catch (error) {
      ftruncateSync(file, bytes);
      throw error;
    }
    bytes += data.length;
  };
  if (bytes > 0 && content[bytes - 1] !== 0x0a) write(Buffer.from('\n'));
  return {
    path,
    bytes: () => bytes,
    append: (lines) => write(Buffer.from(lines.map((line) => `${checksum(line)} ${line}\n`).join(''))),
    close: () => closeSync(file),
  };
}

/** The whole lines of a file in order, and how many damaged ones were passed over. A missing file is an empty one. */
export function readLines(path: string): { lines: string[]; damaged: number } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], damaged: 0 };
    throw error;
  }
  const lines: string[] = [];
  let damaged = 0;
  for (const entry of text.split('\n')) {
    if (entry === '') continue;
    const line = entry.slice(9);
    if (entry[8] === ' ' && entry.slice(0, 8) === checksum(line)) lines.push(line);
    else damaged += 1;
  }
  return { lines, damaged };
}

function checksum(line: string): string {
  return crc32(line).toString(16).padStart(8, '0');
}
