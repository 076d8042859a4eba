// What can only be trusted on a real process that is really killed, and on a real disk that is really full.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { appendDurably } from '../../ports/journal.contract.ts';
import { expectedEntry } from '../../testing/append-forever.ts';
import { openSqliteJournal } from './journal.ts';

const program = fileURLToPath(new URL('../../testing/append-forever.ts', import.meta.url));
const paddingBytes = 700;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

function makePlace(): string {
  const place = mkdtempSync(join(tmpdir(), 'assay-journal-real-'));
  cleanups.push(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

function startAppending(place: string): ChildProcess {
  const child = spawn(process.execPath, [program, place, '7', String(paddingBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  return child;
}

/** Kills the process once it has acknowledged `lines` batches; the last sequence that it acknowledged before it died. */
async function killAfter(child: ChildProcess, lines: number): Promise<number> {
  let seen = 0;
  let acknowledged = 0;
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout! })) {
    acknowledged = Number(line);
    seen += 1;
    if (seen === lines) child.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}

test('a process killed while it appends loses nothing that it acknowledged, again and again', async () => {
  const place = makePlace();
  for (const lines of [1, 40, 7, 120, 260]) {
    const acknowledged = await killAfter(startAppending(place), lines);
    const journal = openSqliteJournal({ stateDirectory: place, segmentBytesMax: 256 * 1024 });
    expect(journal.lastSeq()).toBeGreaterThanOrEqual(acknowledged);
    // Whole batches only.
    expect(journal.lastSeq() % 7).toBe(0);
    let next = 1;
    for (let entries = await journal.read(next, 1_000); entries.length > 0; entries = await journal.read(next, 1_000)) {
      for (const entry of entries) expect(entry).toEqual(expectedEntry(next++, paddingBytes));
    }
    expect(next).toBe(journal.lastSeq() + 1);
    await journal.close();
  }
});

test('the state directory of a living process is in use, that of a killed one is not', async () => {
  const place = makePlace();
  const child = startAppending(place);
  await once(child.stdout!, 'data');
  expect(() => openSqliteJournal({ stateDirectory: place })).toThrow(expect.objectContaining({ code: 'STATE_IN_USE' }));
  child.stdout!.resume();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const journal = openSqliteJournal({ stateDirectory: place });
  expect(journal.lastSeq()).toBeGreaterThan(0);
  await journal.close();
});

/** A file system of one mebibyte, or null where none may be mounted. */
function mountSmallDisk(): string | null {
  const place = makePlace();
  const disk = join(place, 'disk');
  mkdirSync(disk);
  const mounted =
    process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0;
  if (!mounted) return null;
  cleanups.push(() => void spawnSync('umount', [disk]));
  return disk;
}

test('on a disk that is really full the append fails by name, and all that was acknowledged is there', async (context) => {
  const disk = mountSmallDisk();
  if (disk === null) {
    if (process.env['ASSAY_REQUIRE_ALL'] === '1')
      throw new Error('a tmpfs could not be mounted, and ASSAY_REQUIRE_ALL=1');
    return context.skip('SKIPPED: mounting a small disk needs root on Linux');
  }
  const journal = openSqliteJournal({ stateDirectory: disk });
  let durable = 0;
  const error = await (async (): Promise<unknown> => {
    for (;;) {
      try {
        await appendDurably(journal, [expectedEntry(durable + 1, 20_000)]);
      } catch (caught) {
        return caught;
      }
      durable += 1;
    }
  })();
  expect(error).toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  expect(durable).toBeGreaterThan(5);
  await journal.close();
  const again = openSqliteJournal({ stateDirectory: disk });
  expect(again.lastSeq()).toBe(durable);
  expect((await again.read(durable, 1))[0]).toEqual(expectedEntry(durable, 20_000));
  await again.close();
});
