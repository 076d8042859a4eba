// Everything that a drill does to a machine is written down with its undo before it is done, and taken back in reverse order: at
// the end, after a failure, and on Ctrl-C. What always holds: every undo is tried, once, whatever the others do; what failed is said.

type Undo = { readonly what: string; readonly back: () => Promise<void> | void };

export class UndoStack {
  readonly #undos = new Set<Undo>();

  /** Returns a function that takes it back now, for those that end before the drill does. */
  add(what: string, back: Undo['back']): () => Promise<void> {
    const undo: Undo = { what, back };
    this.#undos.add(undo);
    return async () => {
      if (this.#undos.delete(undo)) await undo.back();
    };
  }

  get open(): string[] {
    return [...this.#undos].map(({ what }) => what);
  }

  /** What could not be taken back, in words. */
  async all(): Promise<string[]> {
    const failed: string[] = [];
    for (const undo of [...this.#undos].toReversed()) {
      this.#undos.delete(undo);
      try {
        await undo.back();
      } catch (error) {
        failed.push(`${undo.what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return failed;
  }
}
