// One runner host process: started in a process group of its own, told what to run by its stdin, heard through its
// report file, its output split by file. When it is over, everything that it left behind is killed and the report has
// been read to its end before `ended` resolves. A host may serve several batches, one after the other: each is its listener
// for as long as it runs, and its files have numbers that the host had for no other.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { limit } from '@assay/protocol';
import type { Environment } from '../runners/runner.ts';
import { readLine } from './host-events.ts';
import type { HostEvent } from './host-events.ts';
import type { Masker } from './mask.ts';
import { MarkedStream } from './marked-stream.ts';
import { batchMark, killMarked, signalGroup } from './process-tree.ts';
import { ReportTail } from './report-tail.ts';

export type StreamName = 'stdout' | 'stderr';

export type SessionListener = {
  event(event: HostEvent): void;
  corrupt(reason: string): void;
  /** All events that one read brought have been passed on. */
  caughtUp(): void;
  output(item: number | null, stream: StreamName, chunk: Buffer): void;
};

export type SessionStart = {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
  /** The suite's own arguments for the runner. */
  readonly suiteArguments: readonly string[];
  /** The host's own, which exists; its report is written here. */
  readonly directory: string;
  readonly mark: string;
  readonly killGraceMs: number;
  readonly masker: Masker;
};

export type SessionEnd = {
  readonly code: number | null;
  readonly signal: string | null;
  /** The process could not even be started. */
  readonly spawnError: string | null;
  /** Processes that outlived the host and were killed. */
  readonly leftovers: number;
};

export type RunItem = { readonly id: number; readonly target: string; readonly tmp: string };

/** How long output may lag behind the report before it is no longer waited for. */
const outputLagMs = 2_000;

export class HostSession {
  readonly ended: Promise<SessionEnd>;
  readonly #start: SessionStart;
  readonly #child: ChildProcess;
  readonly #streams = new Map<StreamName, Set<number>>([
    ['stdout', new Set()],
    ['stderr', new Set()],
  ]);
  #listener: SessionListener;
  #onStreamEnd: (() => void)[] = [];
  #isOver = false;
  #nextItem = 0;
  #readyMiB = 0;
  #idleMiB = 0;
  #killTimer: NodeJS.Timeout | undefined;

  private constructor(start: SessionStart, listener: SessionListener) {
    const nonce = randomBytes(16).toString('hex');
    const reportFile = path.join(start.directory, 'report.ndjson');
    this.#start = start;
    this.#listener = listener;
    const tail = new ReportTail(reportFile, {
      line: (text) => {
        const read = readLine(text, nonce, start.masker);
        if (read.kind === 'event') this.#pass(read.event);
        else this.#listener.corrupt(read.reason);
      },
      corrupt: (reason) => this.#listener.corrupt(reason),
      caughtUp: () => this.#listener.caughtUp(),
    });
    this.#child = spawn(start.command, start.arguments, {
      cwd: start.cwd,
      env: { ...start.env, [batchMark]: start.mark },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    // A host that is gone cannot be told anything: its end is what counts.
    this.#child.stdin?.on('error', () => {});
    this.#split('stdout', nonce);
    this.#split('stderr', nonce);
    this.ended = this.#end(tail);
    this.#send({
      hello: {
        nonce,
        reportFile,
        arguments: start.suiteArguments,
        mark: start.mark,
        // More than the agent keeps, so that a secret across its cut is seen whole and masked.
        keepMessageChars: 2 * limit('messageChars'),
        keepStackChars: 2 * limit('stackChars'),
        keepNameChars: 2 * limit('nameChars'),
      },
    });
  }

  static open(start: SessionStart, listener: SessionListener): HostSession {
    return new HostSession(start, listener);
  }

  /** Whoever is told from now on. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  get mark(): string {
    return this.#start.mark;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it held more when it last had nothing to do than when it was ready; resident memory. */
  get grownMiB(): number {
    return this.#idleMiB - this.#readyMiB;
  }

  /** The first of so many numbers for items, which this host had for none before. */
  numbers(count: number): number {
    this.#nextItem += count;
    return this.#nextItem - count;
  }

  /** What it shall run now; it says `hostIdle` after the last of it. */
  run(items: readonly RunItem[]): void {
    this.#send({ run: items });
  }

  /** It ends by itself once it has run what it was given. */
  end(): void {
    this.#send({ end: true });
  }

  /** Removes what it wrote; for when it has ended. */
  async clear(): Promise<void> {
    await rm(this.#start.directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }

  /** Asks for items back; those that had not started come in a `withdrawn` event. */
  withdraw(ids: readonly number[]): void {
    this.#send({ withdraw: ids });
  }

  /** Ends the whole process group: politely, and after the grace by force. */
  kill(): void {
    const pid = this.#child.pid;
    if (pid === undefined || this.#isOver || this.#killTimer) return;
    signalGroup(pid, 'SIGTERM');
    this.#killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), this.#start.killGraceMs);
  }

  /** Resolves when the output of a file has arrived whole, or when it is no longer worth waiting for. */
  async outputArrived(item: number): Promise<void> {
    const isThere = (): boolean => this.#isOver || [...this.#streams.values()].every((ended) => ended.has(item));
    if (isThere()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, outputLagMs);
      const check = (): void => {
        if (isThere()) done();
      };
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.#onStreamEnd.push(check);
    });
    this.#onStreamEnd = [];
  }

  #pass(event: HostEvent): void {
    if (event.kind === 'hostReady') this.#readyMiB = event.rssMiB;
    if (event.kind === 'hostIdle') this.#idleMiB = event.rssMiB;
    this.#listener.event(event);
  }

  #send(message: Record<string, unknown>): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #split(name: StreamName, nonce: string): void {
    const marked = new MarkedStream(nonce, {
      output: (item, chunk) => this.#listener.output(item, name, chunk),
      ended: (item) => {
        this.#streams.get(name)?.add(item);
        for (const check of this.#onStreamEnd) check();
      },
    });
    this.#child[name]?.on('data', (chunk: Buffer) => marked.add(chunk)).on('end', () => marked.end());
  }

  async #end(tail: ReportTail): Promise<SessionEnd> {
    const child = this.#child;
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const over = await new Promise<{ code: number | null; signal: string | null; spawnError: string | null }>(
      (resolve) => {
        child.once(
          'error',
          (error) => child.pid === undefined && resolve({ code: null, signal: null, spawnError: String(error) }),
        );
        child.once('exit', (code, signal) => resolve({ code, signal, spawnError: null }));
      },
    );
    clearTimeout(this.#killTimer);
    const leftovers = await killMarked(batchMark, this.#start.mark);
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    // Pipes held open by a process that could not be found must not hold the batch.
    if (over.spawnError === null) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([closed, new Promise<void>((resolve) => (timer = setTimeout(resolve, outputLagMs)))]);
      clearTimeout(timer);
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
    tail.close();
    this.#isOver = true;
    for (const check of this.#onStreamEnd) check();
    return { ...over, leftovers };
  }
}
