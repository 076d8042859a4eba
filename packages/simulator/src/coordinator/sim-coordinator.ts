// The coordinator: the production engine, driver, shell, recovery, feed and results follower, put together as
// coordinator/src/main.ts does it, over a simulated process, disk, clock and network. Disk and results store outlive it.
import { createEngine, snapshot, type Engine, type EngineConfig, type Input } from '@assay/core';
import {
  createMemoryFeed,
  createShell,
  recoverState,
  ResultsWorker,
  type EntrySource,
  type Journal,
  type JournalEntry,
  type ResultStore,
  type Shell,
} from '@assay/coordinator/simulation';
import { AssayError, type SessionId } from '@assay/protocol';
import type { Witness } from '../checks/witness.ts';
import { createSimClock, WallClock } from '../sim/clock.ts';
import { openSimJournal, type SimDisk } from '../sim/disk.ts';
import type { Network } from '../sim/network.ts';
import { SimProcess } from '../sim/process.ts';
import type { Random } from '../sim/random.ts';
import type { World } from '../sim/world.ts';
import { serveLink } from './server-link.ts';

/** The parts that a test may put a broken one in place of. */
export type CoordinatorParts = { createEngine: typeof createEngine; journal: (journal: Journal) => Journal };
export const soundCoordinatorParts: CoordinatorParts = { createEngine, journal: (journal) => journal };

export type DiskSpeed = { minMs: number; maxMs: number };

export type SimCoordinatorOptions = {
  world: World;
  network: Network;
  disk: SimDisk;
  store: ResultStore;
  config: EngineConfig;
  parts: CoordinatorParts;
  witness: Witness;
  random: Random;
  diskSpeed: DiskSpeed;
  /** How long a process takes from its start until it serves. */
  startMs: { min: number; max: number };
};

export class SimCoordinator {
  readonly wall: WallClock;
  process: SimProcess;
  shell: Shell | null = null;
  engine: Engine | null = null;
  /** While true, the results database cannot be written. */
  isStoreBroken = false;
  starts = 0;
  readonly #options: SimCoordinatorOptions;
  #sessions = 0;
  #wakeResults: (() => void) | null = null;
  #follower: Follower | null = null;
  #resultsSeq = 0;

  constructor(options: SimCoordinatorOptions) {
    this.#options = options;
    this.wall = new WallClock(options.world);
    this.process = new SimProcess(options.world, 'coordinator');
    this.process.kill();
  }

  get isServing(): boolean {
    return this.shell !== null;
  }

  get resultsSeq(): number {
    return this.#resultsSeq;
  }

