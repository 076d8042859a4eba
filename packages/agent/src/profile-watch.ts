// Measures the machine again from time to time, and says when it became another one: a new driver, browser or limit.
// A probe that failed this time (a field newly unknown) is measured once more before it counts, since a loaded machine
// must not change its capability class by a time-out.
import type { MachineIdentity, Profile } from '@assay/protocol';

/** `identity` says where devices are; whoever made a profile by hand has none. */
export type Measured = { profile: Profile; digest: string; identity?: MachineIdentity };

export type ProfileWatchOptions = {
  probe: () => Promise<Measured>;
  everyMs: number;
  changed: (measured: Measured) => void;
  say: (level: 'info' | 'warning', text: string) => void;
};

export class ProfileWatch {
  readonly #options: ProfileWatchOptions;
  #current: string;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(first: Measured, options: ProfileWatchOptions) {
    this.#current = first.digest;
    this.#options = options;
    this.#arm();
  }

  /** Measures now; a change is told before it resolves. */
  async look(): Promise<void> {
    const first = await this.#options.probe();
    if (this.#isClosed || first.digest === this.#current) return;
    const second = await this.#options.probe();
    if (this.#isClosed || second.digest !== first.digest) return;
    this.#current = second.digest;
    this.#options.changed(second);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(): void {
    if (this.#options.everyMs <= 0) return;
    this.#timer = setTimeout(() => {
      this.look()
        .catch((error: unknown) =>
          this.#options.say('warning', `the machine could not be measured again: ${String(error)}`),
        )
        .finally(() => {
          if (!this.#isClosed) this.#arm();
        });
    }, this.#options.everyMs);
    this.#timer.unref();
  }
}
