// Sends what moves by itself (heat, free GPU memory, battery) to the coordinator, from the start on and then at an interval. Lossy:
// what cannot be sent now is not sent later. A look that takes longer than the interval is waited for, so that they never pile up.
import type { MachineIdentity, Reading } from '@assay/protocol';
import type { ReadingsMemory } from './probe/readings.ts';

export type ReadingsWatchOptions = {
  everyMs: number;
  gpus: () => MachineIdentity['gpus'];
  isWelcome: () => boolean;
  send: (readings: Reading[]) => void;
  say: (level: 'info' | 'warning', text: string) => void;
};

export class ReadingsWatch {
  readonly #options: ReadingsWatchOptions;
  readonly #memory: ReadingsMemory = { throttles: null };
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: ReadingsWatchOptions) {
    this.#options = options;
  }

  /** The first look comes at once; the coordinator may not be there yet, and then the next one is soon. */
  start(): void {
    if (this.#options.everyMs > 0) this.#arm(Math.min(1_000, this.#options.everyMs));
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => this.#options.say('warning', `readings could not be taken: ${String(error)}`))
        .finally(() => {
          if (!this.#isClosed) this.#arm(this.#options.everyMs);
        });
    }, afterMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { isWelcome, gpus, send } = this.#options;
    if (!isWelcome()) return;
    // Loaded when it is needed, like the other probes.
    const [{ takeReadings }, { thisMachine }] = await Promise.all([
      import('./probe/readings.ts'),
      import('./probe/context.ts'),
    ]);
    const readings = await takeReadings(thisMachine(), gpus(), this.#memory, performance.now());
    if (!this.#isClosed && isWelcome()) send(readings);
  }
}
