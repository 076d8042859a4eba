// The coordinator put together: the one place that knows every part. Nothing here decides anything.
// State directory (mode 0700, one process at a time):
//   lock.sqlite      held while the process lives          journal/     segments, `<first seq>.sqlite`
//   snapshots/       `<seq>.json`, the newest two          results.duckdb
//   blobs/           content-addressed files               tokens.sqlite
// What always holds: it serves only after recovery; a start that fails leaves nothing open.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine, type Engine, type EngineConfig } from '@assay/core';
import { AdmissionPolicy, AssayError, type CheckSpec } from '@assay/protocol';
import { openAuthority } from './adapters/authority-sqlite.ts';
import { openFileBlobStore } from './adapters/blobs-files.ts';
import { createMonotonicClock, createSystemClock } from './adapters/clock-system.ts';
import { openSqliteJournal, type SqliteJournal } from './adapters/journal-sqlite/journal.ts';
import { withOwner } from './authority/owner.ts';
import { startProber, type Prober } from './circuits/dependency-prober.ts';
import { engineConfigOf } from './engine-config.ts';
import { createMemoryFeed } from './feed/live-feed.ts';
import { openResults, type ResultsLink } from './follow/results-link.ts';
import { snapshotDefaults, Snapshots, type SnapshotPolicy } from './follow/snapshots.ts';
import { retentionDefaults, startHousekeeping, type RetentionSettings } from './housekeeping.ts';
import type { AuthMode } from './http/authenticate.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { createLog, type Log } from './log.ts';
import type { Authority } from './ports/authority.ts';
import type { BlobStore } from './ports/blob-store.ts';
import type { Clock } from './ports/clock.ts';
import type { Coordinator } from './ports/coordinator.ts';
import { createRecordings } from './recording/recordings.ts';
import { recoverState } from './recovery.ts';
import type { CoordinatorSettings, DependencySetting } from './settings.ts';
import { createShell, type Shell } from './shell.ts';

export type CoordinatorOptions = {
  stateDir: string;
  /** 127.0.0.1 unless given; beyond loopback tokens must exist. */
  host?: string;
  /** 0, the default, is any free port. */
  port?: number;
  tls?: { cert: string | Buffer; key: string | Buffer };
  /** Default `tokens`. */
  auth?: AuthMode;
  /** A secret with all scopes for as long as this process lives: for whoever starts it. */
  ownerSecret?: string;
  /** The folder of the dashboard's files; absent: no pages. */
  dashboardDir?: string;
  engine?: Partial<EngineConfig>;
  /** Weights, quotas, reserved pools and caps of keys; absent is none of them, whatever an earlier start laid down. */
  policy?: AdmissionPolicy;
  /** Checks that every worker of the fleet runs, beside its own. */
  fleetChecks?: readonly CheckSpec[];
  journal?: { segmentBytesMax?: number; segmentAgeMaxMs?: number };
  retention?: Partial<RetentionSettings>;
  snapshots?: Partial<SnapshotPolicy>;
  /** What tests need besides a worker: probed for as long as it serves. */
  dependencies?: readonly DependencySetting[];
  /** Circuits, by kind of scope: what differs from the defaults. */
  circuits?: CoordinatorSettings['circuits'];
  log?: Log;
  /** Called when it cannot go on (JOURNAL_WRITE_FAILED, a bug). By default the process ends with exit code 70. */
  onFatal?: (error: unknown) => void;
};

