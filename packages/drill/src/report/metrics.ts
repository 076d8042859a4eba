// A drill as data (metrics.json): what was planned, done, proved, checked and measured. The schema is the contract of the file;
// `schema` counts up when a field changes its meaning.
import { z } from 'zod';
import { type RecoveryTimes, percentiles, recoveryTimes } from '../recovery-times.ts';
import type { DrillEnd } from '../run-drill.ts';

const ProofShape = z.object({ source: z.string(), saw: z.string(), atMs: z.number() });
const Spread = z.object({ p50: z.number(), p95: z.number(), worst: z.number() }).nullable();

export const DrillMetrics = z.object({
  schema: z.literal(1),
  verdict: z.enum(['held', 'broken', 'inconclusive']),
  startedAtMs: z.number(),
  endedAtMs: z.number(),
  plan: z.object({
    seed: z.number(),
    workers: z.array(z.string()),
    tasks: z.number(),
    steps: z.array(
      z.object({ number: z.number(), fault: z.string(), worker: z.string().nullable(), tasks: z.number() }),
    ),
    notes: z.array(z.string()),
    notHere: z.array(z.object({ fault: z.string(), why: z.string() })),
  }),
  faults: z.array(
    z.object({
      step: z.number(),
      fault: z.string(),
      family: z.string(),
      worker: z.string().nullable(),
      startedAtMs: z.number(),
      injectedAtMs: z.number().nullable(),
      injected: ProofShape.nullable(),
      undone: ProofShape.nullable(),
      endedAtMs: z.number(),
      troubles: z.array(z.string()),
    }),
  ),
  checks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      state: z.enum(['held', 'broken', 'notEvaluated']),
      detail: z.string(),
      evidence: z.array(z.string()),
    }),
  ),
  tasks: z.object({
    total: z.number(),
    verdicts: z.record(z.string(), z.number()),
    attempts: z.number(),
    lostAttempts: z.number(),
  }),
  circuits: z.array(
    z.object({
      seq: z.number(),
      atMs: z.number(),
      circuit: z.string(),
      from: z.string(),
      to: z.string(),
      cause: z.string(),
    }),
  ),
  recovery: z.object({
    byFault: z.array(
      z.object({
        step: z.number(),
        fault: z.string(),
        detectionMs: z.number().nullable(),
        reassignmentMs: z.number().nullable(),
        returnMs: z.number().nullable(),
      }),
    ),
    detectionMs: Spread,
    reassignmentMs: Spread,
    returnMs: Spread,
  }),
});
export type DrillMetrics = z.infer<typeof DrillMetrics>;

export function metricsOf({ verdict, results, evidence, startedAtMs, endedAtMs }: DrillEnd): DrillMetrics {
  const { plan, steps, history } = evidence;
  return {
    schema: 1,
    verdict,
    startedAtMs,
    endedAtMs,
    plan: {
      seed: plan.seed,
      workers: [...plan.workers],
      tasks: plan.tasks,
      steps: plan.steps.map(({ number, fault, worker, tasks }) => ({ number, fault: fault.id, worker, tasks })),
      notes: [...plan.notes],
      notHere: [...plan.notHere],
    },
    faults: steps.map(({ step, startedAtMs: atMs, injectedAtMs, injected, undone, endedAtMs: overMs, troubles }) => ({
      step: step.number,
      fault: step.fault.id,
      family: step.fault.family,
      worker: step.worker,
      startedAtMs: atMs,
      injectedAtMs,
      injected,
      undone,
      endedAtMs: overMs,
      troubles: [...troubles],
    })),
    checks: results.map((result) => ({ ...result, evidence: [...result.evidence] })),
    tasks: tasksOf(evidence),
    circuits: history.moves.map(({ seq, atMs, event }) => ({
      seq,
      atMs,
      circuit: event.circuit,
      from: event.from,
      to: event.transition.to,
      cause: event.transition.cause,
    })),
    recovery: recoveryOf(recoveryTimes(steps, history)),
  };
}

function tasksOf({ history }: DrillEnd['evidence']): DrillMetrics['tasks'] {
  const verdicts: Record<string, number> = {};
  let attempts = 0;
  let lostAttempts = 0;
  for (const story of history.tasks.values()) {
    for (const { event } of story.settled) verdicts[event.verdict] = (verdicts[event.verdict] ?? 0) + 1;
    attempts += story.attempts.size;
    for (const { settled } of story.attempts.values())
      if (settled.some(({ event }) => event.verdict === 'lost')) lostAttempts += 1;
  }
  return { total: history.tasks.size, verdicts, attempts, lostAttempts };
}

function recoveryOf(byFault: RecoveryTimes[]): DrillMetrics['recovery'] {
  const spread = (pick: (times: RecoveryTimes) => number | null) =>
    percentiles(byFault.map(pick).filter((ms): ms is number => ms !== null));
  return {
    byFault,
    detectionMs: spread(({ detectionMs }) => detectionMs),
    reassignmentMs: spread(({ reassignmentMs }) => reassignmentMs),
    returnMs: spread(({ returnMs }) => returnMs),
  };
}
