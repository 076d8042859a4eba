// Circuits: what is stopped, why, until when, and the orders of people. An order on what nothing failed in yet makes its circuit.
// Who ordered and why are in the circuit's history, the live feed and the results.
import {
  AssayError,
  CircuitList,
  CircuitStateName,
  CircuitView,
  circuitScopeKinds,
  ForceCircuitRequest,
  ReleaseCircuitRequest,
} from '@assay/protocol';
import { z } from 'zod';
import type { App, HttpContext } from '../context.ts';
import { callerOf, failures, notFoundFault, submitOrThrow } from '../route-parts.ts';

const tags = ['circuits'];
const circuitParams = z.strictObject({ circuit: z.string().min(1).max(2_500) });
const circuitQuery = z.strictObject({
  state: CircuitStateName.optional(),
  /** Of one kind of scope. */
  kind: z.enum(circuitScopeKinds).optional(),
  /** Those that concern this worker by itself. */
  worker: z.string().max(100).optional(),
});

export function circuitRoutes(app: App, { coordinator }: HttpContext): void {
  const { views } = coordinator;
  const readCircuit = (circuit: string): CircuitView => {
    const view = views.circuit(circuit);
    if (view === null) throw notFoundFault('circuit', circuit);
    return view;
  };

  app.get(
    '/circuits',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Circuits, those that stop something first',
        tags,
        querystring: circuitQuery,
        response: { 200: CircuitList, ...failures() },
      },
    },
    ({ query: { state, kind, worker } }) => ({
      circuits: views
        .circuits()
        .filter(
          (circuit) =>
            (state === undefined || circuit.state === state) &&
            (kind === undefined || circuit.scope.kind === kind) &&
            (worker === undefined || ('worker' in circuit.scope && circuit.scope.worker === worker)),
        ),
    }),
  );

  app.get(
    '/circuits/:circuit',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'One circuit with its history and the journal sequence numbers of its evidence',
        tags,
        params: circuitParams,
        response: { 200: CircuitView, ...failures() },
      },
    },
    (request) => readCircuit(request.params.circuit),
  );

  orderRoutes(app, coordinator, readCircuit);
}

function orderRoutes(
  app: App,
  coordinator: HttpContext['coordinator'],
  readCircuit: (circuit: string) => CircuitView,
): void {
  app.post(
    '/circuits/:circuit/force',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Stop what a circuit is about, or let it do everything, until released or for a time',
        tags,
        params: circuitParams,
        body: ForceCircuitRequest,
        response: { 200: CircuitView, ...failures() },
      },
    },
    async (request) => {
      const { circuit } = request.params;
      const { to, forMs, reason } = request.body;
      const scope = coordinator.views.circuitScope(circuit);
      if (scope === null) throw new AssayError('BAD_REQUEST', `"${circuit}" is not the name of a circuit`);
      const untilMs = forMs === undefined ? null : coordinator.nowMs() + forMs;
      const actor = callerOf(request).name;
      await submitOrThrow(coordinator, { kind: 'forceCircuit', scope, to, untilMs, actor, reason });
      return readCircuit(circuit);
    },
  );
  for (const [verb, kind, summary] of [
    ['release', 'releaseCircuit', 'End what a person ordered, or an open period: it is probed next'],
    ['reset', 'resetCircuit', 'Close a circuit and forget what it has seen'],
  ] as const) {
    app.post(
      `/circuits/:circuit/${verb}`,
      {
        config: { scope: 'operate' },
        schema: {
          summary,
          tags,
          params: circuitParams,
          body: ReleaseCircuitRequest,
          response: { 200: CircuitView, ...failures() },
        },
      },
      async (request) => {
        const { circuit } = request.params;
        readCircuit(circuit);
        const actor = callerOf(request).name;
        await submitOrThrow(coordinator, { kind, circuit, actor, reason: request.body.reason });
        return readCircuit(circuit);
      },
    );
  }
}
