// A gate of a worker or of one of its devices flipped: heat, full GPU memory, an empty battery. While it is shut there is no new work
// for it; what runs goes on, and what was assigned and not started stays, because the gate may open again at any moment.
import { keyOf } from '../../hardware/gate.ts';
import type { Reply } from '../events.ts';
import type { GateFlipped } from '../inputs.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';

/** Gates of one worker: six a device, and more is a mistake. */
const gatesMax = 512;

export function flipGate(step: Step, { worker: id, session, gate, device, isShut, reason }: GateFlipped): Reply {
  const worker = step.state.workers.get(id);
  if (
    worker === undefined ||
    worker.session !== session ||
    worker.state.kind === 'lost' ||
    worker.state.kind === 'left'
  )
    return refused('NOT_FOUND', `worker ${id} has no such link`);
  const { gates } = worker.health;
  // Several readings may have been judged before the first flip came here.
  if (gates.has(keyOf({ gate, device })) === isShut) return accepted;
  if (isShut && gates.size >= gatesMax) return refused('CONFLICT', `at most ${gatesMax} gates of a worker are shut`);
  step.emit({ kind: 'gateFlipped', worker: id, gate, device, isShut, reason: reason.slice(0, 300) });
  return accepted;
}
