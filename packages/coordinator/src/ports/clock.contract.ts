// What every clock must do, as one suite that each adapter's test runs.
import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';

/** `pass` lets so much of the clock's own time go by, and a little more. */
export type ClockPlace = { clock: Clock; pass(ms: number): Promise<void> };

export function clockContract(name: string, open: () => ClockPlace): void {
  test(`${name}: time passes and never goes backwards`, async () => {
    const { clock, pass } = open();
    const first = clock.nowMs();
    await pass(20);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(first + 20);
  });

  test(`${name}: after acts once, not before its delay`, async () => {
    const { clock, pass } = open();
    const startMs = clock.nowMs();
    const acted: number[] = [];
    clock.after(30, () => acted.push(clock.nowMs() - startMs));
    await pass(5);
    expect(acted).toEqual([]);
    await pass(100);
    expect(acted).toHaveLength(1);
    // Timers and the clock round differently: a millisecond early is the same time.
    expect(acted[0]).toBeGreaterThanOrEqual(29);
  });

  test(`${name}: what was canceled does not act, and canceling again is harmless`, async () => {
    const { clock, pass } = open();
    let acted = 0;
    const cancel = clock.after(10, () => (acted += 1));
    cancel();
    cancel();
    await pass(40);
    expect(acted).toBe(0);
  });

  test(`${name}: a negative delay is none, and a delay of years does not act at once`, async () => {
    const { clock, pass } = open();
    const acted: string[] = [];
    clock.after(-5, () => acted.push('late'));
    const cancel = clock.after(10 * 365 * 86_400_000, () => acted.push('years'));
    await pass(30);
    cancel();
    expect(acted).toEqual(['late']);
  });

  test(`${name}: soon acts after the current turn, in order, before time passes`, async () => {
    const { clock, pass } = open();
    const acted: string[] = [];
    clock.after(25, () => acted.push('timer'));
    clock.soon(() => acted.push('first'));
    clock.soon(() => acted.push('second'));
    acted.push('turn');
    await pass(60);
    expect(acted).toEqual(['turn', 'first', 'second', 'timer']);
  });
}
