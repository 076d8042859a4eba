// The one door into the engine: facts and requests in, events out. Pure and synchronous; the driver journals what comes out
// and only then acts on it. Steps without events changed nothing and are not journalled.
//
// Order within a step: what the input itself causes, then what became unplaceable, then placement and stealing, then
// what is forgotten.
import type { EngineConfig } from './config.ts';
import { nextDeadline } from './deadlines.ts';
import type { Event, Reply, StepResult } from './events.ts';
import { emptyState } from './evolve.ts';
import type { Input } from './inputs.ts';
import { acknowledgeResults } from './ops/acknowledge-results.ts';
import { addTasks } from './ops/add-tasks.ts';
import { cancelRun } from './ops/cancel-run.ts';
import { checkPlaceable } from './ops/check-placeable.ts';
import { connectWorker } from './ops/connect-worker.ts';
import { drainWorker } from './ops/drain-worker.ts';
import { eraseProject, importRun } from './ops/import-run.ts';
import { flipGate } from './ops/flip-gate.ts';
import { acceptReports } from './ops/accept-reports.ts';
import { disconnectWorker, loseSilentWorker, partWithWorker, resetLinks } from './ops/part-with-worker.ts';
import {
  forceCircuit,
  forgetCircuits,
  releaseCircuit,
  resetCircuit,
  takeDependencyProbe,
} from './ops/order-circuit.ts';
import { quarantineTest, releaseTest } from './ops/quarantine-test.ts';
import { openAlternatives } from './ops/open-alternatives.ts';
import { passTime } from './ops/pass-time.ts';
import { certifyWorker, setCondition } from './ops/set-condition.ts';
import { restartGangs } from './ops/restart-gangs.ts';
import { setPolicy } from './ops/set-policy.ts';
import { submitRun } from './ops/submit-run.ts';
import { tendOutages } from './ops/shield-fleet.ts';
import { trimHistory } from './ops/trim-history.ts';
import type { State } from './state.ts';
import { beginStep } from './step.ts';
import type { Step } from './step.ts';
import { placeAll } from '../scheduling/pick.ts';
import { windUp } from './settle.ts';
import { hedgeAll } from '../scheduling/hedge.ts';
import { stealAll } from '../scheduling/steal.ts';

export type Engine = {
  readonly state: State;
  /** Validates the input, decides, and applies what follows. */
  step(input: Input, nowMs: number): StepResult;
  /** The earliest time at which `timePassed` would do something, or null. */
  nextDeadlineMs(): number | null;
};

/** An engine over a state, which from now on only its steps may change. */
export function createEngine(config: EngineConfig, state: State = emptyState()): Engine {
  // Not part of the state: it only keeps nextDeadlineMs from naming a time that was acted on.
  let lookedAtMs = -Infinity;
  let reconsiderAtMs = Infinity;
  return {
    state,
    step: (input, nowMs) => {
      lookedAtMs = nowMs;
      const taken = beginStep(state, config, nowMs);
      const result = takeStep(taken, input);
      if (result.events.length > 0 || input.kind === 'timePassed') reconsiderAtMs = taken.reconsiderAtMs;
      return result;
    },
    nextDeadlineMs: () => nextDeadline(state, config, lookedAtMs, reconsiderAtMs),
  };
}

function takeStep(step: Step, input: Input): StepResult {
  for (const run of [...step.state.index.winding]) windUp(step, run);
  const reply = decide(step, input);
  if (step.events.length > 0) restartGangs(step);
  if (step.events.length > 0) tendOutages(step);
  if (step.events.length > 0 || input.kind === 'timePassed') openAlternatives(step);
  if (step.events.length > 0) checkPlaceable(step);
  if (step.events.length > 0 || input.kind === 'timePassed') {
    placeAll(step);
    stealAll(step);
    if (input.kind === 'timePassed') hedgeAll(step);
  }
  if (step.events.length > 0) {
    forgetCircuits(step);
    trimHistory(step);
  }
  return { events: step.events as Event[], reply };
}

function decide(step: Step, input: Input): Reply {
  switch (input.kind) {
    case 'setPolicy':
      return setPolicy(step, input);
    case 'submitRun':
      return submitRun(step, input);
    case 'importRun':
      return importRun(step, input);
    case 'eraseProject':
      return eraseProject(step, input);
    case 'quarantineTest':
      return quarantineTest(step, input);
    case 'releaseTest':
      return releaseTest(step, input);
    case 'addTasks':
      return addTasks(step, input);
    case 'cancelRun':
      return cancelRun(step, input);
    case 'workerConnected':
      return connectWorker(step, input);
    case 'workerDisconnected':
      return disconnectWorker(step, input);
    case 'workerWentSilent':
      return loseSilentWorker(step, input);
    case 'workerLeft':
      return partWithWorker(step, input);
    case 'workerReported':
      return acceptReports(step, input);
    case 'gateFlipped':
      return flipGate(step, input);
    case 'drainWorker':
      return drainWorker(step, input);
    case 'setCondition':
      return setCondition(step, input);
    case 'certifyWorker':
      return certifyWorker(step, input);
    case 'resultsAcknowledged':
      return acknowledgeResults(step, input);
    case 'dependencyProbed':
      return takeDependencyProbe(step, input);
    case 'forceCircuit':
      return forceCircuit(step, input);
    case 'releaseCircuit':
      return releaseCircuit(step, input);
    case 'resetCircuit':
      return resetCircuit(step, input);
    case 'timePassed':
      return passTime(step);
    case 'coordinatorRestarted':
      return resetLinks(step, input);
  }
}
