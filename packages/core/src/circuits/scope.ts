// The names of circuits. Every scope has one id, readable and safe to sort by, from which commands and addresses find it.
import type { CircuitScope, WorkerId } from '@assay/protocol';

export type CircuitId = string;

export function circuitIdOf(scope: CircuitScope): CircuitId {
  switch (scope.kind) {
    case 'worker':
      return `worker:${scope.worker}`;
    case 'device':
      return `device:${scope.worker}:${scope.device}`;
    case 'class':
      return `class:${scope.class}`;
    case 'task':
      return `task:${scope.project}/${scope.suite}`;
    case 'workerTask':
      return `workerTask:${scope.worker}:${scope.project}/${scope.suite}`;
    case 'classTask':
      return `classTask:${scope.class}:${scope.project}/${scope.suite}`;
    case 'dependency':
      return `dependency:${scope.dependency}`;
  }
}

/**
 * The scope that an id names, for a circuit that nothing failed in yet; null where it names none. A project may have a slash in
 * its name, and so may a suite: the project ends at the first slash that is not its scope's (`@acme/shop/unit`).
 */
export function scopeOfCircuit(circuit: CircuitId): CircuitScope | null {
  const [kind, ...parts] = circuit.split(':');
  const [first = '', ...rest] = parts;
  const after = rest.join(':');
  if (first === '') return null;
  const work = (text: string): { project: string; suite: string } | null => {
    const found = /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(text);
    return found?.[1] === undefined || found[2] === undefined ? null : { project: found[1], suite: found[2] };
  };
  switch (kind) {
    case 'worker':
      return after === '' ? { kind, worker: first as WorkerId } : null;
    case 'device':
      return after === '' ? null : { kind, worker: first as WorkerId, device: after };
    case 'class':
      return after === '' ? { kind, class: first } : null;
    case 'dependency':
      return { kind, dependency: parts.join(':') };
    case 'task': {
      const of = work(parts.join(':'));
      return of === null ? null : { kind, ...of };
    }
    case 'workerTask': {
      const of = work(after);
      return of === null ? null : { kind, worker: first as WorkerId, ...of };
    }
    case 'classTask': {
      const of = work(after);
      return of === null ? null : { kind, class: first, ...of };
    }
    default:
      return null;
  }
}

/** A short name for a capability class: 53 bits of its key (cyrb53, public domain), which is long and holds a digest. */
export function classIdOf(key: string): string {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    low = Math.imul(low ^ code, 2_654_435_761);
    high = Math.imul(high ^ code, 1_597_334_677);
  }
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  return `c${(4_294_967_296 * (2_097_151 & high) + (low >>> 0)).toString(36)}`;
}

/** Luck from a name: the same circuit opening for the same time draws the same, so that replays agree. */
export function luckOf(circuit: CircuitId, generation: number): number {
  const digits = classIdOf(`${circuit}#${generation}`).slice(1);
  return (Number.parseInt(digits.slice(-6), 36) % 100_000) / 100_000;
}

/** Whether a circuit of this scope speaks of one kind of work only. */
export function taskClassOf(scope: CircuitScope): string | null {
  return scope.kind === 'task' || scope.kind === 'workerTask' || scope.kind === 'classTask'
    ? `${scope.project}\n${scope.suite}`
    : null;
}
