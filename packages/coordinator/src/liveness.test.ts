import { expect, test } from 'vitest';
import { Liveness } from './liveness.ts';

const settings = { silentAfterMs: 1_000, checkMs: 100 };

/** Calls `due` every 100 ms up to `toMs`, as the shell does. */
function watch(liveness: Liveness, fromMs: number, toMs: number): { atMs: number; session: string }[] {
  const seen: { atMs: number; session: string }[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += 100)
    seen.push(...liveness.due(atMs).map((session) => ({ atMs, session })));
  return seen;
}

test('a session that says nothing is due once, after silentAfterMs', () => {
  const liveness = new Liveness(settings);
  liveness.opened('s-1', 0);
  expect(watch(liveness, 100, 5_000)).toEqual([{ atMs: 1_000, session: 's-1' }]);
});

test('hearing a session starts its silence again', () => {
  const liveness = new Liveness(settings);
  liveness.opened('s-1', 0);
  liveness.opened('s-2', 0);
  expect(watch(liveness, 100, 900)).toEqual([]);
  liveness.heard('s-1', 900);
  expect(watch(liveness, 1_000, 3_000)).toEqual([
    { atMs: 1_000, session: 's-2' },
    { atMs: 1_900, session: 's-1' },
  ]);
});

test('a closed session is never due, and one that is not open is not heard', () => {
  const liveness = new Liveness(settings);
  liveness.opened('s-1', 0);
  liveness.closed('s-1');
  liveness.heard('s-1', 10);
  expect(watch(liveness, 100, 5_000)).toEqual([]);
});

test('the time in which this process itself slept is nobody else’s silence', () => {
  const liveness = new Liveness(settings);
  liveness.opened('s-1', 0);
  expect(watch(liveness, 100, 500)).toEqual([]);
  // The process is stopped for a minute. The first look afterwards accuses nobody: what was sent waits unread.
  expect(liveness.due(60_500)).toEqual([]);
  liveness.opened('s-2', 60_500);
  // 500 ms of waking silence before the sleep, one check counted for the sleep, 400 ms after it.
  expect(watch(liveness, 60_600, 62_000)).toEqual([
    { atMs: 60_900, session: 's-1' },
    { atMs: 61_500, session: 's-2' },
  ]);
});

test('time in which nothing was read from the links is not silence', () => {
  const liveness = new Liveness(settings);
  liveness.opened('s-1', 0);
  expect(watch(liveness, 100, 500)).toEqual([]);
  for (let atMs = 600; atMs <= 3_000; atMs += 100) expect(liveness.due(atMs, true)).toEqual([]);
  expect(watch(liveness, 3_100, 4_000)).toEqual([{ atMs: 3_500, session: 's-1' }]);
});
