// The clocks of one running attempt: the hard limit, counted from its own start (queueing never counts), and the
// longest silence, counted from its last case or output. The first that runs out stops the attempt.
import type { Attempt } from './attempt.ts';
import type { BatchInput } from './execute-batch.ts';

export type AttemptWatch = { stop(): void };

const longestTimerMs = 2 ** 30;

export function watchAttempt(input: BatchInput, attempt: Attempt, kill: () => void): AttemptWatch {
  const { timeoutMs, noOutputTimeoutMs } = input.suite;
  const target = attempt.task.target || 'The command';
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const now = input.nowMs();
    const hardMs = attempt.startedAtMs + timeoutMs - now;
    const quietMs = noOutputTimeoutMs > 0 ? attempt.lastSignMs + noOutputTimeoutMs - now : Number.POSITIVE_INFINITY;
    if (hardMs > 0 && quietMs > 0) {
      timer = setTimeout(look, Math.min(hardMs, quietMs, longestTimerMs));
      return;
    }
    attempt.stop ??=
      hardMs <= 0
        ? { kind: 'timedOut', message: `${target} ran longer than ${timeoutMs} ms.` }
        : { kind: 'noOutput', message: `${target} gave no sign of life for ${noOutputTimeoutMs} ms.` };
    kill();
  };
  look();
  return { stop: () => clearTimeout(timer) };
}
