// The life of a worker as the engine sees it. A closed link is not a lost worker: it has a grace to come back in, and
// keeps its work meanwhile. A lost or left worker that says hello again is welcome; what it still held is not its own.
import type { TransitionTable } from './transition.ts';

export type WorkerState =
  | { readonly kind: 'connected' }
  /** Finishes what it has and gets nothing new. */
  | { readonly kind: 'draining' }
  | { readonly kind: 'disconnected'; readonly graceUntilMs: number; readonly wasDraining: boolean }
  | { readonly kind: 'lost'; readonly forgetAtMs: number }
  | { readonly kind: 'left'; readonly forgetAtMs: number };

const gone = { workerJoined: 'connected', workerJoinedDraining: 'draining', workerForgotten: 'end' } as const;

export const workerTransitions = {
  connected: {
    workerJoined: 'connected',
    workerJoinedDraining: 'draining',
    workerDraining: 'draining',
    workerDisconnected: 'disconnected',
    linksReset: 'disconnected',
    workerLost: 'lost',
    workerLeft: 'left',
  },
  draining: {
    workerJoined: 'connected',
    workerJoinedDraining: 'draining',
    workerDraining: 'draining',
    workerDisconnected: 'disconnected',
    linksReset: 'disconnected',
    workerLost: 'lost',
    workerLeft: 'left',
  },
  disconnected: {
    workerJoined: 'connected',
    workerJoinedDraining: 'draining',
    workerDraining: 'disconnected',
    linksReset: 'disconnected',
    workerLost: 'lost',
  },
  lost: gone,
  left: gone,
} as const satisfies TransitionTable<WorkerState['kind']>;
