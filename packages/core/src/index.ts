// The pure heart: engine, life cycles, hardware, scheduling. No timers, no I/O, no randomness of its own.
export * from './engine/config.ts';
export { checkInvariants, misplacedTasks } from './engine/invariants.ts';
export { createEngine } from './engine/engine.ts';
export type { Engine } from './engine/engine.ts';
export * from './engine/events.ts';
export { emptyState, evolve, replay } from './engine/evolve.ts';
export * from './engine/inputs.ts';
export { restore, snapshot } from './engine/snapshot.ts';
export type { State } from './engine/state.ts';
export { viewRun, viewRuns, viewTask, viewTasks, viewWorker, viewWorkers } from './engine/views.ts';
export { parseRequirement, requirementRoots } from './hardware/requirement.ts';
export type { ParsedRequirement, Requirement } from './hardware/requirement.ts';
export { attemptTransitions } from './lifecycle/attempt.ts';
export { runTransitions } from './lifecycle/run.ts';
export { taskTransitions } from './lifecycle/task.ts';
export { workerTransitions } from './lifecycle/worker.ts';
export { explainTask } from './scheduling/explain.ts';
