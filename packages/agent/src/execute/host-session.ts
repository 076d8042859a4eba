// One runner host process: started in a process group of its own, told what to run by its stdin, heard through its
// report file, its output split by file. When it is over, everything that it left behind is killed and the report has
// been read to its end before `ended` resolves.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
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
  readonly reportFile: string;
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
  #onStreamEnd: (() => void)[] = [];
  #isOver = false;
  #killTimer: NodeJS.Timeout | undefined;

  private constructor(start: SessionStart, tail: ReportTail, listener: SessionListener, nonce: string) {
    this.#start = start;
    this.#child = spawn(start.command, start.arguments, {
      cwd: start.cwd,
      env: { ...start.env, [batchMark]: start.mark },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    // A host that is gone cannot be told anything: its end is what counts.
    this.#child.stdin?.on('error', () => {});
    this.#split('stdout', nonce, listener);
    this.#split('stderr', nonce, listener);
    this.ended = this.#end(tail);
    this.#send({
      hello: {
        nonce,
        reportFile: start.reportFile,
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
    const nonce = randomBytes(16).toString('hex');
    const tail = new ReportTail(start.reportFile, {
      line: (text) => {
        const read = readLine(text, nonce, start.masker);
        if (read.kind === 'event') listener.event(read.event);
        else listener.corrupt(read.reason);
      },
      corrupt: (reason) => listener.corrupt(reason),
      caughtUp: () => listener.caughtUp(),
    });
    return new HostSession(start, tail, listener, nonce);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Everything this host shall run; it ends by itself after the last one. */
  run(items: readonly RunItem[]): void {
    this.#send({ run: items });
    this.#send({ end: true });
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

  #send(message: Record<string, unknown>): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #split(name: StreamName, nonce: string, listener: SessionListener): void {
    const marked = new MarkedStream(nonce, {
      output: (item, chunk) => listener.output(item, name, chunk),
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
