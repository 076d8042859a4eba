// Time as the coordinator's shell sees it, so that the simulator can drive the same shell in virtual time.

export interface Clock {
  /** Milliseconds since the epoch. Never goes backwards within one process: adapters clamp it. */
  nowMs(): number;
  /** Calls `act` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, act: () => void): () => void;
  /** Calls `act` after the current turn of the loop, so that inputs that arrive together are committed together. */
  soon(act: () => void): void;
}
