// Watches the coordinator from outside: each step of its engine, everything it tells anyone, every recovery. What it is told
// of is held against the durable facts and the ground truth at that moment; the first thing that does not hold ends the
// simulation with the name of the invariant.
import {
  checkInvariants,
  circuitAllows,
  unlawfulAssignments,
  emptyState,
  explainTask,
  replay,
  snapshot,
  whyKept,
  type Engine,
  type EngineConfig,
  type Input,
  type Reply,
  type State,
} from '@assay/core';
import type { FeedDelivery, JournalEntry, Shell } from '@assay/coordinator/simulation';
import { taskIdOf, type CoordinatorMessage, type RunId, type SessionId, type WorkerId } from '@assay/protocol';
import { needOf } from '../agents/machines.ts';
import type { SimDisk } from '../sim/disk.ts';
import type { World } from '../sim/world.ts';
import type { DurableFacts } from './durable.ts';
import { admissionViolations, isHeldUp, openChoices } from './admission.ts';
import { describeInput, describeMessage, describeMove, describeReply, describeVerdict } from './describe.ts';
import { attemptKeyOf, type Truth } from './truth.ts';
import { isWholeAsText } from './whole-as-text.ts';

export type WitnessOptions = { world: World; disk: SimDisk; facts: DurableFacts; truth: Truth; config: EngineConfig };

/** Explanations are asked for at every so manieth step: each costs more than the step itself. */
const explainEvery = 23;

export class Witness {
  /** Steps of the engine that had events. */
  steps = 0;
  readonly #options: WitnessOptions;
  readonly #submitted = new Map<string, RunId>();
  /** Everything a worker said up to here is known to be in the journal. */
  readonly #checkedThrough = new Map<WorkerId, number>();
  #lastEngine: Engine | null = null;
  #feedSeq: number | null = null;
  #isFeedWhole = true;
  readonly #toldTasks = new Set<string>();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** True while a watcher of the feed was never told of a gap. */
  get isFeedWhole(): boolean {
    return this.#isFeedWhole;
  }

  get toldTasks(): ReadonlySet<string> {
    return this.#toldTasks;
  }

