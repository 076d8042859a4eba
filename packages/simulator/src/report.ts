// What a person reads of a simulation: the faults first, then what came of it, and how to see it again.
import { describeFault, drawPlan } from './plan.ts';
import type { SimResult } from './simulate.ts';

export function describePlan(seed: number): string[] {
  const plan = drawPlan(seed);
  const workers = plan.workers.map(({ machine, slots }) => `${machine.kind} (${slots})`).join(', ');
  const tasks = plan.submissions.map(({ chunks }) => chunks.flat().length).join(' + ');
  const faults = plan.faults.map((fault) => `  ${describeFault(fault)}`);
  return [
    `seed ${seed}: ${plan.workers.length} workers with their slots: ${workers}`,
    `  ${plan.submissions.length} runs of ${tasks} tasks; faults until ${(plan.faultsEndMs / 1000).toFixed(1)} s of virtual time:`,
    ...(faults.length === 0 ? ['  none'] : faults),
  ];
}

export function describeResult(result: SimResult): string[] {
  const { seed, violation } = result;
  if (violation === null) {
    const { tasks, attempts, runs, refusedReports, coordinatorStarts, steps, moments, virtualMs, digest } = result;
    return [
      `seed ${seed}: passed: ${runs} runs, ${tasks} tasks, ${attempts} attempts settled, ${refusedReports} reports refused, ${coordinatorStarts} starts of the coordinator`,
      `  ${steps} steps of the engine checked, ${moments} moments, ${(virtualMs / 1000).toFixed(1)} s of virtual time, digest ${digest}`,
    ];
  }
  return [
    `seed ${seed}: FAILED: ${violation.invariant}`,
    `  ${violation.message}`,
    `the last ${result.lastLines.length} lines of its trace:`,
    ...result.lastLines.map((line) => `  ${line}`),
    `see it again:  npm run sim -- --seed ${seed}            (every line: --verbose)`,
  ];
}
