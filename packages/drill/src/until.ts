// Waiting for something that a real process does: polled, with a bound, and ended at once when the drill is aborted.

export class NotInTime extends Error {}

export type Waiting = { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly everyMs?: number };

/** The first value of `probe` that is not null. Throws NotInTime with `what`, or the reason of the abort. */
export async function until<Value>(
  what: string,
  probe: () => Promise<Value | null> | Value | null,
  { timeoutMs, signal, everyMs = 25 }: Waiting,
): Promise<Value> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const value = await probe();
    if (value !== null) return value;
    if (performance.now() > deadlineMs) throw new NotInTime(`not within ${timeoutMs} ms: ${what}`);
    await pause(everyMs, signal);
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
