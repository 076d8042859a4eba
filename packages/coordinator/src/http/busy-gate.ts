// Back-pressure from the coordinator to those who feed it: while too much waits to be committed, nothing more is read.
// The port can only be asked, so one timer asks for all who wait, and runs only while somebody does.

export type BusyGate = {
  isBusy(): boolean;
  /** Calls `act` once, when the coordinator is not busy any more or the gate closes. */
  whenFree(act: () => void): void;
  /** True once the coordinator is free, false when it was busy for all of `waitMs`. */
  waitFree(waitMs: number): Promise<boolean>;
  close(): void;
};

export function createBusyGate(isBusy: () => boolean, pollMs: number): BusyGate {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  const release = () => {
    if (timer !== null) clearInterval(timer);
    timer = null;
    const released = waiting;
    waiting = [];
    for (const act of released) act();
  };
  const whenFree = (act: () => void) => {
    if (isClosed || !isBusy()) {
      act();
      return;
    }
    waiting.push(act);
    timer ??= setInterval(() => {
      if (!isBusy()) release();
    }, pollMs);
  };

  return {
    isBusy,
    whenFree,
    waitFree(waitMs) {
      if (!isBusy()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const late = setTimeout(() => resolve(false), waitMs);
        whenFree(() => {
          clearTimeout(late);
          resolve(true);
        });
      });
    },
    close() {
      isClosed = true;
      release();
    },
  };
}
