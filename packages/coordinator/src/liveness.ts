// Turns silence into a fact: which sessions were not heard for `silentAfterMs`. Pure: time comes as an argument.
// Why: heartbeats are not journalled, so the engine cannot know; it is told once, as workerWentSilent.
// What always holds: a session is due once; hearing is O(1); and silence is counted only while this process itself was awake:
// when `due` is called much later than the time before (a long pause, a suspended machine), the gap is nobody's silence,
// because what the workers sent meanwhile still waits unread in the sockets. The same holds while the shell was deaf on
// purpose: it reads nothing from its links while the journal is behind.

export type LivenessSettings = { silentAfterMs: number; checkMs: number };

export class Liveness {
  readonly #settings: LivenessSettings;
  /** Last heard, in waking time; the longest silent first, because hearing moves a session to the end. */
  readonly #heardMs = new Map<string, number>();
  #forgivenMs = 0;
  #lastDueMs: number | null = null;

  constructor(settings: LivenessSettings) {
    this.#settings = settings;
  }

  opened(session: string, nowMs: number): void {
    this.#heardMs.delete(session);
    this.#heardMs.set(session, this.#waking(nowMs));
  }

  /** A frame of any kind came in. Sessions that are not open are ignored. */
  heard(session: string, nowMs: number): void {
    if (!this.#heardMs.delete(session)) return;
    this.#heardMs.set(session, this.#waking(nowMs));
  }

  closed(session: string): void {
    this.#heardMs.delete(session);
  }

  /** The sessions that fell silent since the last call; they are forgotten. To be called every `checkMs`. */
  due(nowMs: number, wasDeaf = false): string[] {
    const gapMs = this.#lastDueMs === null ? 0 : nowMs - this.#lastDueMs;
    this.#lastDueMs = nowMs;
    if (wasDeaf) this.#forgivenMs += gapMs;
    else if (gapMs > this.#settings.checkMs * 2) this.#forgivenMs += gapMs - this.#settings.checkMs;
    const silentSinceMs = this.#waking(nowMs) - this.#settings.silentAfterMs;
    const silent: string[] = [];
    for (const [session, heardMs] of this.#heardMs) {
      if (heardMs > silentSinceMs) break;
      silent.push(session);
    }
    for (const session of silent) this.#heardMs.delete(session);
    return silent;
  }

  #waking(nowMs: number): number {
    return nowMs - this.#forgivenMs;
  }
}
