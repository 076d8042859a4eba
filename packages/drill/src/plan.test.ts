import { expect, test } from 'vitest';
import { allFaults, faultOf, opensCircuit } from './faults/registry.ts';
import { drawPlan, sayPlan, type Wish } from './plan.ts';
import { readScenario } from './scenario.ts';

const wish: Wish = { seed: 1, workers: 3, tasks: 20, failures: 5, workerFailures: 1, faults: null };
const ids = (changes: Partial<Wish> = {}): string[] =>
  drawPlan({ ...wish, ...changes }).steps.map(({ fault }) => fault.id);

test('equal wishes give equal plans, and another seed another one', () => {
  expect(sayPlan(drawPlan(wish))).toEqual(sayPlan(drawPlan(wish)));
  expect(Array.from({ length: 10 }, (_, seed) => ids({ seed }).join()).length).toBe(10);
  expect(new Set(Array.from({ length: 10 }, (_, seed) => ids({ seed }).join())).size).toBeGreaterThan(5);
});

test('there are as many faults as were asked for, and exactly as many of them of workers', () => {
  for (let seed = 0; seed < 30; seed++)
    for (const workerFailures of [0, 1, 3]) {
      const plan = drawPlan({ ...wish, seed, workerFailures });
      expect(plan.steps).toHaveLength(5);
      expect(plan.steps.filter(({ fault }) => fault.family === 'worker')).toHaveLength(workerFailures);
    }
});

test('every plan has a fault that opens a circuit, added where none was drawn, and says so', () => {
  for (let seed = 0; seed < 30; seed++)
    expect(drawPlan({ ...wish, seed }).steps.some(({ fault }) => opensCircuit(fault))).toBe(true);
  const plan = drawPlan({ ...wish, failures: null, workerFailures: null, faults: ['worker-kill'] });
  expect(plan.steps.map(({ fault }) => fault.id)).toEqual(['worker-kill', 'dependency-down']);
  expect(plan.notes.join()).toContain('dependency-down was added');
});

test('no fault comes a second time before all were there', () => {
  const plan = ids({ failures: allFaults.length + 2, workerFailures: null });
  expect(new Set(plan.slice(0, allFaults.length)).size).toBeGreaterThanOrEqual(allFaults.length - 1);
});

test('only what was named is drawn: ids and families', () => {
  const named = ids({ failures: null, workerFailures: null, faults: ['link', 'dependency-slow'] });
  expect(new Set(named.map((id) => faultOf(id)?.family))).toEqual(new Set(['link', 'dependency']));
  expect(named.toSorted()).toEqual(
    [...allFaults.filter(({ family }) => family === 'link').map(({ id }) => id), 'dependency-slow'].toSorted(),
  );
});

test('what does not exist, or does not add up, is refused with what would', () => {
  expect(() => ids({ faults: ['worker-tickle'] })).toThrow(/"worker-tickle".*worker-kill/s);
  expect(() => ids({ failures: 2, workerFailures: 3 })).toThrow(/more than 2/);
  expect(() => ids({ faults: ['link'], workerFailures: 1 })).toThrow(/do not allow/);
});

test('all ordinary tasks are given out, spread over the steps', () => {
  const { steps } = drawPlan({ ...wish, tasks: 23 });
  const shares = steps.map(({ tasks }) => tasks);
  expect(shares.reduce((sum, count) => sum + count, 0)).toBe(23);
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
});

test('a scenario is the plan: its faults in its order, its workers, its tasks; what it does not say is drawn', () => {
  const scenario = readScenario(
    JSON.stringify({
      workers: 2,
      steps: [
        { fault: 'worker-stop', worker: 'worker-2', tasks: 7 },
        { fault: 'dependency-slow' },
        { fault: 'link-cut' },
      ],
    }),
    's.json',
  );
  const plan = drawPlan({ ...wish, failures: null, workerFailures: null, scenario });
  expect(plan.workers).toEqual(['worker-1', 'worker-2']);
  expect(plan.steps.map(({ fault }) => fault.id)).toEqual(['worker-stop', 'dependency-slow', 'link-cut']);
  expect(plan.steps[0]).toMatchObject({ worker: 'worker-2', tasks: 7 });
  expect(plan.steps[1]?.worker).toBeNull();
  expect(plan.workers).toContain(plan.steps[2]?.worker);
});

test('a scenario that names what is not there is refused with the place', () => {
  expect(() => readScenario('{"steps":[{"fault":"worker-kill"},{"fault":"meteor"}]}', 's.json')).toThrow(
    /steps\.1\.fault: there is no fault meteor/,
  );
  expect(() => readScenario('{"steps":[]}', 's.json')).toThrow(/steps/);
  expect(() => readScenario('{', 's.json')).toThrow(/s\.json/);
  const scenario = readScenario('{"steps":[{"fault":"worker-kill","worker":"worker-9"}]}', 's.json');
  expect(() => drawPlan({ ...wish, scenario })).toThrow(/no worker-9/);
});

test('a duration brings further faults, round after round, and the plan names the first of them', () => {
  const plan = drawPlan({ ...wish, durationMs: 120_000 });
  expect(plan.steps).toHaveLength(5);
  expect(plan.further[0]?.number).toBe(6);
  expect(new Set(plan.further.slice(0, allFaults.length).map(({ fault }) => fault.id)).size).toBe(allFaults.length);
  expect(sayPlan(plan).find((line) => line.startsWith('then, until 120 s'))).toContain(plan.further[0]?.fault.id);
  expect(drawPlan(wish).further).toEqual([]);
});
