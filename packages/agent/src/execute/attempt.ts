// One attempt of a batch, from waiting to settled: its cases, counts, output and the reasons why it was ended. It is
// settled exactly once, as finished or as returned; whatever comes later is dropped.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { limit } from '@assay/protocol';
import type { AssignedTask, AttemptOutcome, AttemptRef, Case, CaseCounts, Suite } from '@assay/protocol';
import { explain } from './explain-attempt.ts';
import { FailedTexts } from './failed-texts.ts';
import { cut } from './host-events.ts';
import type { FileFinished, LooseError } from './host-events.ts';
import type { BatchSink, KeptFile, ReturnReason } from './execute-batch.ts';
import type { StreamName } from './host-session.ts';
import { hostKernelLog } from './kernel-log.ts';
import type { Masker } from './mask.ts';
import { judge } from './outcome-rules.ts';
import type { Seen, Stop, Trouble } from './outcome-rules.ts';
import { OutputCapture } from './output-capture.ts';

export type AttemptContext = {
  readonly runner: string;
  readonly suite: Suite;
  readonly sink: BatchSink;
  readonly masker: Masker;
  readonly keptDir: string;
  nowMs(): number;
};

export type AttemptEnd = {
  readonly finished?: FileFinished | undefined;
  readonly died?: Seen['died'];
  readonly oomKills?: number | null;
  readonly scratchFreeBytes?: number | null;
  readonly trouble?: Trouble | undefined;
  readonly evidence?: Readonly<Record<string, string>>;
  readonly startupMs?: number | undefined;
  readonly costMs?: number;
  readonly errors?: readonly LooseError[];
  readonly loadError?: LooseError | null;
  readonly noTests?: string | null;
  /** Why a pass would not count: its evidence is missing. */
  readonly unproven?: Seen['unproven'];
  /** Kept with the attempt, by name. */
  readonly files?: AttemptFiles;
  readonly exit?: { readonly code: number | null; readonly signal: string | null };
};

/** Contents by name, and what they show in one line. */
export type AttemptFiles = ReadonlyMap<string, { readonly body: Buffer; readonly says?: string }>;

const liveTextMax = 60_000;

export class Attempt {
  readonly index: number;
  readonly task: AssignedTask;
  readonly ref: AttemptRef;
  readonly scratch: string;
  phase: 'waiting' | 'running' | 'settling' | 'settled' = 'waiting';
  /** What shall become of it if it can still be taken back. */
  wanted: { readonly kind: 'back' } | { readonly kind: 'cancel'; readonly reason: string } | null = null;
  stop: Stop | null = null;
  corrupt: string | null = null;
  lastSignMs = 0;
  readonly counts: CaseCounts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  readonly #context: AttemptContext;
  readonly #streams: ReadonlyMap<StreamName, Captured>;
  #finishing: Promise<void> = Promise.resolve();
  #startedAtMs = 0;
  #sent = 0;
  #unsent: Case[] = [];
  #firstFailure: string | null = null;
  #kernelMark: number | null = null;
  readonly #failed = new FailedTexts();

