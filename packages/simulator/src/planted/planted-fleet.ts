// A plant in virtual time around the production engine: workers that do what behave.ts says, whose links flap and whose processes
// die where that is planted, that answer checks truly, and a shell that notices silence and looks at dependencies. What really
// happened and what the engine said of it are kept side by side, as a story (story.ts).
// What always holds: only the engine decides; the same plant tells the same story.
import type { Event, Input } from '@assay/core';
import { Lab, refsOf, suiteOf } from '@assay/core/testing/lab.ts';
import type { AttemptRef, RunId, RunSpec, TaskId, WorkerId } from '@assay/protocol';
import { randomOf, type Random } from '../sim/random.ts';
import { World } from '../sim/world.ts';
import { deedOf } from './behave.ts';
import { dependency, type Plant, type PlantedWorker } from './plant.ts';
import { emptyStory, hear, type Story } from './story.ts';

const latencyMs = 5;
/** A killed agent is back so soon, started again by its machine. */
const restartMs = 3_000;
const probeEveryMs = 2_000;
/** All is lost where a plant is not over by then. */
const patienceMs = 6 * 3_600_000;

type Slot = { queue: AttemptRef[]; running: { ref: AttemptRef; isStopped: boolean } | null };
type Machine = {
  readonly worker: PlantedWorker;
  isLinked: boolean;
  isAlive: boolean;
  incarnation: number;
  slots: Slot[];
  /** What it could not say while its link was down. */
  unsaid: (() => void)[];
};

export class PlantedFleet {
  readonly lab = new Lab();
  readonly story: Story = emptyStory();
  readonly #world = new World();
  readonly #plant: Plant;
  readonly #random: Random;
  readonly #machines = new Map<string, Machine>();
  #run: { number: number; id: RunId } | null = null;
  #deadline: { atMs: number; cancel: () => void } | null = null;
  readonly #startMs: number;

  constructor(plant: Plant) {
    this.#plant = plant;
    this.#random = randomOf(plant.seed, 'fleet');
    this.lab.areInvariantsChecked = false;
    this.#startMs = this.lab.nowMs;
  }

