import { clockContract } from '../ports/clock.contract.ts';
import { createSystemClock } from './clock-system.ts';

clockContract('system', () => {
  const clock = createSystemClock();
  /** Real time has to pass; it is read from the clock under test, not assumed from one timer. */
  const pass = async (ms: number): Promise<void> => {
    const untilMs = clock.nowMs() + ms;
    do await new Promise((resolve) => setTimeout(resolve, Math.max(1, untilMs - clock.nowMs())));
    while (clock.nowMs() < untilMs);
  };
  return { clock, pass };
});
