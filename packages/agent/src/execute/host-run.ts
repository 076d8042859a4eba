// One life of a runner host within a batch: it is given the waiting files, its events are turned into attempts, the
// clocks of the file in progress are watched, and at its end the file it died in is settled.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { limit } from '@assay/protocol';
import type { Launch } from '../runners/runner.ts';
import type { Attempt } from './attempt.ts';
import type { BatchState } from './batch-state.ts';
import type { FileFinished, HostEvent } from './host-events.ts';
import { HostSession } from './host-session.ts';
import type { SessionEnd, StreamName } from './host-session.ts';
import { oomKills, scratchFreeBytes } from './machine-evidence.ts';
import { OutputCapture } from './output-capture.ts';
import { fileMark, killMarked } from './process-tree.ts';
import { settleWanted } from './settle-wanted.ts';
import { watchAttempt } from './watch-attempt.ts';
import type { AttemptWatch } from './watch-attempt.ts';

type HostLaunch = Extract<Launch, { kind: 'host' }>;

const hostLogBytes = 64 * 1024;
/** For global teardowns, after the last file. */
const closeGraceMs = 15_000;
let sessions = 0;

/** Runs `items` in one new host; resolves when it is gone and all that started in it is settled. */
export async function runHost(state: BatchState, launch: HostLaunch, items: readonly Attempt[]): Promise<void> {
  const life = new HostLife(state, launch, items);
  await life.run();
}

class HostLife {
  readonly #state: BatchState;
  readonly #launch: HostLaunch;
  readonly #items: readonly Attempt[];
  readonly #log = new OutputCapture(hostLogBytes);
  readonly #settling: Promise<void>[] = [];
  readonly #asked = new Set<number>();
  #session: HostSession | null = null;
  #current: Attempt | null = null;
  #watch: AttemptWatch | undefined;
  #gapTimer: NodeJS.Timeout | undefined;
  #openedAtMs = 0;
  #isReady = false;
  #isLaunchSaid = false;
  #mark = '';
  #startupMs: number | undefined;
  #failure: string | null = null;
  #isKilledByUs = false;
  #oomBefore: number | null = null;

  constructor(state: BatchState, launch: HostLaunch, items: readonly Attempt[]) {
    this.#state = state;
    this.#launch = launch;
    this.#items = items;
  }

  /** Which of several runtimes was taken, and why: in the output of the first file, and in the evidence of what fails. */
  #sayLaunch(first: Attempt): void {
    if (this.#isLaunchSaid || this.#launch.note === undefined) return;
    this.#isLaunchSaid = true;
    first.output('stderr', Buffer.from(`[assay: runs with ${this.#launch.note}]\n`));
  }