  async tell(): Promise<Story> {
    for (const worker of this.#plant.workers) {
      const machine = { worker, isLinked: false, isAlive: true, incarnation: 0, slots: [], unsaid: [] };
      this.#machines.set(worker.name, machine);
      this.#connect(machine);
      this.#check(machine, null);
    }
    for (const name of this.#plant.truth.flapping) this.#flapLater(this.#machines.get(name)!);
    if (this.#plant.truth.down !== null) this.#probe();
    this.#submitNext();
    await this.#world.run(patienceMs, () => this.#isOver());
    if (this.#world.violation !== null) throw this.#world.violation;
    this.story.isOver = this.#isOver();
    this.story.endedAtMs = this.#world.nowMs;
    return this.story;
  }

  #isOver(): boolean {
    return this.#run === null && this.story.runs === this.#plant.runs;
  }

  #submitNext(): void {
    const { tests, runs } = this.#plant;
    if (this.story.runs === runs) return;
    const suites = [
      suiteOf({ name: 'gpu', requires: 'size(gpus) > 0', retries: 2 }),
      suiteOf({ name: 'cpu', retries: 2 }),
      suiteOf({ name: 'service', retries: 2, uses: [dependency] }),
    ];
    const names = suites.map(({ name }) => name);
    const tasks = tests.map(({ target, suite }) => ({ suite: names.indexOf(suite), target }));
    const change: Partial<RunSpec> = { suites, project: 'planted' };
    this.#step(() => {
      const id = this.lab.submit(tasks, change);
      this.#run = { number: this.story.runs, id };
      return this.lab.journal.at(-1)?.events ?? [];
    });
  }

  // ---- the engine's side -----------------------------------------------------------------------------------------

  #step(act: () => readonly Event[]): void {
    this.lab.nowMs = this.#startMs + Math.floor(this.#world.nowMs);
    this.#deliver(act());
    this.#arm();
  }

  #input(input: Input): void {
    this.#step(() => this.lab.step(input));
  }

  #arm(): void {
    const dueMs = this.lab.engine.nextDeadlineMs();
    const atMs = dueMs === null ? null : Math.max(dueMs, this.lab.nowMs);
    if (atMs === (this.#deadline?.atMs ?? null)) return;
    this.#deadline?.cancel();
    this.#deadline = null;
    if (atMs === null) return;
    const cancel = this.#world.after(atMs - this.#startMs - this.#world.nowMs, () => {
      this.#deadline = null;
      this.#input({ kind: 'timePassed' });
    });
    this.#deadline = { atMs, cancel };
  }

  #deliver(events: readonly Event[]): void {
    for (const event of events) {
      hear(this.story, event, this.#world.nowMs, this.#run?.number ?? this.story.runs - 1);
      if ('worker' in event && event.worker !== null && this.#machines.has(event.worker)) {
        const machine = this.#machines.get(event.worker)!;
        const { incarnation } = machine;
        this.#world.after(latencyMs, () => {
          if (machine.isLinked && machine.incarnation === incarnation) this.#obey(machine, event);
        });
      }
      if (event.kind === 'runSettled' && event.run === this.#run?.id) {
        this.#run = null;
        this.story.runs += 1;
        this.#world.after(1_000, () => this.#submitNext());
      }
    }
  }

  // ---- the workers' side -----------------------------------------------------------------------------------------

  #obey(machine: Machine, event: Event): void {
    if (event.kind === 'tasksAssigned') return this.#take(machine, refsOf(event));
    if (event.kind === 'takeBackRequested') return this.#giveBack(machine, event.attempts);
    if (event.kind === 'cancelSent') return this.#cancel(machine, event.attempts);
    if (event.kind === 'certificationRequested') return this.#check(machine, event);
    if (event.kind === 'recoveryRequested') return this.#recover(machine, event);
  }

  #take(machine: Machine, queue: AttemptRef[]): void {
    const slot: Slot = { queue, running: null };
    machine.slots.push(slot);
    this.#startNext(machine, slot);
  }

  #startNext(machine: Machine, slot: Slot): void {
    const ref = slot.queue.shift();
    if (ref === undefined) {
      machine.slots = machine.slots.filter((one) => one !== slot);
      return;
    }
    const running = { ref, isStopped: false };
    slot.running = running;
    const { incarnation } = machine;
    const test = this.#plant.tests[indexIn(ref.task)]!;
    const startedAtMs = this.#world.nowMs;
    const deed = deedOf(this.#plant, test, machine.worker, this.#runOf(ref.task), ref.attempt, startedAtMs);
    this.story.causes.set(`${ref.task}#${ref.attempt}`, deed.cause);
    this.#say(machine, () => this.lab.start(machine.worker.name, ref));
    this.#world.after(deed.durationMs, () => {
      if (running.isStopped || machine.incarnation !== incarnation) return;
      if (deed.outcome === null) return this.#die(machine);
      slot.running = null;
      const outcome = { ...deed.outcome, costMs: deed.durationMs };
      this.#say(machine, () => this.lab.finish(machine.worker.name, ref, outcome));
      this.#startNext(machine, slot);
    });
  }

  #giveBack(machine: Machine, asked: readonly AttemptRef[]): void {
    const back: AttemptRef[] = [];
    for (const slot of machine.slots) {
      const mine = slot.queue.filter((ref) => asked.some(isSame(ref)));
      slot.queue = slot.queue.filter((ref) => !mine.includes(ref));
      back.push(...mine);
    }
    if (back.length > 0)
      this.#say(machine, () =>
        this.lab.report(machine.worker.name, { kind: 'returned', attempts: back, reason: 'takenBack' }),
      );
  }

  #cancel(machine: Machine, asked: readonly AttemptRef[]): void {
    for (const slot of [...machine.slots]) {
      const ends = slot.queue.filter((ref) => asked.some(isSame(ref)));
      slot.queue = slot.queue.filter((ref) => !ends.includes(ref));
      const { running } = slot;
      const isRunningAsked = running !== null && asked.some(isSame(running.ref));
      if (isRunningAsked) {
        running.isStopped = true;
        slot.running = null;
        ends.push(running.ref);
      }
      for (const ref of ends)
        this.#say(machine, () => this.lab.finish(machine.worker.name, ref, { ...canceled, costMs: 0 }));
      if (isRunningAsked) this.#startNext(machine, slot);
    }
  }

  /** Its checks, asked for or at its start: true of its device, and `notRun` where it has none. */
  #check(machine: Machine, request: Extract<Event, { kind: 'certificationRequested' }> | null): void {
    const { worker } = machine;
    const isBad = this.#plant.truth.badDevices.has(worker.name) || this.#plant.truth.badDriver?.class === worker.class;
    const outcome = !worker.hasCheck ? 'notRun' : isBad ? 'failed' : 'passed';
    if (request === null) return;
    this.#world.after(500, () =>
      this.#say(machine, () =>
        this.lab.report(worker.name, {
          kind: 'certified',
          request: request.request,
          ...(request.device === null ? {} : { device: request.device }),
          outcome,
          message: outcome === 'notRun' ? 'it has no check' : `its check ${outcome}`,
        }),
      ),
    );
  }

  /** What is planted is not repaired by starting things again. */
  #recover(machine: Machine, event: Extract<Event, { kind: 'recoveryRequested' }>): void {
    const isCarriedOut = event.rung === 'runner' || event.rung === 'agent';
    this.#world.after(isCarriedOut ? 2_000 : 50, () =>
      this.#say(machine, () =>
        this.lab.report(machine.worker.name, {
          kind: 'recovered',
          request: event.request,
          rung: event.rung,
          ...(event.device === null ? {} : { device: event.device }),
          outcome: isCarriedOut ? 'done' : 'notApplicable',
          evidence: {},
          durationMs: isCarriedOut ? 2_000 : 0,
        }),
      ),
    );
  }

  // ---- links and processes ---------------------------------------------------------------------------------------

  #say(machine: Machine, report: () => readonly Event[]): void {
    if (machine.isLinked) this.#step(report);
    else if (machine.isAlive) machine.unsaid.push(() => this.#step(report));
  }

  #connect(machine: Machine, account: () => void = () => undefined): void {
    const { worker } = machine;
    const { profile, name: kind } = this.#plant.classes[worker.class]!;
    machine.isLinked = true;
    const held = machine.slots.flatMap(({ queue, running }) => (running === null ? queue : [running.ref, ...queue]));
    this.#step(() =>
      this.lab.join(worker.name, {
        incarnation: `i${machine.incarnation}`,
        profile,
        profileDigest: `profile ${kind}`,
        held,
      }),
    );
    const known = this.lab.engine.state.workers.get(worker.name as WorkerId);
    if (known !== undefined && !this.story.classIds.has(kind)) this.story.classIds.set(kind, known.class.id);
    const said = machine.unsaid;
    machine.unsaid = [];
    for (const say of said) say();
    account();
  }

  /** The agent's process ends with everything in it; its machine starts it again, and it accounts for what it had. */
  #die(machine: Machine): void {
    const unfinished = machine.slots.flatMap(({ running }) => (running === null ? [] : [running.ref]));
    const unstarted = machine.slots.flatMap(({ queue }) => queue);
    machine.incarnation += 1;
    machine.isAlive = false;
    this.#cut(machine);
    this.story.deaths.push({ worker: machine.worker.name, atMs: this.#world.nowMs });
    this.#world.after(restartMs, () => {
      machine.isAlive = true;
      this.#connect(machine, () => {
        machine.slots = [];
        const { name } = machine.worker;
        for (const ref of unfinished) this.#say(machine, () => this.lab.finish(name, ref, restarted));
        if (unstarted.length > 0)
          this.#say(machine, () =>
            this.lab.report(name, { kind: 'returned', attempts: unstarted, reason: 'restarted' }),
          );
      });
    });
  }

  #cut(machine: Machine): void {
    if (!machine.isLinked) return;
    machine.isLinked = false;
    this.#step(() => this.lab.cut(machine.worker.name));
  }

  #flapLater(machine: Machine): void {
    this.#world.after(this.#random.int(1_000, 20_000), () => {
      if (machine.isLinked) {
        this.#cut(machine);
        // Mostly back within the grace, now and then not.
        this.#world.after(this.#random.skewed(100, 9_000), () => machine.isAlive && this.#connect(machine));
      }
      this.#flapLater(machine);
    });
  }

  /** What the coordinator's shell does: it looks at what suites name, every few seconds. */
  #probe(): void {
    const { truth } = this.#plant;
    const atMs = this.#world.nowMs;
    const isDown = truth.down !== null && atMs >= truth.down.fromMs && atMs < truth.down.untilMs;
    const detail = isDown ? 'connect ECONNREFUSED 10.0.0.7:5432' : null;
    const outcome = isDown ? 'failure' : 'success';
    this.#input({ kind: 'dependencyProbed', dependency, outcome, durationMs: 3, detail });
    this.#world.after(probeEveryMs, () => this.#probe());
  }

  #runOf(task: TaskId): number {
    return Number(task.slice(2, task.lastIndexOf('.'))) - 1;
  }
}

const canceled = {
  verdict: 'canceled',
  counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  failure: { class: 'unknown', code: 'CANCELED', message: 'canceled' },
} as const;

const restarted = {
  verdict: 'errored',
  counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  costMs: 0,
  failure: { class: 'infrastructure', code: 'WORKER_RESTARTED', message: 'the agent stopped while it ran this task' },
} as const;

function isSame(ref: AttemptRef): (other: AttemptRef) => boolean {
  return ({ task, attempt }) => task === ref.task && attempt === ref.attempt;
}

function indexIn(task: TaskId): number {
  return Number(task.slice(task.lastIndexOf('.') + 1));
}
