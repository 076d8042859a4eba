// What a fault is to a drill: something really done to a process, a link, a file or a service, with proof from outside the product
// that it happened, and an undo with proof that it was taken back.
// What always holds: a fault without proof was not injected, whatever was tried; a fault that is not permitted here is "not run",
// with the reason, and never replaced by another.
import type { UndoStack } from '../undo.ts';
import type { DrillFleet, DrillWorker } from '../world/fleet.ts';
import type { DependencyService } from '../world/service.ts';

export const families = ['worker', 'link', 'coordinator', 'task', 'device', 'dependency', 'browser'] as const;
export type Family = (typeof families)[number];

/** What was seen, where, and when by this machine's clock (milliseconds since the epoch). */
export type Proof = { readonly source: string; readonly saw: string; readonly atMs: number };

export const proof = (source: string, saw: string): Proof => ({ source, saw, atMs: Date.now() });

/** What a fault may touch. */
export type World = {
  readonly fleet: DrillFleet;
  readonly service: DependencyService;
  readonly undo: UndoStack;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly random: () => number;
};

/** What is done to the target; `worker` is the one that was drawn (or is at work), for families without one the first. */
export type Act = World & { readonly worker: DrillWorker };

export type Injected = {
  readonly proof: Proof;
  /** Takes it back; the proof says that it is back. */
  readonly undo: () => Promise<Proof>;
};

/** The circuit that has to open, half-open and close again, by its scope's kind; `target` is the fault's own worker or service. */
export type CircuitExpectation = { readonly scope: 'worker' | 'device' | 'dependency'; readonly opensWithinMs: number };

/** What the journal has to show of the fault. */
export type Effect =
  /** The worker is presumed lost, and its work goes elsewhere. */
  | { readonly kind: 'workerLost'; readonly withinMs: number }
  /** Its link is seen to close; whether it comes back in time is not fixed. */
  | { readonly kind: 'disconnected'; readonly withinMs: number }
  /** Its link is seen to close, or it is presumed lost: which of them comes first is chance. */
  | { readonly kind: 'away'; readonly withinMs: number }
  | { readonly kind: 'left'; readonly withinMs: number }
  | { readonly kind: 'coordinatorRestarted'; readonly withinMs: number }
  | { readonly kind: 'quarantined'; readonly withinMs: number }
  | { readonly kind: 'circuit'; readonly expects: CircuitExpectation }
  /** The product is to carry on as if nothing were: nothing is expected of the journal but the checks of the whole. */
  | { readonly kind: 'none' };

export type Fault = {
  readonly id: string;
  readonly family: Exclude<Family, 'task' | 'browser'>;
  readonly title: string;
  /** Which work is given out while it lasts: its own kind is needed where only that meets the fault. */
  readonly work: 'unit' | 'tool' | 'service' | 'rig';
  readonly effect: Effect;
  /** How long it is held after its effect was seen (or from the start, where none is expected). */
  readonly holdMs: number;
  /** Whether it is done to a worker that has work in hand. */
  readonly needsWork: boolean;
  /** Why it cannot be done here, or null. */
  readonly whyNot?: (world: World) => string | null;
  readonly inject: (act: Act) => Promise<Injected>;
};