  #launchEvidence(): Record<string, string> {
    return this.#launch.note === undefined ? {} : { runsWith: this.#launch.note };
  }

  async run(): Promise<void> {
    const { input, directory } = this.#state;
    sessions += 1;
    this.#mark = `${path.basename(directory)}.${sessions}`;
    const base = path.join(directory, 'base');
    await mkdir(base, { recursive: true });
    for (const attempt of this.#items) await mkdir(attempt.scratch, { recursive: true });
    this.#oomBefore = await oomKills();
    this.#openedAtMs = input.nowMs();
    this.#session = HostSession.open(
      {
        command: this.#launch.command,
        arguments: this.#launch.arguments,
        cwd: path.join(path.resolve(input.projectDir), input.suite.directory),
        env: { ...this.#state.env, TMPDIR: base, TMP: base, TEMP: base, ...this.#launch.env },
        suiteArguments: input.suite.arguments,
        reportFile: path.join(directory, `report-${sessions}.ndjson`),
        mark: this.#mark,
        killGraceMs: this.#state.killGraceMs,
        masker: this.#state.masker,
      },
      {
        event: (event) => this.#observe(event),
        corrupt: (reason) => this.#blame(reason),
        caughtUp: () => this.#current?.flush(),
        output: (item, stream, chunk) => this.#route(item, stream, chunk),
      },
    );
    this.#state.steer = { wantedChanged: () => this.#steer() };
    this.#session.run(
      this.#items.map(({ index, task, scratch }) => ({ id: index, target: task.target, tmp: scratch })),
    );
    this.#watchGap();
    this.#steer();
    const end = await this.#session.ended;
    clearTimeout(this.#gapTimer);
    this.#watch?.stop();
    this.#state.steer = null;
    await Promise.all(this.#settling);
    await this.#settle(end);
  }

  #observe(event: HostEvent): void {
    switch (event.kind) {
      case 'hostReady':
        this.#isReady = true;
        this.#startupMs = this.#state.input.nowMs() - this.#openedAtMs;
        return;
      case 'hostFailed':
        this.#failure = event.message;
        return;
      case 'fileStarted':
        this.#current = this.#items.find(({ index }) => index === event.item) ?? null;
        if (this.#current) {
          this.#current.start();
          this.#sayLaunch(this.#current);
          this.#watchFile(this.#current);
        }
        this.#steer();
        return;
      case 'case':
        this.#addCase(event);
        return;
      case 'fileFinished':
        this.#finish(event);
        return;
      case 'withdrawn':
        for (const attempt of this.#items)
          if (event.items.includes(attempt.index)) this.#settling.push(giveBack(attempt));
        return;
      case 'hostEnded':
        return;
    }
  }

  #addCase(event: Extract<HostEvent, { kind: 'case' }>): void {
    const attempt = this.#current;
    if (attempt?.index !== event.item) return;
    if (attempt.addCase(event.case)) return;
    attempt.stop ??= {
      kind: 'tooManyCases',
      message: `${attempt.task.target} reported more than ${limit('casesPerAttempt')} cases.`,
    };
    this.#kill();
  }

  #finish(event: FileFinished): void {
    const attempt = this.#items.find(({ index, phase }) => index === event.item && phase === 'running');
    if (!attempt) return;
    if (attempt === this.#current) {
      this.#current = null;
      this.#watch?.stop();
    }
    const startupMs = this.#startupMs;
    this.#startupMs = undefined;
    this.#settling.push(this.#finishWhenHeard(attempt, event, startupMs));
    this.#watchGap();
  }

  async #finishWhenHeard(attempt: Attempt, event: FileFinished, startupMs: number | undefined): Promise<void> {
    await this.#session?.outputArrived(attempt.index);
    const leftovers = event.isMarked ? await this.#killLeftovers(attempt) : 0;
    const needsEvidence = event.died !== null || attempt.corrupt !== null;
    const resources = needsEvidence ? await this.#resources() : {};
    const evidence = {
      ...this.#launchEvidence(),
      ...costEvidence(event),
      ...(leftovers > 0 ? { leftoverProcesses: String(leftovers) } : {}),
    };
    await attempt.finish({ finished: event, startupMs, evidence, ...resources });
  }

  /** What the file started and left behind. The host's own children are the runner's: its workers and services. */
  async #killLeftovers(attempt: Attempt): Promise<number> {
    const host = this.#session?.pid;
    const count = await killMarked(fileMark, `${this.#mark}.${attempt.index}`, ({ parent }) => parent === host);
    if (count > 0)
      attempt.output('stderr', Buffer.from(`\n[assay: killed ${count} process(es) that this file left running]\n`));
    return count;
  }

  async #resources(): Promise<{ oomKills: number | null; scratchFreeBytes: number | null }> {
    const now = await oomKills();
    const killed = now === null || this.#oomBefore === null ? null : now - this.#oomBefore;
    return { oomKills: killed, scratchFreeBytes: await scratchFreeBytes(this.#state.input.scratchDir) };
  }

  #blame(reason: string): void {
    if (this.#current) this.#current.corrupt ??= reason;
    else this.#log.add(Buffer.from(`${reason}\n`));
  }

  #route(item: number | null, stream: StreamName, chunk: Buffer): void {
    const attempt = item === null ? undefined : this.#items.find(({ index }) => index === item);
    if (attempt) attempt.output(stream, chunk);
    else this.#log.add(chunk);
  }

  /** Acts on what was asked for: what has not started is withdrawn from the host, what runs is killed. */
  #steer(): void {
    const wanted = this.#items.filter(
      (attempt) => attempt.phase === 'waiting' && attempt.wanted && !this.#asked.has(attempt.index),
    );
    for (const { index } of wanted) this.#asked.add(index);
    if (wanted.length > 0) this.#session?.withdraw(wanted.map(({ index }) => index));
    void settleWanted(this.#state, (attempt) => this.#items.includes(attempt));
    const current = this.#current;
    if (current?.wanted?.kind === 'cancel') current.stop ??= { kind: 'canceled', message: current.wanted.reason };
    if (current?.stop) this.#kill();
  }

  /**
   * Between files, and before the first, the host has the same hard limit as a file; once all its files are through it
   * has a short while to end by itself.
   */
  #watchGap(): void {
    clearTimeout(this.#gapTimer);
    const isThrough = this.#items.every(({ phase }) => phase !== 'waiting');
    const limitMs = isThrough ? closeGraceMs : this.#state.input.suite.timeoutMs;
    this.#gapTimer = setTimeout(
      () => {
        this.#failure ??= `The runner was not ready within ${limitMs} ms.`;
        if (this.#isReady && !isThrough) this.#state.crashes += 1;
        this.#kill();
      },
      Math.min(limitMs, 2 ** 30),
    );
  }

  #watchFile(attempt: Attempt): void {
    clearTimeout(this.#gapTimer);
    this.#watch?.stop();
    this.#watch = watchAttempt(this.#state.input, attempt, () => this.#kill());
  }

  #kill(): void {
    this.#isKilledByUs = true;
    this.#session?.kill();
  }

  async #settle(end: SessionEnd): Promise<void> {
    const open = this.#items.filter(({ phase }) => phase === 'running');
    const evidence: Record<string, string> = {
      ...this.#launchEvidence(),
      ...(end.leftovers > 0 ? { leftoverProcesses: String(end.leftovers) } : {}),
    };
    if (open.length > 0 && open.every(({ stop }) => stop === null)) this.#state.crashes += 1;
    const resources = open.length > 0 ? await this.#resources() : {};
    for (const attempt of open) {
      const died = attempt.stop ? null : { message: '', exitCode: end.code, signal: end.signal };
      const exit = { code: end.code, signal: end.signal };
      await attempt.finish({ died, evidence, exit, startupMs: this.#startupMs, ...resources });
      this.#startupMs = undefined;
    }
    if (open.length > 0) return;
    if (this.#items.every(({ phase }) => phase !== 'waiting')) return;
    if (!this.#isReady) return this.#failedToStart(end);
    if (!this.#isKilledByUs) this.#state.crashes += 1;
  }

  /** A host that never got ready would not get ready for the next file either, unless the machine killed it. */
  async #failedToStart(end: SessionEnd): Promise<void> {
    if (this.#items.every(({ wanted }) => wanted !== null)) return;
    if (end.signal === 'SIGKILL' && !this.#isKilledByUs) {
      this.#state.crashes += 1;
      return;
    }
    const why = this.#failure ?? end.spawnError ?? `It ended with ${end.signal ?? `exit code ${end.code}`}.`;
    const log = this.#state.masker.mask(this.#log.end(4_000).trim());
    const message = `The ${this.#state.input.suite.runner} runner could not be started: ${why}${log ? `\n${log}` : ''}`;
    for (const attempt of this.#items) {
      if (attempt.phase === 'waiting' && !attempt.wanted) {
        await attempt.finish({
          trouble: { code: 'RUNNER_FAILED_TO_START', message, class: 'configuration', verdict: 'errored' },
          exit: { code: end.code, signal: end.signal },
        });
      }
    }
  }
}

async function giveBack(attempt: Attempt): Promise<void> {
  if (attempt.wanted?.kind === 'cancel') {
    attempt.stop = { kind: 'canceled', message: attempt.wanted.reason };
    await attempt.finish({});
  } else attempt.return('takenBack', '');
}

function costEvidence(event: FileFinished): Record<string, string> {
  return Object.fromEntries(Object.entries(event.cost).map(([name, ms]) => [name, ms.toFixed(1)]));
}
