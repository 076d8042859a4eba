// Circuits and troubles of the fleet on the timeline: every move, with who and why, the looks at dependencies that did not
// go well, and what failed together for one reason.
import type { Event } from '@assay/core';
import type { EntryContext, Projection } from './projection.ts';
import { recordEvent } from './projection.ts';

type CircuitEvent = Extract<Event, { kind: 'circuitMoved' | 'circuitProbed' | 'outageOpened' | 'outageClosed' }>;

export function projectCircuitEvent(projection: Projection, context: EntryContext, event: CircuitEvent): void {
  if (event.kind === 'outageOpened' || event.kind === 'outageClosed') {
    const { kind, ...detail } = event;
    return recordEvent(projection, context, kind, { detail });
  }
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
