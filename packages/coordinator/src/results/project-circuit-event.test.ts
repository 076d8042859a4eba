import type { Event } from '@assay/core';
import type { RunId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { createProjection, nothingToResume, takeBatch } from './projection.ts';
import { project } from './project.ts';

const worker = 'w-1' as WorkerId;

function eventsOf(...events: Event[]): { kind: string; worker: string | null; run: RunId | null; detail: unknown }[] {
  const projection = createProjection(nothingToResume);
  project(projection, { seq: 7, atMs: 1_000, input: { kind: 'timePassed' }, events });
  return takeBatch(projection).events.map(({ kind, worker: about, run, detail }) => ({
    kind,
    worker: about,
    run,
    detail: detail === null ? null : (JSON.parse(detail) as unknown),
  }));
}

test('a move of a circuit is kept with who, why and the evidence, on the timeline of the worker that it is about', () => {
  const transition = {
    to: 'forcedOpen',
    atMs: 1_000,
    cause: 'forced',
    actor: 'ann',
    reason: 'fan',
    untilMs: null,
  } as const;
  const moved: Event = {
    kind: 'circuitMoved',
    circuit: 'worker:w-1',
    scope: { kind: 'worker', worker },
    from: 'closed',
    transition,
    evidence: [3, 5],
  };
  expect(eventsOf(moved)).toEqual([
    {
      kind: 'circuitMoved',
      worker,
      run: null,
      detail: { circuit: 'worker:w-1', from: 'closed', ...transition, evidence: [3, 5] },
    },
  ]);
});

test('of looks at a dependency those are kept that did not go well, and no counting', () => {
  const scope = { kind: 'dependency', dependency: 'db' } as const;
  const look = { kind: 'circuitProbed', scope, durationMs: 4 } as const;
  expect(
    eventsOf(
      { ...look, outcome: 'success', detail: null },
      { ...look, outcome: 'failure', detail: 'connect ECONNREFUSED' },
      { kind: 'circuitsForgotten', circuits: ['worker:w-1'] },
    ),
  ).toEqual([
    {
      kind: 'circuitProbed',
      worker: null,
      run: null,
      detail: { scope, outcome: 'failure', durationMs: 4, detail: 'connect ECONNREFUSED' },
    },
  ]);
});
