// Runs one plan: puts the world together, lets the faults happen at their times, and then everything settle.
// What always holds: the same plan with the same parts gives the same digest; the first violated invariant ends it.
import { createMemoryResultStore } from '@assay/coordinator/simulation';
import { shrunk } from './agents/machines.ts';
import { drawPlans, type PlanOf } from './agents/executor.ts';
import type { Cure } from './agents/sim-soundness.ts';
import { SimAgent, soundAgentParts, type AgentParts } from './agents/sim-agent.ts';
import { ConditionFacts } from './checks/conditions.ts';
import { DurableFacts } from './checks/durable.ts';
import { checkFinal, unsettled } from './checks/final.ts';
import { Truth } from './checks/truth.ts';
import { Witness } from './checks/witness.ts';
import { SimCoordinator, soundCoordinatorParts, type CoordinatorParts } from './coordinator/sim-coordinator.ts';
import { drawPlan, type Fault, type PlannedWorker, type SeedPlan } from './plan.ts';
import { SimDisk } from './sim/disk.ts';
import { Network } from './sim/network.ts';
import { randomOf } from './sim/random.ts';
import { World } from './sim/world.ts';
import { Client, type ClientWeather } from './submitters.ts';
import { taskIdOf, type RunId } from '@assay/protocol';

export type SimParts = AgentParts & CoordinatorParts;
export const soundParts: SimParts = { ...soundAgentParts, ...soundCoordinatorParts };

export type SimOptions = {
  parts?: Partial<SimParts>;
  onTrace?: (line: string) => void;
  stepsMax?: number;
  planOf?: PlanOf;
};

export type SimResult = {
  seed: number;
  digest: string;
  violation: { invariant: string; message: string } | null;
  lastLines: string[];
  /** Moments of the world, and steps of the engine that had events. */
  moments: number;
  steps: number;
  entries: number;
  virtualMs: number;
  runs: number;
  tasks: number;
  attempts: number;
  refusedReports: number;
  coordinatorStarts: number;
};

const fairClients: ClientWeather = { loseRequest: 0, loseReply: 0 };

/** Runs one seed. */
export function simulateSeed(seed: number, options: SimOptions = {}): Promise<SimResult> {
  return simulate(drawPlan(seed), options);
}

export async function simulate(plan: SeedPlan, options: SimOptions = {}): Promise<SimResult> {
  const simulation = new Simulation(plan, options);
  await simulation.run();
  return simulation.result();
}

/** The journal that a seed leaves, one entry a line, after a line with the engine's settings. */
export async function exportSeed(seed: number): Promise<string[]> {
  const plan = drawPlan(seed);
  const simulation = new Simulation(plan);
  await simulation.run();
  return [JSON.stringify({ config: plan.config }), ...simulation.disk.archive];
}

export class Simulation {
  readonly world: World;
  readonly disk = new SimDisk();
  readonly network: Network;
  readonly coordinator: SimCoordinator;
  readonly agents: SimAgent[];
  readonly client: Client;
  readonly facts: DurableFacts;
  readonly conditions: ConditionFacts;
  readonly #plan: SeedPlan;
  readonly #options: SimOptions;
  readonly #truth: Truth;
  readonly #witness: Witness;
  readonly #store = createMemoryResultStore();
  readonly #makeAgent: (worker: PlannedWorker, index: number) => SimAgent;
  /** Agents that never come back. */
  readonly #retired = new Set<SimAgent>();
  #clients = fairClients;
  #submitted = 0;

