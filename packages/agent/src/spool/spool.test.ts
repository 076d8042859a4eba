import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openFileSpool } from './file-spool.ts';
import { openLineLog, readLines } from './line-log.ts';
import { createMemorySpool } from './memory-spool.ts';
import { cases, spoolContract, started } from './spool.contract.ts';

const made: string[] = [];
function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'assay-spool-'));
  made.push(path);
  return path;
}
afterAll(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })));

const segmentsOf = (path: string) =>
  readdirSync(path)
    .filter((name) => name.endsWith('.ndjson'))
    .sort();

spoolContract('memory', () => ({
  open: (bytesMax) => createMemorySpool(bytesMax === undefined ? {} : { bytesMax }),
  isDurable: false,
}));
spoolContract('files', () => {
  const path = directory();
  return {
    open: (bytesMax) => openFileSpool({ directory: path, ...(bytesMax === undefined ? {} : { bytesMax }) }),
    isDurable: true,
  };
});
spoolContract('files in tiny segments and blocks', () => {
  const path = directory();
  return {
    open: (bytesMax) =>
      openFileSpool({
        directory: path,
        segmentBytesMax: 1,
        blockSize: 2,
        ...(bytesMax === undefined ? {} : { bytesMax }),
      }),
    isDurable: true,
  };
});

test('a spool cut at any byte gives back every report that was whole by then, and goes on above all its numbers', () => {
  const whole = directory();
  const spool = openFileSpool({ directory: whole });
  for (let index = 0; index < 6; index += 1)
    spool.append(index % 2 === 0 ? started(`t.${index}`) : cases(`t.${index}`, 'oh'));
  // Not closed: as after a kill.
  const [name] = segmentsOf(whole);
  const content = readFileSync(join(whole, name!));
  const reserved = readFileSync(join(whole, 'reserved'));
  // Opening syncs its reserved numbers to the disk, so not every byte: those around every line's ends, and some of each line.
  const isCut = (at: number): boolean => at % 23 === 0 || [at - 1, at, at + 1].some((near) => content[near] === 0x0a);
  for (let bytes = 0; bytes <= content.length; bytes += 1) {
    if (!isCut(bytes)) continue;
    const path = directory();
    writeFileSync(join(path, name!), content.subarray(0, bytes));
    writeFileSync(join(path, 'reserved'), reserved);
    const lines = content.subarray(0, bytes).toString().split('\n');
    // A last line that only lacks its line end is whole: its checksum says so.
    const wholeLines = lines.filter(
      (line, index) => line !== '' && (index < lines.length - 1 || content[bytes] === 0x0a),
    ).length;
    const reopened = openFileSpool({ directory: path });
    expect(reopened.unacknowledged().map((report) => report.seq)).toEqual(
      Array.from({ length: wholeLines }, (_, index) => index),
    );
    expect(reopened.append(started('next')).seq).toBeGreaterThan(5);
    reopened.close();
    const again = openFileSpool({ directory: path });
    expect(again.unacknowledged()).toHaveLength(wholeLines + 1);
    again.close();
  }
  spool.close();
});

test('a damaged line is passed over and said, and hides nothing after it', () => {
  const path = directory();
  const first = openFileSpool({ directory: path });
  for (const task of ['a', 'b', 'c']) first.append(started(task));
  first.close();
  const file = join(path, segmentsOf(path)[0]!);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"task":"b"', '"task":"x"'));
  const said: string[] = [];
  const second = openFileSpool({ directory: path, say: (_level, text) => said.push(text) });
  expect(second.unacknowledged().map((report) => report.seq)).toEqual([0, 2]);
  expect(said.join()).toContain('1 torn or damaged');
  second.close();
});

test('acknowledged segments leave the disk', () => {
  const path = directory();
  const spool = openFileSpool({ directory: path, segmentBytesMax: 1_000 });
  for (let index = 0; index < 200; index += 1) spool.append(started(`t.${index}`));
  expect(segmentsOf(path).length).toBeGreaterThan(10);
  spool.dropThrough(150);
  const bytes = segmentsOf(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  expect(bytes).toBeLessThan(6_000);
  spool.dropThrough(199);
  expect(segmentsOf(path).length).toBe(1);
  spool.close();
});

test('a disk that refuses is said once, the reports stay in memory, and they are written when it takes them again', () => {
  const path = directory();
  const said: string[] = [];
  const spool = openFileSpool({
    directory: path,
    segmentBytesMax: 1,
    say: (level, text) => said.push(`${level} ${text}`),
  });
  spool.append(started('a'));
  // A directory where the next segment should be: opening it fails as long as it is there.
  const blocks = [1, 2].map((seq) => join(path, `${String(seq).padStart(16, '0')}.ndjson`));
  for (const block of blocks) mkdirSync(block);
  spool.append(started('b'));
  spool.append(started('c'));
  expect(spool.unacknowledged()).toHaveLength(3);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain('kept in memory');
  for (const block of blocks) rmSync(block, { recursive: true });
  spool.append(started('d'));
  expect(said.at(-1)).toContain('can be written again');
  spool.close();
  const again = openFileSpool({ directory: path });
  expect(again.unacknowledged().map((report) => report.kind === 'started' && report.task)).toEqual([
    'a',
    'b',
    'c',
    'd',
  ]);
  again.close();
});

test('a line log goes on after a torn tail without losing the next line', () => {
  const path = join(directory(), 'log');
  const log = openLineLog(path);
  log.append(['{"a":1}', '{"a":2}']);
  log.close();
  truncateSync(path, statSync(path).size - 3);
  const second = openLineLog(path);
  second.append(['{"a":3}']);
  second.close();
  appendFileSync(path, '0000');
  expect(readLines(path)).toEqual({ lines: ['{"a":1}', '{"a":3}'], damaged: 2 });
});
