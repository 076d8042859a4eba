// One life of a runner host within a batch: it is given the waiting files, its events are turned into attempts, the
// clocks of the file in progress are watched, and at its end the file it died in is settled. A host that came through without
// a blemish is kept for the next batch where its runner allows that (warm-hosts.ts); any other is ended.
import { randomBytes } from 'node:crypto';
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
import { closeGraceMs, warmKey } from './warm-hosts.ts';
import { watchAttempt } from './watch-attempt.ts';
import type { AttemptWatch } from './watch-attempt.ts';

type HostLaunch = Extract<Launch, { kind: 'host' }>;

const hostLogBytes = 64 * 1024;

/** Runs `items` in one host; resolves when all that started in it is settled, and it is gone or kept for the next batch. */
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
  readonly #asked = new Set<Attempt>();
  readonly #kept = Promise.withResolvers<null>();
  /** Null where a host of this runner serves one batch only. */
  readonly #key: string | null;
  #session: HostSession | null = null;
  /** The number of the first item in this host. */
  #firstNumber = 0;
  #current: Attempt | null = null;
  #watch: AttemptWatch | undefined;
  #gapTimer: NodeJS.Timeout | undefined;
  #openedAtMs = 0;
  #isReady = false;
  #isLaunchSaid = false;
  /** Something died, was killed, was left behind, or could be: such a host is not kept. */
  #isBlemished = false;
  #startupMs: number | undefined;
  #failure: string | null = null;
  #isKilledByUs = false;
  #oomBefore: number | null = null;

  constructor(state: BatchState, launch: HostLaunch, items: readonly Attempt[]) {
    this.#state = state;
    this.#launch = launch;
    this.#items = items;
    const { warm, suite } = state.input;
    const mayOutlive = launch.outlivesBatch === true && warm !== undefined && suite.batching !== 'single';
    this.#key = mayOutlive ? warmKey(state, launch) : null;
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
    for (const attempt of this.#items) await mkdir(attempt.scratch, { recursive: true });
    this.#oomBefore = await oomKills();
    this.#openedAtMs = this.#state.input.nowMs();
    const session = await this.#open();
    this.#session = session;
    this.#state.steer = { wantedChanged: () => this.#steer() };
    this.#firstNumber = session.numbers(this.#items.length);
    session.run(
      this.#items.map(({ task, scratch }, place) => ({
        id: this.#firstNumber + place,
        target: task.target,
        tmp: scratch,
      })),
    );
    if (this.#key === null) session.end();
    this.#watchGap();
    this.#steer();
    const end = await Promise.race([session.ended, this.#kept.promise]);
    clearTimeout(this.#gapTimer);
    this.#watch?.stop();
    this.#state.steer = null;
    await Promise.all(this.#settling);
    if (end === null) return;
    await this.#settle(end);
    await session.clear();
  }

  /** A host that an earlier batch of the same suite left warm, or a new one. */
  async #open(): Promise<HostSession> {
    const { input } = this.#state;
    const listener = {
      event: (event: HostEvent) => this.#observe(event),
      corrupt: (reason: string) => this.#blame(reason),
      caughtUp: () => this.#current?.flush(),
      output: (item: number | null, stream: StreamName, chunk: Buffer) => this.#route(item, stream, chunk),
    };
    const warm = this.#key === null ? null : (input.warm?.take(this.#key) ?? null);
    if (warm !== null) {
      this.#isReady = true;
      warm.listen(listener);
      return warm;
    }
    const mark = `h-${randomBytes(5).toString('hex')}`;
    const directory = path.join(path.resolve(input.scratchDir), mark);
    const base = path.join(directory, 'base');
    await mkdir(base, { recursive: true });
    const { command, arguments: args, env } = this.#launch;
    return HostSession.open(
      {
        command,
        arguments: args,
        cwd: path.join(path.resolve(input.projectDir), input.suite.directory),
        env: { ...this.#state.env, TMPDIR: base, TMP: base, TEMP: base, ...env },
        suiteArguments: input.suite.arguments,
        directory,
        mark,
        killGraceMs: this.#state.killGraceMs,
        masker: this.#state.masker,
      },
      listener,
    );
  }

  #numberOf(attempt: Attempt): number {
    return this.#firstNumber + this.#items.indexOf(attempt);
  }

  #itemOf(number: number): Attempt | undefined {
    return this.#items[number - this.#firstNumber];
  }

  #observe(event: HostEvent): void {
    switch (event.kind) {
      case 'hostReady':
        this.#isReady = true;
        this.#startupMs = this.#state.input.nowMs() - this.#openedAtMs;
        return;
      case 'hostIdle':
        void this.#idle();
        return;
      case 'hostFailed':
        this.#failure = event.message;
        return;
      case 'fileStarted':
        this.#current = this.#itemOf(event.item) ?? null;
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
        for (const number of event.items) {
          const attempt = this.#itemOf(number);
          if (attempt) this.#settling.push(giveBack(attempt));
        }
        return;
      case 'hostEnded':
        return;
    }
  }

  #addCase(event: Extract<HostEvent, { kind: 'case' }>): void {
    const attempt = this.#current;
    if (attempt === null || attempt !== this.#itemOf(event.item)) return;
    if (attempt.addCase(event.case)) return;
    attempt.stop ??= {
      kind: 'tooManyCases',
      message: `${attempt.task.target} reported more than ${limit('casesPerAttempt')} cases.`,
    };
    this.#kill();
  }

  #finish(event: FileFinished): void {
    const attempt = this.#itemOf(event.item);
    if (attempt?.phase !== 'running') return;
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
    await this.#session?.outputArrived(this.#numberOf(attempt));
    const leftovers = event.isMarked ? await this.#killLeftovers(attempt) : 0;
    const needsEvidence = event.died !== null || attempt.corrupt !== null;
    if (needsEvidence || leftovers > 0 || !event.isMarked) this.#isBlemished = true;
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
    const mark = `${this.#session?.mark}.${this.#numberOf(attempt)}`;
    const count = await killMarked(fileMark, mark, ({ parent }) => parent === host, 'new');
    if (count > 0)
      attempt.output('stderr', Buffer.from(`\n[assay: killed ${count} process(es) that this file left running]\n`));
    return count;
  }

  /** It has nothing to run: kept for the next batch, if nothing speaks against it, or ended. */
  async #idle(): Promise<void> {
    const session = this.#session;
    // What it is to run may still be on its way to it; a file that it has finished may still be settling here.
    if (session === null || this.#items.some(({ phase }) => phase === 'waiting')) return;
    await Promise.all(this.#settling);
    const key = this.#isBlemished || this.#isKilledByUs ? null : this.#key;
    const { warm, projectDir } = this.#state.input;
    const isKept = key !== null && warm?.keep(session, key, projectDir) === true;
    if (isKept) this.#kept.resolve(null);
    else session.end();
  }

  async #resources(): Promise<{ oomKills: number | null; scratchFreeBytes: number | null }> {
    const now = await oomKills();
    const killed = now === null || this.#oomBefore === null ? null : now - this.#oomBefore;
    return { oomKills: killed, scratchFreeBytes: await scratchFreeBytes(this.#state.input.scratchDir) };
  }

  #blame(reason: string): void {
    this.#isBlemished = true;
    if (this.#current) this.#current.corrupt ??= reason;
    else this.#log.add(Buffer.from(`${reason}\n`));
  }

  #route(item: number | null, stream: StreamName, chunk: Buffer): void {
    const attempt = item === null ? undefined : this.#itemOf(item);
    if (attempt) attempt.output(stream, chunk);
    else this.#log.add(chunk);
  }

  /** Acts on what was asked for: what has not started is withdrawn from the host, what runs is killed. */
  #steer(): void {
    const wanted = this.#items.filter(
      (attempt) => attempt.phase === 'waiting' && attempt.wanted && !this.#asked.has(attempt),
    );
    for (const attempt of wanted) this.#asked.add(attempt);
    if (wanted.length > 0) this.#session?.withdraw(wanted.map((attempt) => this.#numberOf(attempt)));
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
    const resources = await this.#resources();
    for (const attempt of this.#items) {
      if (attempt.phase === 'waiting' && !attempt.wanted) {
        await attempt.finish({
          trouble: { code: 'RUNNER_FAILED_TO_START', message, class: 'configuration', verdict: 'errored' },
          exit: { code: end.code, signal: end.signal },
          ...resources,
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