  start(): void {
    if (this.process.isAlive) return;
    const { world, random, startMs } = this.#options;
    this.starts += 1;
    this.process = new SimProcess(world, 'coordinator');
    const process = this.process;
    process.after(random.int(startMs.min, startMs.max), () => {
      world.expectPromises();
      this.#recover(process).catch((error: unknown) =>
        world.violate('recovery', String(error instanceof Error ? error.stack : error)),
      );
    });
  }

  /** SIGKILL, or the whole machine. What was under way on its disk may be there or not. */
  crash(isMachineGone: boolean): void {
    if (!this.process.isAlive) return;
    const { world, network, disk, random } = this.#options;
    this.process.kill();
    const { kept, torn } = disk.crash(random.int(0, disk.underWay.length));
    world.trace(
      'coordinator',
      `${isMachineGone ? 'loses power' : 'is killed'}; ${kept} unacknowledged batches are on the disk, ${torn} are torn off`,
    );
    network.processDied(this.process, isMachineGone);
    this.#gone();
  }

  /** A clean stop: commits, tells, closes; then the process ends. */
  stop(): void {
    const { shell, process } = this;
    if (shell === null || !process.isAlive) return;
    this.#options.world.trace('coordinator', 'stops');
    shell.finish(() => {
      if (!process.isAlive) return;
      if (this.#options.disk.underWay.length > 0)
        this.#options.world.violate('no bug', 'the coordinator stopped with a batch under way');
      process.kill();
      this.#options.network.processDied(process, false);
      this.#gone();
    });
  }

  /** Folds what is durable into a snapshot, as the snapshot thread does, and lets the journal drop what nothing needs. */
  takeSnapshot(): void {
    const { world, disk } = this.#options;
    const reader = openSimJournal({ disk, schedule: () => () => undefined });
    const previousSeq = disk.snapshots[0]?.seq ?? 0;
    world.expectPromises();
    const taking = recoverState(reader, () => undefined).then(async ({ state }) => {
      await reader.saveSnapshot({ seq: state.seq, state: snapshot(state) });
      disk.dropBelow(Math.min(previousSeq, this.#resultsSeq) + 1);
      world.trace('coordinator', `snapshot of ${state.seq}, journal from ${disk.firstSeq}`);
    });
    taking.catch((error: unknown) => world.violate('recovery', `a snapshot failed: ${String(error)}`));
  }

  #gone(): void {
    const last = this.engine;
    this.shell = null;
    this.engine = null;
    this.#follower = null;
    this.#wakeResults = null;
    this.#options.witness.coordinatorGone(last);
  }

  async #recover(process: SimProcess): Promise<void> {
    const { world, disk, parts, config, witness } = this.#options;
    const journal = parts.journal(this.#openJournal(process));
    const recovered = await recoverState(journal, (message) => world.trace('coordinator', message));
    world.trace('coordinator', `recovers ${disk.lastSeq()} entries from snapshot ${recovered.snapshotSeq ?? 'none'}`);
    witness.recovered(recovered.state);
    const clock = createSimClock(world, process, this.wall, recovered.lastAtMs);
    const engine = witness.watch(parts.createEngine(config, recovered.state), () => clock.nowMs());
    const shell = createShell({
      engine,
      config,
      journal,
      clock,
      feed: createMemoryFeed({ startSeq: journal.lastSeq() }),
      results: this.#options.store,
      onDurable: (seq) => {
        if (seq > disk.lastSeq())
          world.violate(
            'nothing is told before it is durable',
            `the followers are told of entry ${seq}, the disk has ${disk.lastSeq()}`,
          );
        this.#follower?.wake(seq, () => this.#wakeResults?.());
      },
      onFatal: (error) => this.#fatal(error),
      followers: () => ({ resultsSeq: this.#resultsSeq, resultsError: null, snapshotSeq: null }),
    });
    this.engine = engine;
    this.#followResults(process, shell);
    shell.post({ kind: 'resultsAcknowledged', seq: this.#resultsSeq });
    shell.post({ kind: 'coordinatorRestarted', epoch: recovered.state.epoch + 1 }, (outcome) => {
      if (outcome.kind === 'durable') this.#serve(process, shell);
    });
  }

  #serve(process: SimProcess, shell: Shell): void {
    const { world, network, witness } = this.#options;
    world.trace('coordinator', 'serves');
    this.shell = shell;
    witness.serving(shell);
    network.listen(process, (end, from) => {
      this.#sessions += 1;
      return serveLink({
        shell,
        end,
        session: `s-${this.#sessions}` as SessionId,
        token: `t-${from}`,
        told: (session, messages) => witness.told(session, messages),
        trace: (what) => world.trace('coordinator', what),
      });
    });
  }

  #openJournal(process: SimProcess): Journal {
    const { world, disk, random, diskSpeed } = this.#options;
    return openSimJournal({
      disk,
      schedule: (act) =>
        process.after(random.skewed(diskSpeed.minMs, diskSpeed.maxMs), () => {
          world.expectPromises();
          act();
        }),
    });
  }

  #fatal(error: unknown): void {
    const { world, network } = this.#options;
    if (!(error instanceof AssayError) || error.code !== 'JOURNAL_WRITE_FAILED') {
      world.violate('no bug', String(error instanceof Error ? error.stack : error));
      return;
    }
    world.trace('coordinator', `ends: ${error.message}`);
    this.process.kill();
    this.#options.disk.crash(0);
    network.processDied(this.process, false);
    this.#gone();
    // Whatever supervises it starts it again.
    world.after(1_000, () => this.start());
  }

  #followResults(process: SimProcess, shell: Shell): void {
    const { world, disk, store } = this.#options;
    const worker = new ResultsWorker({
      openStore: async () => this.#guarded(store),
      follow: (appliedSeq) => {
        this.#resultsSeq = appliedSeq;
        const follower = new Follower(disk, Math.max(appliedSeq + 1, disk.firstSeq));
        this.#follower = follower;
        follower.wake(disk.lastSeq(), () => undefined);
        return follower;
      },
      say: (news) => {
        if (!process.isAlive) return;
        if (news.kind === 'applied') {
          this.#resultsSeq = news.seq;
          const input: Input = { kind: 'resultsAcknowledged', seq: news.seq };
          shell.post(input);
        } else if (news.kind === 'trouble') world.trace('results', `cannot be written: ${news.message}`);
      },
      wait: (delayMs) =>
        new Promise((resolve) => {
          const wake = (): void => {
            cancel();
            this.#wakeResults = null;
            world.expectPromises();
            resolve();
          };
          const cancel = process.after(delayMs, wake);
          if (this.#follower?.behind() === 0) this.#wakeResults = () => void process.after(0, wake);
        }),
      gatherMs: 50,
    });
    worker
      .run()
      .catch((error: unknown) =>
        world.violate('no bug', `results: ${String(error instanceof Error ? error.stack : error)}`),
      );
  }

  #guarded(store: ResultStore): ResultStore {
    return {
      ...store,
      apply: async (entries) => {
        if (this.isStoreBroken) throw new AssayError('RESULTS_UNAVAILABLE', 'the results database is broken');
        await store.apply(entries);
      },
    };
  }
}

/** Durable entries for the results store, as journal-follower.ts gives them. */
class Follower implements EntrySource {
  readonly #disk: SimDisk;
  #nextSeq: number;
  #durableSeq = 0;

  constructor(disk: SimDisk, fromSeq: number) {
    this.#disk = disk;
    this.#nextSeq = fromSeq;
  }

  wake(seq: number, news: () => void): void {
    this.#durableSeq = Math.max(this.#durableSeq, seq);
    news();
  }

  behind(): number {
    return Math.max(0, this.#durableSeq - this.#nextSeq + 1);
  }

  take(): JournalEntry[] {
    const entries = this.#disk.entriesFrom(this.#nextSeq, Math.min(500, this.behind()));
    this.#nextSeq += entries.length;
    return entries;
  }

  rewind(seq: number): void {
    this.#nextSeq = seq;
  }
}