  /** The engine, checked after every step that changed something. */
  watch(engine: Engine, nowMs: () => number): Engine {
    return {
      state: engine.state,
      nextDeadlineMs: () => engine.nextDeadlineMs(),
      step: (input, atMs) => {
        const result = engine.step(input, atMs);
        if (result.events.length > 0) this.#stepped(engine.state, input, nowMs(), atMs);
        const unsayable = result.events.find((event) => !isWholeAsText(event));
        if (unsayable !== undefined)
          this.#options.world.violate('an event is the same when it is read again', `a ${unsayable.kind} is not`);
        for (const problem of unlawfulAssignments(engine.state, result.events))
          this.#options.world.violate('a circuit that is open admits nothing but its probe', problem);
        this.#options.world.trace(
          'engine',
          `${describeInput(input)}${result.events.length === 0 ? '' : ` => ${result.events.map(({ kind }) => kind).join(' ')}`}`,
        );
        for (const event of result.events) {
          if (event.kind === 'circuitMoved') this.#options.world.trace('circuit', describeMove(event));
          const verdict = describeVerdict(event);
          if (verdict !== null) this.#options.world.trace('verdict', verdict);
        }
        return result;
      },
    };
  }

  /** A message is on its way to a worker: what it rests on has to be durable. */
  told(session: SessionId, messages: readonly CoordinatorMessage[]): void {
    const { facts, world } = this.#options;
    for (const message of messages) {
      if (message.kind === 'heartbeat') continue;
      world.trace('coordinator', `tells ${session}: ${describeMessage(message)}`);
      switch (message.kind) {
        case 'welcome':
          this.#durable(facts.sessions.has(session), `welcome of ${session}`);
          break;
        case 'assign':
          this.#durable(facts.assignments.get(message.assignment) === session, `${message.assignment} to ${session}`);
          break;
        case 'cancel':
          for (const ref of message.attempts)
            this.#durable(facts.cancels.has(attemptKeyOf(ref)), `the cancellation of ${attemptKeyOf(ref)}`);
          break;
        case 'takeBack':
          for (const ref of message.attempts)
            this.#durable(facts.takeBacks.has(attemptKeyOf(ref)), `asking ${attemptKeyOf(ref)} back`);
          break;
        case 'ack':
          this.#acknowledged(session, message.seq);
          break;
        case 'drain':
        case 'certify':
        case 'recover':
        case 'refused':
          break;
      }
    }
  }

  submitted(key: string, run: RunId): void {
    const before = this.#submitted.get(key);
    if (before !== undefined && before !== run)
      this.#options.world.violate('a repeated submission is the same run', `${key}: ${before} and ${run}`);
    this.#submitted.set(key, run);
  }

  get submissions(): ReadonlyMap<string, RunId> {
    return this.#submitted;
  }

  /** A client is being answered. */
  replied(input: Input, reply: Reply): void {
    const { facts, world } = this.#options;
    world.trace('coordinator', `answers ${describeInput(input)}: ${describeReply(reply)}`);
    if (reply.kind === 'runAccepted') {
      const run = facts.run(reply.run);
      this.#durable(run !== undefined, `the acceptance of ${reply.run}`);
      if (input.kind === 'addTasks')
        this.#durable((run?.lastChunk ?? -1) >= input.chunk, `the acceptance of chunk ${input.chunk} of ${reply.run}`);
    }
    if (input.kind === 'cancelRun' && reply.kind === 'accepted') {
      const run = facts.run(input.run);
      const isAsked =
        input.tasks === undefined
          ? run?.isCancelAsked
          : input.tasks.every((task) => run?.cancelAsked.has(task) === true || facts.task(task)?.verdict !== null);
      this.#durable(
        run !== undefined && (isAsked === true || run.verdict !== null),
        `the cancellation of ${input.run}`,
      );
    }
  }

  /** Watches from the first start on, with a place to resume after even before anything was told. */
  serving(shell: Shell): void {
    this.#feedSeq ??= this.#options.disk.lastSeq();
    shell.feed.subscribe({ run: null }, this.#feedSeq, (delivery) => this.#fed(delivery));
  }

  coordinatorGone(engine: Engine | null): void {
    this.#lastEngine = engine;
  }

  /** Recovery made this state: it has to be what was durable, whichever way it is made, and nothing that was told may be missing. */
  recovered(state: State): void {
    const { world, disk } = this.#options;
    if (state.seq !== disk.lastSeq())
      return world.violate(
        'recovery',
        `the state is that of entry ${state.seq}, the journal ends at ${disk.lastSeq()}`,
      );
    const recovered = snapshot(state);
    const alone = emptyState();
    for (const row of disk.archive) replay(alone, JSON.parse(row) as JournalEntry);
    if (snapshot(alone) !== recovered)
      world.violate('recovery', `from a snapshot: ${difference(snapshot(alone), recovered)}`);
    const before = this.#lastEngine;
    if (before !== null && before.state.seq === state.seq && snapshot(before.state) !== recovered) {
      world.violate(
        'recovery',
        `the state before the crash was another one: ${difference(snapshot(before.state), recovered)}`,
      );
    }
    for (const problem of checkInvariants(state)) world.violate('counts add up', `after recovery: ${problem}`);
    if (this.#feedSeq !== null && this.#feedSeq > disk.lastSeq())
      world.violate(
        'nothing is told before it is durable',
        `the feed had told entry ${this.#feedSeq}, the journal ends at ${disk.lastSeq()}`,
      );
  }

  #stepped(state: State, input: Input, nowMs: number, atMs: number): void {
    const { world, config } = this.#options;
    this.steps += 1;
    const about = `after ${input.kind} (entry ${state.seq})`;
    for (const problem of checkInvariants(state)) world.violate('counts add up', `${problem} ${about}`);
    for (const worker of state.workers.values()) {
      if (worker.assignments.size > worker.slots)
        world.violate(
          'a worker holds at most its slots',
          `${worker.worker} has ${worker.assignments.size} of ${worker.slots} ${about}`,
        );
    }
    for (const said of admissionViolations(state)) world.violate('no key is held twice', `${said} ${about}`);
    this.#placed(state, config, nowMs, atMs, about);
    if (this.steps % explainEvery === 0) this.#explained(state, config, nowMs, about);
  }

  /** Nothing waits that a free worker could do. */
  #placed(state: State, config: EngineConfig, nowMs: number, atMs: number, about: string): void {
    const free = [...state.workers.values()].filter(
      (worker) => worker.state.kind === 'connected' && !worker.isSetAside && worker.assignments.size < worker.slots,
    );
    if (free.length === 0) return;
    for (const run of state.runs.values()) {
      if (run.counts.queued === 0) continue;
      for (const task of run.tasks) {
        if (task.state.kind !== 'queued') continue;
        const { avoidWorker } = task.state;
        const needed = openChoices(run, task).map(needOf);
        const idle = free.find(
          (worker) =>
            worker.worker !== avoidWorker &&
            needed.some((need) => need.fits(soundProfileOf(state, worker), worker.declared)) &&
            !isHeldUp({ state, config, nowMs }, run, task, worker) &&
            whyKept(state, atMs, run.lanes[task.suite]!, task, worker) === null &&
            circuitAllows(state, run.lanes[task.suite]!, worker),
        );
        if (idle !== undefined)
          this.#options.world.violate(
            'nothing waits that a free worker could do',
            `${taskIdOf(run.run, task.index)} waits, ${idle.worker} is free; said: ${JSON.stringify(explainTask(state, config, taskIdOf(run.run, task.index), nowMs)?.reasons)} ${about}`,
          );
      }
    }
  }

  #explained(state: State, config: EngineConfig, nowMs: number, about: string): void {
    for (const run of state.runs.values()) {
      const task = run.tasks.find((one) => one.state.kind === 'queued');
      if (task === undefined) continue;
      const id = taskIdOf(run.run, task.index);
      const said = explainTask(state, config, id, nowMs);
      const needed = openChoices(run, task).map(needOf);
      const fitting = [...state.workers.values()].filter((worker) =>
        needed.some((need) => need.fits(soundProfileOf(state, worker), worker.declared)),
      );
      const busy = fitting.filter(
        (worker) => worker.state.kind === 'connected' && !worker.isSetAside && worker.assignments.size >= worker.slots,
      ).length;
      const saidBusy = said?.reasons.find(({ reason }) => reason.startsWith('busy'))?.workers ?? 0;
      if (said === null || saidBusy !== busy)
        this.#options.world.violate(
          'an explanation is true',
          `${id}: ${saidBusy} workers are said to be busy, ${busy} are ${about}`,
        );
      if (said !== null && (fitting.length === 0) !== said.summary.startsWith('Waits for a worker')) {
        this.#options.world.violate(
          'an explanation is true',
          `${id}: ${fitting.length} workers fit; said: ${said.summary} ${about}`,
        );
      }
    }
  }

  /** The agent will forget these reports: they must be in the journal. */
  #acknowledged(session: SessionId, seq: number): void {
    const { facts, truth, world } = this.#options;
    const id = facts.sessions.get(session);
    const worker = id === undefined ? undefined : facts.workers.get(id);
    if (id === undefined || worker === undefined) return this.#durable(false, `ack to ${session}`);
    this.#durable(worker.ackedSeq >= seq, `the acknowledgement of report ${seq} of ${id}`);
    const said = truth.saidBy(id);
    for (let at = (this.#checkedThrough.get(id) ?? -1) + 1; at <= seq; at += 1) {
      if (said.has(at) && !worker.reports.has(at) && !truth.isLost(id, at))
        world.violate(
          'no accepted result is lost',
          `report ${at} of ${id} is acknowledged and is not in the journal: ${said.get(at) ?? ''}`,
        );
    }
    this.#checkedThrough.set(id, Math.max(seq, this.#checkedThrough.get(id) ?? -1));
  }

  #fed(delivery: FeedDelivery): void {
    const { world, disk } = this.#options;
    if (delivery.kind === 'gap') {
      this.#isFeedWhole = false;
      this.#feedSeq = delivery.fromSeq;
      return;
    }
    for (const { seq, item } of delivery.events) {
      if (seq > disk.lastSeq()) this.#durable(false, `the feed's item of entry ${seq}`);
      if (this.#feedSeq !== null && seq < this.#feedSeq)
        world.violate('the feed is in order', `entry ${seq} after ${this.#feedSeq}`);
      this.#feedSeq = seq;
      if (item.kind !== 'taskSettled') continue;
      if (this.#toldTasks.has(item.task)) world.violate('a task settles once', `the feed told of ${item.task} twice`);
      this.#toldTasks.add(item.task);
    }
  }

  #durable(holds: boolean, what: string): void {
    if (!holds) this.#options.world.violate('nothing is told before it is durable', what);
  }
}

function profileOf(state: State, digest: string) {
  return state.profiles.get(digest)!.profile;
}

/** What a worker offers: a GPU that is set aside is not among it. */
function soundProfileOf(state: State, worker: NonNullable<ReturnType<State['workers']['get']>>) {
  const profile = profileOf(state, worker.profileDigest);
  const gpu = worker.health.conditions.get('gpu:0');
  return gpu === undefined || gpu.kind === 'ready' ? profile : { ...profile, gpus: [] };
}

/** Where two texts part. */
function difference(expected: string, got: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === got[at]) at += 1;
  const from = Math.max(0, at - 60);
  return `expected ...${expected.slice(from, at + 60)}... and got ...${got.slice(from, at + 60)}...`;
}
