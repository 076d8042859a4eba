// One call that may be given up: by its caller's signal, or because it takes too long. The call is told by a signal of its own,
// and is not waited for: what it comes to afterwards is dropped, so that a call that obeys no signal holds nobody up.
import type { Clock } from '../ports/clock.ts';

export type WatchedEnd<Value> =
  | { readonly kind: 'returned'; readonly value: Value }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'aborted'; readonly reason: unknown };

/** Resolves with the first of: the call's end, the time-out (`Infinity` for none), the caller's abort. Never rejects. */
export function watched<Value>(
  call: (signal: AbortSignal) => Value | PromiseLike<Value>,
  callers: AbortSignal | null,
  timeoutMs: number,
  clock: Pick<Clock, 'after'>,
): Promise<WatchedEnd<Value>> {
  const own = new AbortController();
  return new Promise((resolve) => {
    const finish = (end: WatchedEnd<Value>): void => {
      cancelTimer?.();
      callers?.removeEventListener('abort', onAbort);
      resolve(end);
    };
    const onAbort = (): void => {
      const reason: unknown = callers?.reason;
      finish({ kind: 'aborted', reason });
      own.abort(reason);
    };
    callers?.addEventListener('abort', onAbort, { once: true });
    const cancelTimer =
      timeoutMs === Infinity
        ? null
        : clock.after(timeoutMs, () => {
            finish({ kind: 'timedOut' });
            own.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'));
          });
    void settle(call, own.signal).then((end) => {
      // A call that gave up because its caller did, a moment before we were told, was aborted and did not fail.
      if (end.kind === 'threw' && callers?.aborted === true) finish({ kind: 'aborted', reason: callers.reason });
      else finish(end);
    });
  });
}

async function settle<Value>(
  call: (signal: AbortSignal) => Value | PromiseLike<Value>,
  signal: AbortSignal,
): Promise<WatchedEnd<Value>> {
  try {
    return { kind: 'returned', value: await call(signal) };
  } catch (error) {
    return { kind: 'threw', error };
  }
}
