// Link faults through the proxy between a worker and the coordinator; what the proxy counted is the proof.
import { NotInTime, until } from '../until.ts';
import type { LinkCounts, LinkTrouble } from '../world/proxy.ts';
import { type Act, type Effect, type FleetFault, type Injected, type Proof, proof } from './fault.ts';

type Counted = (counts: LinkCounts) => number;

/** Injected once the proxy counted at least one thing done to the bytes of this link. */
function through(trouble: LinkTrouble, what: string, counted: Counted) {
  return async (act: Act): Promise<Injected> => {
    const { link, name } = act.worker;
    const before = counted(link.counts);
    const mend = act.undo.add(`mend the link of ${name}`, () => link.mend());
    link.trouble(trouble);
    const since = (): number => Math.round(counted(link.counts) - before);
    try {
      await until(`the link of ${name}: ${what}`, () => (since() > 0 ? true : null), {
        timeoutMs: 8_000,
        signal: act.signal,
        everyMs: 5,
      });
    } catch (error) {
      await mend();
      throw error instanceof NotInTime ? new Error(`the proxy met no byte to do it to`) : error;
    }
    const shown = proof(`proxy of ${name} on port ${link.port}`, `${since()} ${what}`);
    const undo = async (): Promise<Proof> => {
      const total = since();
      await mend();
      const passed = link.counts.bytes;
      await act.fleet.joined(act.worker);
      await until(`bytes pass again on the link of ${name}`, () => (link.counts.bytes > passed ? true : null), {
        timeoutMs: 15_000,
        signal: act.signal,
      });
      return proof(
        `proxy of ${name} on port ${link.port}`,
        `${total} ${what} in all; ${link.counts.bytes - passed} bytes passed after the mending`,
      );
    };
    return { proof: shown, undo };
  };
}

function fault(id: string, title: string, effect: Effect, holdMs: number, inject: FleetFault['inject']): FleetFault {
  return { kind: 'fleet', id, family: 'link', title, work: 'unit', brings: 0, effect, holdMs, needsWork: true, inject };
}

export const linkFaults: readonly FleetFault[] = [
  fault(
    'link-cut',
    'a link is cut: its connections are reset and new ones refused',
    { kind: 'disconnected', withinMs: 10_000 },
    1_000,
    through({ kind: 'cut' }, 'connections reset', ({ resets }) => resets),
  ),
  fault(
    'link-black-hole',
    'a link swallows everything and tells nobody',
    { kind: 'workerLost', withinMs: 20_000 },
    200,
    through({ kind: 'blackHole' }, 'bytes held back', ({ heldBytes }) => heldBytes),
  ),
  fault(
    'link-delay',
    'everything on a link is half a second late',
    { kind: 'none' },
    3_000,
    through({ kind: 'delay', delayMs: 500, jitterMs: 0 }, 'bytes delayed', ({ delayedBytes }) => delayedBytes),
  ),
  fault(
    'link-jitter',
    'everything on a link is late by up to half a second, each piece by another time',
    { kind: 'none' },
    3_000,
    through({ kind: 'delay', delayMs: 10, jitterMs: 490 }, 'bytes delayed', ({ delayedBytes }) => delayedBytes),
  ),
  fault(
    'link-throttle',
    'a link carries two kilobytes a second',
    { kind: 'none' },
    3_000,
    through({ kind: 'throttle', bytesPerSecond: 2_048 }, 'ms waited for the rate', ({ delayedMs }) => delayedMs),
  ),
  fault(
    'link-half-open',
    "the worker's end of a link is gone and the coordinator is not told",
    { kind: 'none' },
    2_000,
    through({ kind: 'halfOpen' }, 'connections left half open', ({ orphaned }) => orphaned),
  ),
  fault(
    'link-duplicate',
    'every frame of a worker arrives twice',
    { kind: 'none' },
    3_000,
    through({ kind: 'duplicate' }, 'frames sent twice', ({ duplicated }) => duplicated),
  ),
  fault(
    'link-corrupt',
    'frames of a worker arrive with a bit turned: each ends the link, and none is believed',
    { kind: 'disconnected', withinMs: 10_000 },
    3_000,
    through({ kind: 'corrupt' }, 'frames damaged', ({ damaged }) => damaged),
  ),
];
