// What must hold of the conditions of workers and devices, read from the durable events and held against the planted truth:
// what is set aside gets no work that needs it, only what was ever unsound is suspected, and what is sound comes back.
import type { ConditionChanged } from '@assay/core';
import type { JournalEntry } from '@assay/coordinator/simulation';
import type { RunId, RunSpec, WorkerId } from '@assay/protocol';
import { needOf } from '../agents/machines.ts';
import type { SimAgent } from '../agents/sim-agent.ts';
import type { World } from '../sim/world.ts';

export class ConditionFacts {
  readonly #world: World;
  readonly #agentOf: (worker: WorkerId) => SimAgent | undefined;
  readonly #specs = new Map<RunId, RunSpec>();
  /** By worker: the devices that are set aside, null for the worker as a whole. */
  readonly #aside = new Map<WorkerId, Set<string | null>>();
  suspected = 0;
  returned = 0;

  constructor(world: World, agentOf: (worker: WorkerId) => SimAgent | undefined) {
    this.#world = world;
    this.#agentOf = agentOf;
  }

  add(entries: readonly JournalEntry[]): void {
    for (const { events } of entries)
      for (const event of events) {
        if (event.kind === 'runSubmitted') this.#specs.set(event.run, event.spec);
        else if (event.kind === 'workerForgotten') this.#aside.delete(event.worker);
        else if (event.kind === 'conditionChanged') this.#changed(event);
        else if (event.kind === 'tasksAssigned') this.#assigned(event.worker, event.run, event.suite);
      }
  }

  /** A device that is sound and set aside still, in words; null where there is none. */
  forgotten(): string | null {
    for (const [worker, devices] of this.#aside) {
      const agent = this.#agentOf(worker);
      if (agent === undefined || !agent.isRunning) continue;
      for (const device of devices)
        if (agent.soundness.isSound(device)) return `${worker} ${device ?? ''} is sound, and is set aside`;
    }
    return null;
  }

  #changed({ worker, device, to: { kind: to }, trigger, reason }: ConditionChanged): void {
    const devices = this.#aside.get(worker) ?? new Set();
    this.#aside.set(worker, devices);
    if (to === 'ready') {
      devices.delete(device);
      this.returned += 1;
      return;
    }
    devices.add(device);
    // A clock that jumps makes everything look late, until the worker says otherwise by its own.
    if (trigger !== 'suspected' || reason.includes('runs past its time-out')) return;
    this.suspected += 1;
    if (this.#agentOf(worker)?.soundness.everUnsound.has(device) !== true)
      this.#world.violate('only what is unsound is suspected', `${worker} ${device ?? 'as a whole'}`);
  }

  #assigned(worker: WorkerId, run: RunId, suite: number): void {
    const devices = this.#aside.get(worker);
    if (devices === undefined || devices.size === 0) return;
    const isWhole = devices.has(null);
    const agent = this.#agentOf(worker);
    const { requires = '', alternatives = [] } = this.#specs.get(run)?.suites[suite] ?? {};
    const choices = [requires, ...alternatives.map((one) => one.requires)].map(needOf);
    const profile =
      agent === undefined ? null : { ...agent.profile, gpus: devices.has('gpu:0') ? [] : agent.profile.gpus };
    const fits = profile !== null && choices.some((need) => need.fits(profile as never, agent!.declared));
    if (isWhole || !fits)
      this.#world.violate(
        'what is set aside gets no work',
        `${run} suite ${suite} to ${worker}, ${[...devices].join(' ')}`,
      );
  }
}