  constructor(index: number, task: AssignedTask, scratch: string, context: AttemptContext) {
    this.index = index;
    this.task = task;
    this.ref = { task: task.task, attempt: task.attempt };
    this.scratch = scratch;
    this.#context = context;
    this.#streams = new Map([
      ['stdout', captured(context.masker)],
      ['stderr', captured(context.masker)],
    ]);
  }

  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  start(): void {
    if (this.phase !== 'waiting') return;
    this.phase = 'running';
    this.#startedAtMs = this.#context.nowMs();
    this.lastSignMs = this.#startedAtMs;
    this.#kernelMark = hostKernelLog.mark();
    this.#context.sink.started(this.ref, this.#startedAtMs);
  }

  /** False when the limit of cases is passed: the attempt is then to be stopped. */
  addCase(found: Case): boolean {
    this.lastSignMs = this.#context.nowMs();
    if (this.#sent + this.#unsent.length >= limit('casesPerAttempt')) return false;
    this.counts[found.status] += 1;
    if (found.status === 'failed') {
      this.#firstFailure ??= `${found.path.join(' > ')}: ${found.failure?.message ?? 'failed'}`;
      this.#failed.add(found.failure);
    }
    this.#unsent.push(found);
    if (this.#unsent.length >= limit('casesPerReport')) this.flush();
    return true;
  }

  get casesSeen(): number {
    return this.#sent + this.#unsent.length;
  }

  /** Sends the cases that came since the last time. */
  flush(): void {
    if (this.#unsent.length === 0 || this.phase === 'settled') return;
    const cases = this.#unsent;
    this.#unsent = [];
    const from = this.#sent;
    this.#sent += cases.length;
    this.#context.sink.cases(this.ref, from, cases);
  }

  output(stream: StreamName, chunk: Buffer): void {
    if (this.phase === 'settled') return;
    this.lastSignMs = this.#context.nowMs();
    this.#take(stream, this.#streams.get(stream)?.decode(chunk) ?? '');
  }

  /** The last characters that the attempt wrote to stderr, else to stdout. */
  lastWords(): string {
    const words =
      this.#streams.get('stderr')?.capture.end(2_000) || this.#streams.get('stdout')?.capture.end(2_000) || '';
    return words.trim();
  }

  return(reason: ReturnReason, message: string): void {
    if (this.phase !== 'waiting') return;
    this.phase = 'settled';
    this.#context.sink.returned([this.ref], reason, message);
  }

  /** Judges and reports; resolves when the scratch directory is gone. */
  async finish(end: AttemptEnd): Promise<void> {
    if (this.phase !== 'settled' && this.phase !== 'settling') this.#finishing = this.#finish(end);
    await this.#finishing;
  }

  /** Resolves when a `finish` that is under way is over. */
  async whenSettled(): Promise<void> {
    await this.#finishing;
  }

  async #finish(end: AttemptEnd): Promise<void> {
    this.start();
    this.phase = 'settling';
    for (const name of this.#streams.keys()) this.#take(name, this.#streams.get(name)?.last() ?? '');
    this.flush();
    const outcome = this.#outcome(end);
    const files = await this.#keep(end.files ?? new Map());
    await rm(this.scratch, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    this.phase = 'settled';
    this.#context.sink.finished(this.ref, outcome, files);
  }

  #take(stream: StreamName, text: string): void {
    const capture = this.#streams.get(stream)?.capture;
    if (!capture || text === '') return;
    const isShown = capture.isHeadOpen;
    capture.add(Buffer.from(text));
    if (!isShown) return;
    for (let at = 0; at < text.length; at += liveTextMax)
      this.#context.sink.output(this.ref, stream, text.slice(at, at + liveTextMax));
    if (!capture.isHeadOpen)
      this.#context.sink.output(this.ref, stream, '\n[assay: more output is kept, but not shown live]\n');
  }

  #outcome(end: AttemptEnd): AttemptOutcome {
    const endedAtMs = Math.max(this.#context.nowMs(), this.#startedAtMs);
    const seen = this.#seen(end);
    const { verdict, failure } = judge(seen);
    const outcome: AttemptOutcome = {
      verdict,
      counts: { ...this.counts },
      casesReported: this.#sent,
      startedAtMs: this.#startedAtMs,
      endedAtMs,
      costMs: end.finished?.costMs ?? end.costMs ?? endedAtMs - this.#startedAtMs,
    };
    if (end.startupMs !== undefined) outcome.startupMs = end.startupMs;
    if (end.exit) outcome.exit = { ...end.exit };
    if (failure) {
      const { masker, suite } = this.#context;
      const evidence = this.#evidence(seen, end);
      const explained = explain({
        failure,
        seen,
        suite,
        failed: this.#failed,
        exit: end.exit ?? (seen.died && { code: seen.died.exitCode, signal: seen.died.signal }),
        kernel: hostKernelLog.since(this.#kernelMark),
        output: this.lastWords(),
      });
      // What the agent itself saw stays on record where a rule says more of it.
      if (explained.code !== failure.code) evidence['seen'] = failure.code;
      outcome.failure = {
        ...explained,
        rule: { ...explained.rule, matched: masker.mask(explained.rule.matched).slice(0, 500) },
        message: cut(masker.mask(failure.message), limit('messageChars')),
        ...(Object.keys(evidence).length > 0 ? { evidence } : {}),
      };
    }
    return outcome;
  }

  #seen(end: AttemptEnd): Seen {
    const { finished } = end;
    const lost = finished && !this.corrupt && !this.stop && finished.cases !== this.casesSeen;
    return {
      target: this.task.target,
      runner: this.#context.runner,
      counts: this.counts,
      stopped: this.stop,
      corrupt: lost ? `the host wrote ${finished.cases} cases and ${this.casesSeen} arrived` : this.corrupt,
      died: end.died ?? finished?.died ?? null,
      oomKills: end.oomKills ?? null,
      scratchFreeBytes: end.scratchFreeBytes ?? null,
      loadError: end.loadError ?? finished?.loadError ?? null,
      errors: end.errors ?? finished?.errors ?? [],
      noTests: end.noTests ?? finished?.noTests ?? null,
      unproven: end.unproven ?? null,
      firstFailure: this.#firstFailure,
      trouble: end.trouble ?? null,
    };
  }

  #evidence(seen: Seen, end: AttemptEnd): Record<string, string> {
    const evidence: Record<string, string> = { ...end.evidence };
    if (seen.loadError?.stack) evidence['stack'] = seen.loadError.stack;
    for (const [index, error] of seen.errors.slice(0, 5).entries())
      evidence[`error${index + 1}`] = error.stack ?? error.message;
    if (seen.died || seen.stopped) evidence['lastOutput'] = this.lastWords();
    const { masker } = this.#context;
    return Object.fromEntries(
      Object.entries(evidence)
        .filter(([, value]) => value !== '')
        .map(([name, value]) => [name, cut(masker.mask(value), limit('messageChars'))]),
    );
  }

  async #keep(files: AttemptFiles): Promise<KeptFile[]> {
    const kept: KeptFile[] = [];
    const directory = path.join(this.#context.keptDir, `${this.ref.task}.${this.ref.attempt}`);
    const keep = async (name: string, content: Buffer, rest: Omit<KeptFile, 'name' | 'path'>): Promise<void> => {
      const file = path.join(directory, name);
      try {
        await mkdir(directory, { recursive: true });
        await writeFile(file, content);
        kept.push({ name, path: file, ...rest });
      } catch {
        // A full disk costs the log, not the verdict.
      }
    };
    for (const [name, { capture }] of this.#streams)
      if (capture.totalBytes > 0)
        await keep(`${name}.log`, capture.content(), { truncatedBytes: capture.leftOutBytes });
    for (const [name, { body, ...rest }] of files) await keep(name, body, { truncatedBytes: 0, ...rest });
    return kept;
  }
}

type Captured = { readonly capture: OutputCapture; decode(chunk: Buffer): string; last(): string };

function captured(masker: Masker): Captured {
  const decoder = new StringDecoder('utf8');
  const mask = masker.stream();
  return {
    capture: new OutputCapture(Math.floor(limit('outputBytesPerAttempt') / 2)),
    decode: (chunk) => mask(decoder.write(chunk)),
    last: () => mask(decoder.end(), true),
  };
}