export interface RunningCoordinator {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly coordinator: Coordinator;
  readonly authority: Authority;
  readonly blobs: BlobStore;
  /** Commits and delivers what was taken, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Time between two batches of results: each costs DuckDB some 10 ms whatever is in it, more where it shares the processors with
 * tests. A run that settles, and what one batch could not hold, do not wait for it.
 */
const resultsGatherMs = 3_000;
/**
 * How long the start waits for the results store: long enough that a store of a newer version stops the start even on a machine that is busy
 * with other things (it opens in under a second otherwise), and an end to it for a store on a disk that hangs.
 */
const resultsOpenMs = 10_000;
/** How long the stop waits for the results store. */
const resultsCloseMs = 2_000;
const exitCodeOfBug = 70;
const fatalStopMs = 3_000;

/** Recovers, then serves. Throws STATE_IN_USE, JOURNAL_CORRUPT, JOURNAL_NEWER, RESULTS_NEWER, LISTEN_NOT_LOOPBACK and the like. */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    return await assemble(options, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What is put together later than whoever needs it. */
type Parts = { shell: Shell | null; prober: Prober | null; results: ResultsLink | null };
type Closers = (() => Promise<void> | void)[];

async function assemble(
  options: CoordinatorOptions,
  closers: Closers,
  stop: () => Promise<void>,
): Promise<RunningCoordinator> {
  const { log = createLog() } = options;
  const startedMs = performance.now();
  const parts: Parts = { shell: null, prober: null, results: null };
  const fatal = fatalOf(options, log, stop, async () => void (await parts.results?.close(0)));
  const kept = await openState(options, closers, log);
  const { journal, blobs, authority } = kept;
  const results = openResultsOf(options.stateDir, journal, log, (seq) =>
    parts.shell?.post({ kind: 'resultsAcknowledged', seq }),
  );
  parts.results = results;
  const recovered = await recoverState(journal, (message) => log.warn(message));
  const clock = createSystemClock(recovered.lastAtMs, (message) => log.warn(message));
  const snapshots = openSnapshots(options, journal, clock, recovered.snapshotSeq, log);
  // Closed in the opposite order: results and snapshots read the journal to its end, so it closes after them.
  closers.push(
    () => snapshots.stop(),
    () => closeResults(results, log),
  );
  await checkResults(results, journal, fatal.onFatal);

  const config = engineConfigOf(options.engine, options.circuits);
  const engine = createEngine(config, recovered.state);
  const shell = createShellOf({
    engine,
    config,
    journal,
    clock,
    results,
    snapshots,
    onFatal: fatal.onFatal,
    ...checksOf(options),
    nextProbeInMs: (dependency) => parts.prober?.nextProbeInMs(dependency) ?? null,
  });
  parts.shell = shell;
  const server = createServerOf(options, { shell, blobs, authority }, log);
  // What was taken is committed and answered before the doors close: acknowledgements still reach the workers.
  closers.push(
    () => server.close(),
    () => shell.stop(),
  );
  results.durable(journal.lastSeq());
  shell.post({ kind: 'resultsAcknowledged', seq: results.appliedSeq() });
  const restarted = shell.submit({ kind: 'coordinatorRestarted', epoch: recovered.state.epoch + 1 });
  await Promise.race([restarted, fatal.beforeServing]);
  const policy = options.policy ?? AdmissionPolicy.parse({});
  await Promise.race([shell.submit({ kind: 'setPolicy', policy, actor: 'assay' }), fatal.beforeServing]);

  const settings = { ...retentionDefaults, ...options.retention };
  const resultsSeq = (): number => results.appliedSeq();
  closers.push(startHousekeeping({ journal, blobs, clock, state: engine.state, resultsSeq, settings, log }));
  parts.prober = watchDependencies(options, engine, shell);
  closers.push(() => parts.prober?.stop());
  const listening = await server.listen();
  fatal.serving();
  const startMs = Math.round(performance.now() - startedMs);
  log.info('serving', { url: listening.url, ...startOf(engine, recovered), startMs });
  return { ...listening, coordinator: shell, authority, blobs, stop: once(stop) };
}

/** Looks at what is configured; the circuit of what is no longer looked at must not keep its work waiting for ever. */
function watchDependencies({ dependencies = [] }: CoordinatorOptions, engine: Engine, shell: Shell): Prober {
  const watched = new Set(dependencies.map(({ name }) => name));
  for (const { circuit, scope, breaker } of engine.state.circuits.values())
    if (scope.kind === 'dependency' && !watched.has(scope.dependency) && breaker.state.kind !== 'closed')
      shell.post({ kind: 'resetCircuit', circuit, actor: 'assay', reason: 'it is no longer in the settings' });
  return startProber({ dependencies, clock: createMonotonicClock(), post: (input) => shell.post(input) });
}

type State = { journal: SqliteJournal; authority: Authority; blobs: BlobStore };

async function openState(options: CoordinatorOptions, closers: Closers, log: Log): Promise<State> {
  const { stateDir } = options;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const journal = openSqliteJournal({
    ...options.journal,
    stateDirectory: stateDir,
    onNotice: (message) => log.warn(message),
  });
  closers.push(() => journal.close());
  const stored = openAuthority(stateDir);
  closers.push(() => stored.close());
  const authority = options.ownerSecret === undefined ? stored : withOwner(stored, options.ownerSecret);
  const blobs = await openFileBlobStore(join(stateDir, 'blobs'));
  return { journal, authority, blobs };
}

type ShellParts = {
  engine: Engine;
  config: EngineConfig;
  journal: SqliteJournal;
  clock: Clock;
  results: ResultsLink;
  snapshots: Snapshots;
  fleetChecks?: readonly CheckSpec[];
  onFatal: (error: unknown) => void;
  nextProbeInMs: (dependency: string) => number | null;
};

function createShellOf({ results, snapshots, ...parts }: ShellParts): Shell {
  return createShell({
    ...parts,
    feed: createMemoryFeed({ startSeq: parts.journal.lastSeq() }),
    recording: createRecordings({
      journalDirectory: parts.journal.journalDirectory,
      snapshotDirectory: parts.journal.snapshotDirectory,
      durableSeq: () => parts.journal.lastSeq(),
    }),
    results: results.store,
    analysis: results.analysis,
    onDurable: (seq, hasSettledRun) => {
      results.durable(seq, hasSettledRun);
      snapshots.durable(seq);
    },
    followers: () => ({
      resultsSeq: results.appliedSeq(),
      resultsError: results.error(),
      snapshotSeq: snapshots.latestSeq(),
    }),
  });
}

function checksOf({ fleetChecks }: CoordinatorOptions): { fleetChecks?: readonly CheckSpec[] } {
  return fleetChecks === undefined ? {} : { fleetChecks };
}

type Doors = { shell: Shell; blobs: BlobStore; authority: Authority };

function createServerOf(options: CoordinatorOptions, doors: Doors, log: Log): HttpServer {
  return createHttpServer({
    coordinator: doors.shell,
    blobs: doors.blobs,
    authority: doors.authority,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    auth: options.auth ?? 'tokens',
    log: (message, details) => log.info(message, details),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.dashboardDir === undefined ? {} : { dashboardDir: options.dashboardDir }),
  });
}

function openResultsOf(
  stateDir: string,
  journal: SqliteJournal,
  log: Log,
  acknowledged: (seq: number) => void,
): ResultsLink {
  return openResults({
    journalDirectory: journal.journalDirectory,
    resultsFile: join(stateDir, 'results.duckdb'),
    firstSeq: () => journal.firstSeq(),
    gatherMs: resultsGatherMs,
    acknowledged,
    onTrouble: (error) =>
      error === null
        ? log.info('results are written again')
        : log.warn('results are not written now; runs go on', { error }),
  });
}

async function closeResults(results: ResultsLink, log: Log): Promise<void> {
  if (!(await results.close(resultsCloseMs))) log.warn('the results store did not close in time');
}

/** A results store that is ahead of the journal belongs to another one: it would silently skip entries. */
async function checkResults(
  results: ResultsLink,
  journal: SqliteJournal,
  onFatal: (error: unknown) => void,
): Promise<void> {
  const lastSeq = journal.lastSeq();
  const checked = results.opened().then((appliedSeq) => {
    if (appliedSeq === null || appliedSeq <= lastSeq) return;
    throw new AssayError(
      'JOURNAL_CORRUPT',
      `the journal ends at ${lastSeq}, but the results hold everything up to ${appliedSeq}: durable entries are missing`,
    );
  });
  const waited = new Promise<'late'>((resolve) => setTimeout(resolve, resultsOpenMs, 'late').unref());
  // A large results file may take long to open: it must not keep the workers waiting.
  if ((await Promise.race([checked, waited])) === 'late') checked.catch(onFatal);
}

function openSnapshots(
  options: CoordinatorOptions,
  journal: SqliteJournal,
  clock: Clock,
  latestSeq: number | null,
  log: Log,
): Snapshots {
  return new Snapshots({
    journalDirectory: journal.journalDirectory,
    snapshotDirectory: journal.snapshotDirectory,
    clock,
    policy: { ...snapshotDefaults, ...options.snapshots },
    latestSeq,
    eventBytes: () => journal.eventBytes(),
    onDone: ({ notices, ...done }) => {
      for (const notice of notices) log.warn(notice);
      log.info('snapshot written', done);
    },
    onFailed: (error) => log.error('a snapshot could not be written', { error }),
  });
}

/** What happens when it cannot go on. While it starts, the start fails; later the process ends, unless the caller decides. */
function fatalOf(
  options: CoordinatorOptions,
  log: Log,
  stop: () => Promise<void>,
  letGoOfResults: () => Promise<void>,
) {
  const { promise: beforeServing, reject } = Promise.withResolvers<never>();
  beforeServing.catch(() => undefined);
  let isServing = false;
  return {
    beforeServing,
    serving: () => {
      isServing = true;
    },
    onFatal: (error: unknown): void => {
      if (!isServing) return reject(error);
      log.error('the coordinator cannot go on; it recovers from its journal when it is started again', { error });
      if (options.onFatal !== undefined) return options.onFatal(error);
      // The results thread is let end even where the rest hangs: cut off inside the database's own code, it would abort the process.
      const late = new Promise<void>((resolve) => setTimeout(resolve, fatalStopMs));
      const stopped = stop().catch(() => undefined);
      void Promise.race([stopped, late])
        .then(letGoOfResults)
        .finally(() => process.exit(exitCodeOfBug));
    },
  };
}

function startOf(engine: Engine, recovered: { snapshotSeq: number | null; entries: number }): Record<string, unknown> {
  return {
    seq: engine.state.seq,
    snapshotSeq: recovered.snapshotSeq,
    foldedEntries: recovered.entries,
    runs: engine.state.runs.size,
    epoch: engine.state.epoch,
  };
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= act());
}
