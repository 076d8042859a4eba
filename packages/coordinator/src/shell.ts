// The coordinator over its driver: the one door for the routes (ports/coordinator.ts), and what happens at each commit.
// What always holds: at a commit the workers' messages go out, then the live feed, then the followers are told; replies come
// after (driver.ts). Views read the engine's state, which may be ahead of the disk: whoever sends them waits for whenDurable.
import {
  explainTask,
  scopeOfCircuit,
  viewCalibration,
  viewCircuit,
  viewCircuits,
  viewQuarantines,
  viewRecovery,
  viewRun,
  viewRuns,
  viewTask,
  viewTasks,
  viewWorker,
  viewWorkers,
  type Engine,
  type EngineConfig,
  type Input,
  type Reply,
} from '@assay/core';
import {
  productVersion,
  protocolVersion,
  type CheckSpec,
  type CircuitView,
  type Health,
  type RunId,
  type RunRecording,
  type TaskId,
  type WorkerId,
} from '@assay/protocol';
import { createDriver, type DriverLimits, type OnOutcome } from './driver/driver.ts';
import { Performer, type PerformSettings } from './perform/deliveries.ts';
import { feedItemsOf } from './perform/feed-items.ts';
import { liveFactsOf } from './perform/live-facts.ts';
import { Links } from './perform/links.ts';
import type { Clock } from './ports/clock.ts';
import type { Coordinator, LiveViews } from './ports/coordinator.ts';
import type { Journal, JournalEntry } from './ports/journal.ts';
import type { LiveFeed } from './ports/live-feed.ts';
import { noAnalysis } from './analysis/analysis.ts';
import type { Analysis } from './ports/analysis.ts';
import type { ResultQuestions } from './ports/result-store.ts';

export type ShellOptions = {
  engine: Engine;
  config: EngineConfig;
  journal: Journal;
  clock: Clock;
  feed: LiveFeed;
  results: ResultQuestions;
  /** Absent where results are not kept in a database. */
  analysis?: Analysis;
  /** Told after each commit, when everyone else was. `hasSettledRun`: a run ended in it, and somebody waits for its report. */
  onDurable: (seq: number, hasSettledRun: boolean) => void;
  /** The process has to end: the journal cannot be written, or the engine met a bug. */
  onFatal: (error: unknown) => void;
  /** What the shell cannot know of itself. */
  followers: () => { resultsSeq: number; resultsError: string | null; snapshotSeq: number | null };
  limits?: Partial<DriverLimits>;
  /** In how long a dependency is looked at next, null where that is not known. */
  nextProbeInMs?: (dependency: string) => number | null;
  /** Reads a run from the journal's files; absent where there are none. */
  recording?: (run: string) => Promise<RunRecording>;
  /** Checks that every worker gets with its welcome. */
  fleetChecks?: readonly CheckSpec[];
};

export interface Shell extends Coordinator {
  readonly links: Links;
  /** `submit` without a promise: for what drives it synchronously. */
  post(input: Input, onOutcome?: OnOutcome): void;
  /** Commits what was taken and takes nothing more; links are closed. Calls back when all is told. */
  finish(done: () => void): void;
}

