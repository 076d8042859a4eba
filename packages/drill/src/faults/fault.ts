// What a fault is to a drill: something really done to a process, a link, a file or a service, with proof from outside the product
// that it happened, and an undo with proof that it was taken back.
// What always holds: a fault without proof was not injected, whatever was tried; a fault that is not permitted here is "not run",
// with the reason, and never replaced by another.
import type { UndoStack } from '../undo.ts';
import type { DrillFleet, DrillWorker } from '../world/fleet.ts';
import type { Expectation } from '../world/project.ts';
import type { DependencyService } from '../world/service.ts';

export const families = ['worker', 'link', 'coordinator', 'task', 'device', 'dependency'] as const;
export type Family = (typeof families)[number];

/** What was seen, where, and when by this machine's clock (milliseconds since the epoch). */
export type Proof = { readonly source: string; readonly saw: string; readonly atMs: number };

export const proof = (source: string, saw: string): Proof => ({ source, saw, atMs: Date.now() });

/** What a fault may touch. */
export type World = {
  readonly fleet: DrillFleet;
  readonly service: DependencyService;
  readonly undo: UndoStack;
  /** Where the drill's tests leave marks. */
  readonly marks: string;
  readonly signal: AbortSignal;
  readonly random: () => number;
};

/** What is done to the target; `worker` is the one that was drawn. */
export type Act = World & { readonly worker: DrillWorker };

export type Injected = {
  readonly proof: Proof;
  /** Takes it back; the proof says that it is back. */
  readonly undo: () => Promise<Proof>;
};

/** What the journal has to show of the fault, within so long of the moment when it was injected. */
export type Effect =
  /** The worker is presumed lost, and its work goes elsewhere. */
  | { readonly kind: 'workerLost'; readonly withinMs: number }
  /** Its link is seen to close; whether it comes back in time is not fixed. */
  | { readonly kind: 'disconnected'; readonly withinMs: number }
  | { readonly kind: 'left'; readonly withinMs: number }
  | { readonly kind: 'coordinatorRestarted'; readonly withinMs: number }
  | { readonly kind: 'quarantined'; readonly withinMs: number }
  /** A circuit opens, half-opens and closes again: of the fault's own worker, or of the service. */
  | { readonly kind: 'circuit'; readonly scope: 'worker' | 'dependency'; readonly withinMs: number }
  /** The product is to carry on as if nothing were: nothing is expected of the journal but the checks of the whole. */
  | { readonly kind: 'none' };

/** Which suite's tasks meet the fault. */
export type Work = 'unit' | 'tool' | 'service' | 'rig';

export type FleetFault = {
  readonly kind: 'fleet';
  readonly id: string;
  readonly family: Exclude<Family, 'task'>;
  readonly title: string;
  readonly work: Work;
  /** Tasks that it brings along: given out before it is made, so that it meets them. */
  readonly brings: number;
  /** Tasks given out when the product has noticed it: they have to wait, or go elsewhere. */
  readonly bringsDuring?: number;
  /** Tasks given out after its undo, by which the product can see that all is well again. */
  readonly bringsAfter?: number;
  readonly effect: Effect;
  /** How long it is held after its effect was seen (or from the start, where none is expected). */
  readonly holdMs: number;
  /** Whether it is done to a worker that has work in hand. */
  readonly needsWork: boolean;
  /** Why it cannot be done here, or null. */
  readonly whyNot?: () => string | null;
  readonly inject: (act: Act) => Promise<Injected>;
};

/** A fault that a test itself has: one more file of the drill's project, with the end that the product has to give it. */
export type TaskFault = {
  readonly kind: 'task';
  readonly id: string;
  readonly family: 'task';
  readonly title: string;
  readonly suite: string;
  readonly expects: Expectation;
  /** What the operating system has to show of the process that the file marks as its own. */
  readonly shows: 'said' | 'gone' | 'burning' | 'idle';
  /** Of `said`: the word that its mark has to have. */
  readonly says?: string;
  readonly file: string;
  readonly whyNot?: () => string | null;
};

export type Fault = FleetFault | TaskFault;
