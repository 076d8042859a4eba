// Circuits on the timeline: every move, with who and why, and the looks at dependencies that did not go well.
import type { Event } from '@assay/core';
import type { EntryContext, Projection } from './projection.ts';
import { recordEvent } from './projection.ts';

type CircuitEvent = Extract<Event, { kind: 'circuitMoved' | 'circuitProbed' }>;

export function projectCircuitEvent(projection: Projection, context: EntryContext, event: CircuitEvent): void {
  const worker = 'worker' in event.scope ? event.scope.worker : null;
  if (event.kind === 'circuitMoved') {
    const { circuit, from, transition, evidence } = event;
    recordEvent(projection, context, event.kind, { worker, detail: { circuit, from, ...transition, evidence } });
    return;
  }
  // What is well again and again is the circuit's own health, not history.
  if (event.outcome === 'success') return;
  const { scope, outcome, durationMs, detail } = event;
  recordEvent(projection, context, event.kind, { worker, detail: { scope, outcome, durationMs, detail } });
}