export function createShell(options: ShellOptions): Shell {
  const { engine, config, clock, feed, journal } = options;
  const facts = liveFactsOf(engine.state);
  const performer = new Performer(facts, performSettings(options));
  const onCommitted = (entries: JournalEntry[]): void => {
    links.deliver(performer.perform(entries));
    for (const entry of entries) feed.publish(entry.seq, feedItemsOf(entry, facts));
    const hasSettledRun = entries.some(({ events }) => events.some(({ kind }) => kind === 'runSettled'));
    options.onDurable(entries.at(-1)!.seq, hasSettledRun);
  };
  const driver = createDriver({
    engine,
    journal,
    clock,
    onCommitted,
    onFatal: options.onFatal,
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const links = new Links({
    driver,
    clock,
    feed,
    facts,
    heartbeatMs: config.heartbeatMs,
    silentAfterMs: config.silentAfterMs,
  });
  let isStopping = false;

  function finish(done: () => void): void {
    isStopping = true;
    driver.stop(() => {
      links.stop('the coordinator is stopping');
      done();
    });
  }

  return {
    views: viewsOf(engine, config, clock, options.nextProbeInMs ?? (() => null)),
    nowMs: () => clock.nowMs(),
    recording: options.recording ?? noRecording,
    feed,
    results: options.results,
    analysis: options.analysis ?? noAnalysis,
    links,
    post: (input, onOutcome) => driver.submit(input, onOutcome),
    submit: (input) =>
      new Promise<Reply>((resolve, reject) =>
        driver.submit(input, (outcome) =>
          outcome.kind === 'durable' ? resolve(outcome.reply) : reject(outcome.error),
        ),
      ),
    whenDurable: () => new Promise((resolve) => driver.whenDurable(resolve)),
    openLink: (link, hello, token, trust) => new Promise((resolve) => links.open(link, hello, token, resolve, trust)),
    receive: (session, messages) => links.receive(session, messages),
    linkClosed: (session) => links.closed(session),
    isBusy: () => driver.isBusy(),
    health: () => ({ ...liveHealth(engine, clock, isStopping), journalSeq: journal.lastSeq(), ...options.followers() }),
    finish,
    stop: () => new Promise((resolve) => finish(resolve)),
  };
}

function viewsOf(
  engine: Engine,
  config: EngineConfig,
  clock: Clock,
  nextProbeInMs: (dependency: string) => number | null,
): LiveViews {
  const { state } = engine;
  // A dependency is probed by the shell: its circuit's own time says only when a task could have probed it.
  const withNextProbe = (view: CircuitView): CircuitView => {
    if (view.scope.kind !== 'dependency' || (view.state !== 'open' && view.state !== 'halfOpen')) return view;
    const inMs = nextProbeInMs(view.scope.dependency);
    return inMs === null ? view : { ...view, untilMs: Math.round(clock.nowMs() + inMs) };
  };
  return {
    run: (run) => viewRun(state, run as RunId),
    runs: () => viewRuns(state),
    task: (task) => viewTask(state, task as TaskId),
    tasks: (run, afterIndex, max) => viewTasks(state, run as RunId, afterIndex, max),
    workers: () => viewWorkers(state),
    worker: (worker) => viewWorker(state, worker as WorkerId),
    recovery: () => viewRecovery(state),
    policy: () => state.policy,
    quarantines: () => viewQuarantines(state),
    calibration: () => ({
      suites: viewCalibration(state).map(({ project, suite, count, medianRatio, p90Factor }) => ({
        project,
        suite,
        tasks: count,
        medianRatio: 1 / medianRatio,
        p90Error: p90Factor,
      })),
    }),
    circuits: () => viewCircuits(state, config.circuits, clock.nowMs()).map(withNextProbe),
    circuit: (circuit) => {
      const view = viewCircuit(state, config.circuits, circuit, clock.nowMs());
      return view === null ? null : withNextProbe(view);
    },
    circuitScope: (circuit) => state.circuits.get(circuit)?.scope ?? scopeOfCircuit(circuit),
    explain: (task: TaskId) => explainTask(state, config, task, clock.nowMs()),
  };
}

const noRecording = (): Promise<RunRecording> =>
  Promise.resolve({ kind: 'absent', reason: 'this coordinator keeps no journal on disk' });

function performSettings({ config, fleetChecks }: ShellOptions): PerformSettings {
  const { heartbeatMs, silentAfterMs } = config;
  return { heartbeatMs, silentAfterMs, ...(fleetChecks === undefined ? {} : { checks: fleetChecks }) };
}

type LiveHealth = Pick<Health, 'status' | 'version' | 'protocolVersion' | 'workers' | 'queuedTasks'>;

/** `recovering`: workers of before the restart have not come back yet, and still may. */
function liveHealth(engine: Engine, clock: Clock, isStopping: boolean): LiveHealth {
  const nowMs = clock.nowMs();
  let workers = 0;
  let isAwaited = false;
  for (const { state } of engine.state.workers.values()) {
    if (state.kind === 'connected' || state.kind === 'draining') workers += 1;
    else if (state.kind === 'disconnected' && state.graceUntilMs > nowMs) isAwaited = true;
  }
  let queuedTasks = 0;
  for (const run of engine.state.runs.values()) queuedTasks += run.counts.queued;
  return {
    status: isStopping ? 'stopping' : isAwaited && workers === 0 ? 'recovering' : 'ok',
    version: productVersion,
    protocolVersion,
    workers,
    queuedTasks,
  };
}
