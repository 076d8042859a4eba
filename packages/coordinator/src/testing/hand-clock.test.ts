import { clockContract } from '../ports/clock.contract.ts';
import { HandClock } from './hand-clock.ts';

clockContract('by hand', () => {
  const clock = new HandClock();
  const pass = async (ms: number): Promise<void> => {
    while (clock.turn());
    clock.pass(clock.ms + ms);
  };
  return { clock, pass };
});
