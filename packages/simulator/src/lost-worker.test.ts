// From the loss of a worker to its task running elsewhere, over production agents, links, liveness and engine: at most two
// heartbeats and one second, wherever in a heartbeat the power goes.
import { engineDefaults } from '@assay/core';
import { expect, test } from 'vitest';
import { Simulation } from './simulate.ts';
import { submission, worker, world } from './scenarios/worlds.ts';

const plan = world({
  config: engineDefaults,
  workers: [worker(), worker()],
  submissions: [submission(['a.test'], 400)],
  faultsEndMs: 30_000,
});

async function elsewhereMs(durationMs: number): Promise<number> {
  const lines: string[] = [];
  const simulation = new Simulation(plan, {
    planOf: (target, attempt) => ({
      durationMs,
      cases: [{ path: [target], status: 'passed', durationMs: 1 }],
      verdict: 'passed',
      ...(attempt === 1 ? { killsMachine: true } : {}),
    }),
    onTrace: (line) => lines.push(line),
  });
  await simulation.run();
  expect(simulation.result().violation).toBeNull();
  const at = (what: RegExp): number => Number.parseFloat(lines.find((line) => what.test(line)) ?? '') * 1_000;
  return at(/started r-1\.0#2/) - at(/loses power/);
}

test.each([400, 900, 1_400, 1_900, 2_400, 2_900, 3_400, 3_900, 4_400, 7_777])(
  'a machine that loses power in the middle of %i ms: its task runs elsewhere within two heartbeats and one second',
  async (durationMs) => {
    const ms = await elsewhereMs(durationMs);
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(2 * engineDefaults.heartbeatMs + 1_000);
  },
);
