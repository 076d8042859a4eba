// The agent, put together: the state directory, the spool, the work in hand and the link, around the pure connection
// machine. Everything that happens becomes an input of that machine, and its outputs are carried out here, in order.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { AssayError, productVersion } from '@assay/protocol';
import type { AttemptOutcome, AttemptRef, MachineIdentity, Report } from '@assay/protocol';
import { Outbox } from './blobs/outbox.ts';
import type { AttemptFile } from './blobs/outbox.ts';
import { Uploader } from './blobs/uploader.ts';
import type { BlobAccess } from './blobs/http.ts';
import { browserAction, endSessions, execute, prepareToExecute } from './execute-later.ts';
import { WarmHosts } from './execute/warm-hosts.ts';
import { LiveOutput } from './link/live-output.ts';
import { AgentSettings } from './options.ts';
import { guardOrphan } from './orphan-guard.ts';
import type { Agent, AgentEnd, AgentOptions, Say } from './options.ts';
import { ProfileWatch } from './profile-watch.ts';
import { ReadingsWatch } from './readings-watch.ts';
import type { Measured } from './profile-watch.ts';
import { recover } from './recover.ts';
import { clearScratch, scratchDirectory } from './scratch-dir.ts';
import { createSession } from './session/session.ts';
import type { SessionOffer, SessionOutput } from './session/session.ts';
import { SessionDriver } from './session-driver.ts';
import { Soundness } from './soundness.ts';
import { checkedReport } from './slots/checked-report.ts';
import { Ledger } from './slots/ledger.ts';
import { Work } from './slots/work.ts';
import { Sources } from './sources/sources.ts';
import { openFileSpool } from './spool/file-spool.ts';
import type { ReportBody, Spool } from './spool/spool.ts';
import { openStateDir } from './state-dir.ts';
import type { StateDir } from './state-dir.ts';
import { killLeftovers } from './slots/leftovers.ts';

type Settings = ReturnType<typeof AgentSettings.parse>;

