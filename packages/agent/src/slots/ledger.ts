// Which attempts this agent has in hand, on disk, so that the next incarnation can say what became of them after a kill:
// what had not started goes back for free, what had started is spent. (Said by nobody, the coordinator would take them for
// never delivered, and a test that kills its agent would come back for ever.)
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AttemptRef } from '@assay/protocol';
import { openLineLog, readLines } from '../spool/line-log.ts';
import type { LineLog } from '../spool/line-log.ts';

type Line =
  | { held: AttemptRef[] }
  | { started: AttemptRef; atMs: number }
  | { cases: AttemptRef; count: number }
  | { settled: AttemptRef[] };

/** `startedAtMs` is null for what never started; `cases` counts those that were reported. */
export type Unfinished = { ref: AttemptRef; startedAtMs: number | null; cases: number };

export type LedgerOptions = {
  path: string;
  say: (level: 'info' | 'warning', text: string) => void;
  compactBytes?: number;
};

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #inHand = new Map<string, Unfinished>();
  #log: LineLog;
  #isTroubled = false;
  #compactAboveBytes: number;

  constructor(options: LedgerOptions) {
    this.#options = options;
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
    for (const line of readLines(options.path).lines) this.#fold(JSON.parse(line) as Line);
    this.#log = openLineLog(options.path);
    this.#compactAboveBytes = options.compactBytes ?? 1024 * 1024;
  }

  unfinished(): Unfinished[] {
    return [...this.#inHand.values()];
  }

  assigned(refs: readonly AttemptRef[]): void {
    this.#add({ held: refs.map(({ task, attempt }) => ({ task, attempt })) });
  }

  started(ref: AttemptRef, atMs: number): void {
    this.#add({ started: ref, atMs });
  }

  /** `count` cases were reported so far. */
  cases(ref: AttemptRef, count: number): void {
    this.#add({ cases: ref, count });
  }

  settled(refs: readonly AttemptRef[]): void {
    this.#add({ settled: refs.map(({ task, attempt }) => ({ task, attempt })) });
  }

  close(): void {
    this.#log.close();
  }

  #fold(line: Line): void {
    if ('held' in line) for (const ref of line.held) this.#inHand.set(keyOf(ref), { ref, startedAtMs: null, cases: 0 });
    if ('settled' in line) for (const ref of line.settled) this.#inHand.delete(keyOf(ref));
    const changed = 'started' in line ? line.started : 'cases' in line ? line.cases : null;
    const found = changed === null ? undefined : this.#inHand.get(keyOf(changed));
    if (found === undefined) return;
    if ('started' in line) found.startedAtMs = line.atMs;
    if ('cases' in line) found.cases = line.count;
  }

  #add(line: Line): void {
    this.#fold(line);
    try {
      this.#log.append([JSON.stringify(line)]);
      if (this.#log.bytes() > this.#compactAboveBytes) this.#compact();
      this.#isTroubled = false;
    } catch (error) {
      // Without the ledger only the accounting after a kill is less exact; work goes on.
      if (!this.#isTroubled)
        this.#options.say('warning', `the list of work in hand cannot be written: ${String(error)}`);
      this.#isTroubled = true;
    }
  }

  #compact(): void {
    const { path } = this.#options;
    rmSync(`${path}.new`, { force: true });
    const fresh = openLineLog(`${path}.new`);
    const lines: Line[] = [{ held: this.unfinished().map((one) => one.ref) }];
    for (const { ref, startedAtMs, cases } of this.#inHand.values()) {
      if (startedAtMs !== null) lines.push({ started: ref, atMs: startedAtMs });
      if (cases > 0) lines.push({ cases: ref, count: cases });
    }
    fresh.append(lines.map((line) => JSON.stringify(line)));
    fresh.close();
    this.#log.close();
    renameSync(`${path}.new`, path);
    this.#log = openLineLog(path);
    // What is really in hand may be large: rewriting it again is worth it only when as much was added.
    this.#compactAboveBytes = Math.max(this.#compactAboveBytes, 2 * this.#log.bytes());
  }
}

function keyOf(ref: AttemptRef): string {
  return `${ref.task}#${ref.attempt}`;
}