  constructor(plan: SeedPlan, options: SimOptions = {}) {
    this.#plan = plan;
    this.#options = options;
    const world = new World(options.onTrace === undefined ? {} : { onTrace: options.onTrace });
    const parts = { ...soundParts, ...options.parts };
    const { seed, config } = plan;
    this.world = world;
    this.network = new Network(world, randomOf(seed, 'network'));
    this.network.weather = plan.weather;
    this.#truth = new Truth(world);
    this.facts = new DurableFacts(world, this.#truth);
    this.conditions = new ConditionFacts(world, (id) => this.agents.find(({ worker }) => worker === id));
    this.disk.onDurable = (entries) => {
      this.facts.add(entries);
      this.conditions.add(entries);
    };
    this.#witness = new Witness({ world, disk: this.disk, facts: this.facts, truth: this.#truth, config });
    this.coordinator = new SimCoordinator({
      world,
      network: this.network,
      disk: this.disk,
      store: this.#store,
      config,
      parts,
      witness: this.#witness,
      random: randomOf(seed, 'coordinator'),
      diskSpeed: plan.diskSpeed,
      startMs: plan.startMs,
    });
    const planOf = options.planOf ?? drawPlans(seed, plan.longestTaskMs);
    this.#makeAgent = ({ machine, slots, slowness, startupMs }, index) =>
      new SimAgent({
        world,
        network: this.network,
        truth: this.#truth,
        parts,
        index,
        machine,
        slots,
        slowness,
        startupMs,
        planOf,
      });
    this.agents = plan.workers.map((worker, index) => this.#makeAgent(worker, index));
    this.client = new Client({
      world,
      coordinator: this.coordinator,
      witness: this.#witness,
      random: randomOf(seed, 'clients'),
      weather: () => this.#clients,
    });
  }

  async run(): Promise<void> {
    const { world } = this;
    const { faultsEndMs, patienceMs } = this.#plan;
    this.#begin();
    const stepsMax = this.#options.stepsMax ?? Number.MAX_SAFE_INTEGER;
    await world.run(faultsEndMs, () => false, stepsMax);
    if (world.violation !== null || world.steps >= stepsMax) return;
    this.#endFaults();
    await world.run(faultsEndMs + patienceMs, () => this.#isDone(), stepsMax);
    if (world.violation !== null || world.steps >= stepsMax) return;
    const left = this.#left();
    if (left !== null) return world.violate('once faults stop, every task settles', left);
    await checkFinal({
      world,
      disk: this.disk,
      facts: this.facts,
      truth: this.#truth,
      witness: this.#witness,
      store: this.#store,
      config: this.#plan.config,
    });
  }

  result(): SimResult {
    const { world, facts } = this;
    const { violation } = world;
    return {
      seed: this.#plan.seed,
      digest: world.digest(),
      violation: violation === null ? null : { invariant: violation.invariant, message: violation.message },
      lastLines: world.lastLines(40),
      moments: world.steps,
      steps: this.#witness.steps,
      entries: this.disk.lastSeq(),
      virtualMs: world.nowMs,
      runs: facts.runs.size,
      tasks: [...facts.runs.values()].reduce((sum, run) => sum + run.tasks.length, 0),
      attempts: facts.settledAttempts,
      refusedReports: facts.refusedReports,
      coordinatorStarts: this.coordinator.starts,
    };
  }

  #begin(): void {
    const { world } = this;
    this.coordinator.start();
    this.#plan.workers.forEach(
      ({ joinsAtMs }, index) => void world.after(joinsAtMs, () => this.#startAgent(this.agents[index]!)),
    );
    for (const submission of this.#plan.submissions) {
      world.after(submission.atMs, () =>
        this.client.submit(submission, (run) => {
          this.#submitted += 1;
          const { cancelAfterMs, cancelTasks, chunks } = submission;
          if (cancelAfterMs === null) return;
          const first = chunks.flat().slice(0, cancelTasks ?? 0);
          const tasks = cancelTasks === null ? null : first.map((_, index) => taskIdOf(run, index));
          world.after(cancelAfterMs, () => this.#cancel(run, tasks));
        }),
      );
    }
    for (const { atMs, policy } of this.#plan.policies ?? []) world.after(atMs, () => this.client.layDown(policy));
    for (const { atMs, fault } of this.#plan.faults) world.after(atMs, () => this.#happen(fault));
  }

  #cancel(run: RunId, tasks: ReturnType<typeof taskIdOf>[] | null): void {
    this.client.cancel(run, tasks);
  }

  #happen(fault: Fault): void {
    const { world } = this;
    world.trace('FAULT', JSON.stringify(fault));
    const agent = 'worker' in fault ? this.#victim(fault.worker) : undefined;
    switch (fault.kind) {
      case 'worker crash':
        agent!.crash(fault.isMachineGone, fault.lostWrites);
        if (fault.downMs === null) this.#retired.add(agent!);
        else world.after(fault.downMs, () => this.#startAgent(agent!));
        return;
      case 'worker stopped':
        return agent!.process.pause(fault.forMs);
      case 'worker drained':
        if (fault.by === 'itself') return agent!.process.arrive(() => agent!.drain('asked to end'));
        // A worker that the coordinator never saw cannot be drained.
        if (this.facts.workers.has(agent!.worker)) this.client.drain(agent!.worker);
        return;
      case 'worker changed':
        return agent!.process.arrive(() => agent!.changeProfile(shrunk(agent!.profile)));
      case 'worker unsound':
        return this.#unsound(agent!, fault.device, fault.cure, fault.forMs);
      case 'worker clock jump':
        return agent!.wall.jump(fault.byMs);
      case 'link cut':
        return void this.network.cut(agent!.name, fault.agentHearsMs, fault.serverHearsMs);
      case 'partition':
        for (const index of fault.workers) this.network.stall(this.agents[index]!.name, fault.forMs);
        return;
      case 'dependency seen':
        return this.client.see(fault.dependency, fault.outcome);
      case 'weather':
        this.network.weather = fault.weather;
        this.#clients = fault.clients;
        world.after(fault.forMs, () => this.#clearSky());
        return;
      default:
        return this.#happenToCoordinator(fault);
    }
  }

  #unsound(agent: SimAgent, device: string | null, cure: Cure, forMs: number): void {
    if (!agent.isRunning || (device !== null && (agent.profile.gpus?.length ?? 0) === 0)) return;
    agent.soundness.break(device, cure);
    if (cure === 'time') this.world.after(forMs, () => agent.soundness.mend(device));
  }

  /** The worker named, or the next one that has work in hand: what befalls an idle one teaches little. */
  #victim(index: number): SimAgent {
    const from = [...this.agents.slice(index), ...this.agents.slice(0, index)];
    return from.find((agent) => agent.inHand > 0) ?? from[0]!;
  }

  #happenToCoordinator(fault: Fault): void {
    const { world, coordinator, disk } = this;
    switch (fault.kind) {
      case 'coordinator crash':
        return this.#crash(fault.isMachineGone, fault.isCommitting ? 500 : 0, fault.downMs);
      case 'coordinator restart':
        coordinator.stop();
        return void world.after(fault.downMs, () => coordinator.start());
      case 'coordinator stopped':
        return coordinator.process.pause(fault.forMs);
      case 'coordinator clock jump':
        return coordinator.wall.jump(fault.byMs);
      case 'disk full':
        disk.isFull = true;
        return void world.after(fault.forMs, () => (disk.isFull = false));
      case 'results broken':
        coordinator.isStoreBroken = true;
        return void world.after(fault.forMs, () => (coordinator.isStoreBroken = false));
      case 'snapshot':
        return coordinator.takeSnapshot();
      default:
        return;
    }
  }

  /** Waits up to so many milliseconds for a moment at which something is being written. */
  #crash(isMachineGone: boolean, waitMs: number, downMs: number): void {
    const { world, coordinator, disk } = this;
    if (waitMs > 0 && disk.underWay.length === 0)
      return void world.after(1, () => this.#crash(isMachineGone, waitMs - 1, downMs));
    coordinator.crash(isMachineGone);
    world.after(downMs, () => coordinator.start());
  }

  #clearSky(): void {
    this.network.weather = this.#plan.weather;
    this.#clients = fairClients;
  }

  #endFaults(): void {
    const { world, disk, coordinator } = this;
    world.trace('FAULT', 'no more of them');
    this.#clearSky();
    disk.isFull = false;
    coordinator.isStoreBroken = false;
    // Whoever is down is brought up again; what still stands still or is cut off comes back by itself.
    coordinator.start();
    for (const agent of this.agents) for (const device of agent.soundness.everUnsound) agent.soundness.mend(device);
    for (const [index, agent] of [...this.agents.entries()]) {
      if (this.#retired.has(agent)) this.agents.push(this.#makeAgent(this.#plan.workers[index]!, this.agents.length));
      else this.#changeBack(agent, this.#plan.workers[index]!);
    }
    // Somebody drained them, and somebody needs them again.
    const revive = (): void => {
      coordinator.start();
      for (const agent of this.agents) this.#startAgent(agent);
      world.after(20_000, revive);
    };
    revive();
  }

  #changeBack(agent: SimAgent, { machine }: PlannedWorker): void {
    if (agent.profile !== machine.profile) agent.process.arrive(() => agent.changeProfile(machine.profile));
  }

  #startAgent(agent: SimAgent): void {
    if (!agent.isRunning && !this.#retired.has(agent)) agent.start();
  }

  #isDone(): boolean {
    return this.world.steps % 16 === 0 && this.#left() === null;
  }

  #left(): string | null {
    if (this.client.open > 0) return `${this.client.open} requests of clients have no answer`;
    if (this.#submitted < this.#plan.submissions.length)
      return `${this.#plan.submissions.length - this.#submitted} submissions are not through`;
    const open = unsettled(this.facts);
    if (open !== null) return open;
    const forgotten = this.conditions.forgotten();
    if (forgotten !== null) return forgotten;
    const loud = this.agents.find((agent) => agent.isRunning && !agent.isQuiet);
    return loud === undefined ? null : `${loud.name} has reports that nobody acknowledged, or work in hand`;
  }
}