/**
 * Starts an agent and returns once it is ready to connect. Throws WORKER_STATE_IN_USE, WORKER_STATE_UNUSABLE, USAGE.
 * A coordinator that is not there (yet) is no error: the agent goes on trying.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { say = () => undefined, env = process.env, measured: given, ...rest } = options;
  const parsed = AgentSettings.safeParse(rest);
  if (!parsed.success)
    throw new AssayError(
      'USAGE',
      `wrong agent options: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
    );
  const state = await openStateDir(parsed.data.stateDir);
  try {
    const agent = new RunningAgent(state, parsed.data, env, say, readCa(parsed.data.caFile));
    await agent.start(given ?? probe(parsed.data.measureBrowsers));
    return agent;
  } catch (error) {
    state.release();
    throw error;
  }
}

class RunningAgent implements Agent {
  readonly workerId: string;
  readonly done: Promise<AgentEnd>;
  readonly #state: StateDir;
  readonly #settings: Settings;
  readonly #say: Say;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #access: BlobAccess;
  readonly #scratchDir: string;
  readonly #spool: Spool;
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #warm = new WarmHosts();
  readonly #sources: Sources;
  readonly #uploader: Uploader;
  #finish!: (end: AgentEnd) => void;
  #offer!: SessionOffer;
  #driver!: SessionDriver;
  #work!: Work;
  #live!: LiveOutput;
  #soundness!: Soundness;
  #watch: ProfileWatch | null = null;
  #readings: ReadingsWatch | null = null;
  #gpuPlaces: MachineIdentity['gpus'] = [];
  #parentWatch: NodeJS.Timeout | null = null;
  /** The number of the last `profileChanged` that is not acknowledged: work that comes before that was placed on another machine. */
  #profileSeq: number | null = null;
  #isEnding = false;
  #isDraining = false;
  #isRestarting = false;

  constructor(
    state: StateDir,
    settings: Settings,
    env: Readonly<Record<string, string | undefined>>,
    say: Say,
    ca: string | null,
  ) {
    this.workerId = state.worker;
    this.#state = state;
    this.#settings = settings;
    this.#env = env;
    this.#say = say;
    this.#access = { url: settings.url, token: settings.token, ca };
    this.#scratchDir = scratchDirectory(state.worker);
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#spool = openFileSpool({ directory: join(state.path, 'spool'), say });
    this.#ledger = new Ledger({ path: join(state.path, 'work.ndjson'), say });
    this.#outbox = new Outbox({ directory: join(state.path, 'outbox') });
    const sourcesDir = join(state.path, 'sources');
    mkdirSync(sourcesDir, { recursive: true, mode: 0o700 });
    this.#sources = new Sources({
      directory: sourcesDir,
      access: this.#access,
      allowDirectories: settings.allowDirectories,
      tmpDir: join(this.#scratchDir, 'setup'),
      leave: async (directory) => this.#warm.closeUnder(directory),
      env,
      say,
    });
    this.#uploader = new Uploader({
      access: this.#access,
      outbox: this.#outbox,
      say,
      ready: (report) => this.#driver.input({ kind: 'reportReady', report }),
    });
  }

  async start(measuring: Promise<Measured>): Promise<void> {
    const nowMs = Date.now();
    await recover({ spool: this.#spool, ledger: this.#ledger, scratchDir: this.#scratchDir, nowMs, say: this.#say });
    clearScratch(this.#scratchDir);
    const measured = await measuring;
    this.#offer = this.#offerOf(measured, randomBytes(8).toString('hex'));
    this.#live = new LiveOutput({
      nowMs: () => performance.now(),
      isWelcome: () => this.#driver.canTakeOutput(),
      send: (messages) => this.#driver.input({ kind: 'outputAdded', messages }),
    });
    this.#work = this.#createWork();
    this.#soundness = this.#createSoundness();
    this.#connect();
    this.#soundness.start();
    this.#watch = new ProfileWatch(measured, {
      probe: () => probe(this.#settings.measureBrowsers),
      everyMs: this.#settings.reprobeMs,
      changed: (next) => this.#profileChanged(next),
      say: this.#say,
    });
    this.#gpuPlaces = measured.identity?.gpus ?? [];
    this.#readings = new ReadingsWatch({
      everyMs: this.#settings.readingsMs,
      gpus: () => this.#gpuPlaces,
      isWelcome: () => this.#driver.canTakeOutput(),
      send: (readings) => this.#driver.input({ kind: 'outputAdded', messages: [{ kind: 'readings', readings }] }),
      say: this.#say,
    });
    this.#readings.start();
    const { parentPid } = this.#settings;
    if (parentPid !== undefined)
      this.#parentWatch = guardOrphan(parentPid, () => {
        this.#say('warning', `process ${parentPid}, which this agent works for, is gone`);
        this.kill('its parent is gone');
      });
    // The agent of a local run gets its first batch at once; another may stay small for long.
    if (parentPid !== undefined) void prepareToExecute();
  }

  drain(reason: string): void {
    if (this.#isDraining || this.#isEnding) return;
    this.#isDraining = true;
    this.#say('info', `draining: ${reason}`);
    this.#work.drain(reason);
    void this.#warm.close('politely');
    const report = this.#spool.append({ kind: 'draining', reason: reason.slice(0, 500) });
    if (report.kind === 'draining') this.#driver.input({ kind: 'drainAsked', report });
  }

  kill(reason: string): void {
    void this.#warm.close('by force');
    this.#driver.input({ kind: 'stopAsked', reason });
  }

  #connect(): void {
    const pending = this.#spool.unacknowledged();
    const waiting = pending.filter((report) => this.#uploader.needs(report));
    this.#outbox.keepOnly(
      new Set(
        pending
          .flatMap((report) => (report.kind === 'finished' ? (report.outcome.blobs ?? []) : []))
          .map((blob) => blob.digest),
      ),
    );
    this.#driver = new SessionDriver({
      state: createSession({
        offer: this.#offer,
        pending: pending.map((report) => ({ report, isReady: !waiting.includes(report) })),
        nextSeq: this.#spool.nextSeq(),
        seed: randomBytes(4).readUInt32LE(),
      }),
      link: { url: this.#settings.url, token: this.#settings.token, ca: this.#access.ca },
      perform: (output) => this.#perform(output),
      connected: (isConnected) => this.#uploader.setConnected(isConnected),
    });
    for (const report of waiting) this.#uploader.add(report);
    this.#driver.input({ kind: 'started' });
  }

  #createWork(): Work {
    return new Work({
      slots: this.#offer.slots,
      scratchDir: this.#scratchDir,
      env: this.#env,
      execute: (input, sink) => execute({ ...input, machine: this.#offer.profile, warm: this.#warm }, sink),
      acquire: async (source) => this.#sources.acquire(source),
      report: (body) => this.#report(body),
      keepFiles: async (ref, outcome, files) => this.#keepFiles(ref, outcome, files),
      output: (ref, stream, text) => this.#live.add(ref, stream, text),
      misfit: () =>
        this.#profileSeq === null ? null : 'this machine changed and the coordinator does not know it yet',
      gpus: () => this.#offer.profile.gpus ?? [],
      nowMs: () => Date.now(),
      changed: () => this.#soundness.workChanged(),
    });
  }

  #createSoundness(): Soundness {
    const restart = (reason: string): void => {
      this.#isRestarting = true;
      this.drain(reason);
    };
    const soundness = new Soundness({
      settings: this.#settings.soundness,
      stateDir: this.#state.path,
      scratchDir: this.#scratchDir,
      env: this.#env,
      work: () => this.#work,
      report: (body) => this.#report(body),
      restart: this.#settings.canRestart ? restart : null,
      say: this.#say,
    });
    for (const step of ['page', 'browser', 'gpuProcess'] as const) soundness.ladder.register(step, browserAction(step));
    return soundness;
  }

  /** Carries out one output of the connection machine. Those about the link are the driver's own. */
  #perform(output: SessionOutput): void {
    switch (output.kind) {
      case 'deliverAssign':
        this.#ledger.assigned(output.assign.tasks);
        return this.#work.assign(output.assign);
      case 'deliverTakeBack':
        return this.#work.takeBack(output.attempts);
      case 'deliverCancel':
        return this.#work.cancel(output.attempts, output.reason);
      case 'deliverDrain':
        return this.drain(output.reason);
      case 'deliverCertify':
        return this.#soundness.certify(output.request);
      case 'deliverRecover':
        return this.#soundness.recover(output.request);
      case 'fleetChecks':
        return this.#soundness.fleetChecks(output.checks);
      case 'abandon':
        this.#ledger.settled(output.attempts);
        for (const ref of output.attempts) this.#live.end(ref);
        return this.#work.abandon(output.attempts);
      case 'dropSpool':
        this.#spool.dropThrough(output.throughSeq);
        if (this.#profileSeq !== null && output.throughSeq >= this.#profileSeq) this.#profileSeq = null;
        return;
      case 'note':
        return this.#say(output.level, output.text);
      case 'stop':
        return void this.#end(output.reason, output.error);
      default:
        return;
    }
  }

  #report(body: ReportBody): void {
    const report = this.#spool.append(checkedReport(body));
    if (report.kind === 'started') this.#ledger.started({ task: report.task, attempt: report.attempt }, report.atMs);
    if (report.kind === 'cases')
      this.#ledger.cases({ task: report.task, attempt: report.attempt }, report.from + report.cases.length);
    if (report.kind === 'finished') this.#settled([{ task: report.task, attempt: report.attempt }]);
    if (report.kind === 'returned') this.#settled(report.attempts);
    this.#add(report);
  }

  #settled(refs: readonly AttemptRef[]): void {
    this.#ledger.settled(refs);
    for (const ref of refs) this.#live.end(ref);
  }

  #add(report: Report): void {
    const needsFiles = this.#uploader.needs(report);
    this.#driver.input({ kind: 'reportAdded', report, isReady: !needsFiles });
    if (needsFiles) this.#uploader.add(report);
  }

  async #keepFiles(ref: AttemptRef, outcome: AttemptOutcome, files: readonly AttemptFile[]): Promise<AttemptOutcome> {
    const taken = await this.#outbox.take(files);
    for (const { name, reason } of taken.leftOut) this.#say('warning', `${name} of ${ref.task} is left out: ${reason}`);
    // The attempt's folder of kept files is empty now, or holds what was left out.
    const keptDir = join(this.#scratchDir, 'kept');
    for (const { path } of files)
      if (dirname(dirname(path)) === keptDir) rmSync(dirname(path), { recursive: true, force: true });
    return taken.refs.length === 0 ? outcome : { ...outcome, blobs: taken.refs };
  }

  #profileChanged(measured: Measured): void {
    this.#gpuPlaces = measured.identity?.gpus ?? [];
    this.#offer = this.#offerOf(measured, this.#offer.incarnation);
    this.#driver.input({ kind: 'offerChanged', offer: this.#offer });
    try {
      const report = this.#spool.append({
        kind: 'profileChanged',
        profile: measured.profile,
        profileDigest: measured.digest,
      });
      this.#profileSeq = report.seq;
      this.#add(report);
    } catch (error) {
      // The next hello carries the profile; a spool that is full has no link.
      this.#say('warning', `the changed profile is told with the next connection: ${String(error)}`);
    }
    this.#say('info', `this machine changed: profile ${measured.digest}`);
    this.#work.misfitted('this machine changed');
  }

  #offerOf(measured: Measured, incarnation: string): SessionOffer {
    const { name, pool, slots, declared } = this.#settings;
    return {
      agentVersion: productVersion,
      worker: this.#state.worker,
      incarnation,
      name: name ?? hostname().slice(0, 200),
      pool,
      slots: slots ?? measured.profile.cpu.count ?? 1,
      profile: measured.profile,
      profileDigest: measured.digest,
      declared,
    };
  }

  async #end(reason: string, error: AgentEnd['error']): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (this.#parentWatch !== null) clearInterval(this.#parentWatch);
    this.#watch?.close();
    this.#readings?.close();
    this.#soundness.close();
    this.#uploader.close();
    this.#sources.close();
    // What runs is not cancelled one by one with its grace: it is ended, and the next incarnation accounts for it.
    const isWorking = this.#work.size > 0;
    const over = this.#work.abandonAll();
    if (isWorking) await killLeftovers(this.#scratchDir);
    await Promise.all([over, this.#warm.close(this.#isDraining ? 'politely' : 'by force')]);
    await endSessions();
    rmSync(this.#scratchDir, { recursive: true, force: true });
    this.#live.close();
    this.#driver.close();
    this.#spool.close();
    this.#ledger.close();
    this.#state.release();
    this.#finish({ reason, error, ...(this.#isRestarting ? { isRestart: true } : {}) });
  }
}

async function probe(withBrowsers: boolean): Promise<Measured> {
  // Loaded when it is needed: it is the largest part of the agent, and used once in minutes.
  if (withBrowsers) return (await import('./probe/page-measurements.ts')).probeWithBrowsers();
  return (await import('./probe/index.ts')).probeMachine();
}

function readCa(file: string | undefined): string | null {
  try {
    return file === undefined ? null : readFileSync(file, 'utf8');
  } catch (error) {
    throw new AssayError('USAGE', `the CA file cannot be read: ${String(error)}`);
  }
}
