import type { TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { deedOf } from './behave.ts';
import { drawPlant, plantKinds } from './plant.ts';
import { PlantedFleet } from './planted-fleet.ts';
import { scoreOf } from './score.ts';
import { emptyStory, type Story } from './story.ts';

const someSeeds = [1, 2, 3, 4, 5];

test('a seed is always the same plant, and something is wrong in it exactly where its kind says so', () => {
  for (const kind of plantKinds) {
    for (const seed of someSeeds) {
      const plant = drawPlant(seed, kind);
      expect(drawPlant(seed, kind)).toEqual(plant);
      const { badDevices, badDriver, blackHoles, poison, flapping, down } = plant.truth;
      const wrong = [
        badDevices.size,
        badDriver === null ? 0 : 1,
        blackHoles.size,
        poison.size,
        flapping.size,
        down === null ? 0 : 1,
      ];
      expect(wrong.filter((count) => count > 0)).toHaveLength(kind === 'sound' ? 0 : 1);
      expect(plant.tests.some(({ ownFailures }) => ownFailures > 0)).toBe(true);
    }
  }
});

test('a device fails as devices do: its lines get its class from the table of rules, its wrong results do not', () => {
  const classes = new Set<string>();
  for (const seed of Array.from({ length: 40 }, (_, index) => index + 1)) {
    const plant = drawPlant(seed, 'bad devices');
    for (const worker of plant.workers) {
      for (const planted of plant.tests.filter(({ suite }) => suite === 'gpu')) {
        const { cause, outcome } = deedOf(plant, planted, worker, 0, 1, 0);
        if (cause === 'device') classes.add(`${outcome?.failure?.class} ${outcome?.failure?.code}`);
        if (!plant.truth.badDevices.has(worker.name)) expect(cause).not.toBe('device');
      }
    }
  }
  expect([...classes].sort()).toEqual(['device GPU_FELL_OFF_BUS', 'device GPU_MEMORY_ERROR', 'test TESTS_FAILED']);
});

test('liveness: every kind of plant is over in the end, and is the same story each time', async () => {
  for (const kind of plantKinds) {
    const story = await new PlantedFleet(drawPlant(7, kind)).tell();
    expect(story.isOver).toBe(true);
    expect(story.tasks.size).toBe(3 * drawPlant(7, kind).tests.length);
    expect(await new PlantedFleet(drawPlant(7, kind)).tell()).toEqual(story);
  }
}, 60_000);

test('safety: what fails by itself never passes, whatever else is wrong', async () => {
  for (const kind of plantKinds) {
    const plant = drawPlant(3, kind);
    const score = scoreOf(plant, await new PlantedFleet(plant).tell());
    expect(score.brokenTasks).toBeGreaterThan(0);
    expect(score.brokenPassed).toBe(0);
  }
}, 60_000);

/** A story by hand: the first bad worker was stopped, a good one too. */
test('stops are counted as right, wrong and missed', () => {
  const plant = drawPlant(1, 'bad devices');
  const bad = [...plant.truth.badDevices.keys()] as WorkerId[];
  const good = plant.workers.find(({ name }) => !plant.truth.badDevices.has(name))!.name as WorkerId;
  const story: Story = { ...emptyStory(), isOver: true };
  for (const worker of bad) {
    for (let at = 0; at < 6; at += 1) {
      const task = `r-1.${at}` as TaskId;
      story.causes.set(`${task}#1`, 'device');
      story.attempts.push({ task, attempt: 1, worker, verdict: 'failed', spends: 'userRetry', atMs: at, run: 0 });
    }
  }
  const stop = (worker: WorkerId) =>
    ({ scope: { kind: 'worker', worker }, atMs: 9, by: 'circuit', reason: 'by hand' }) as const;
  story.stops.push(stop(bad[0]!), stop(good));
  expect(scoreOf(plant, story)).toMatchObject({ rightStops: 1, wrongStops: 1, missedStops: bad.length - 1 });
});

test('a fault is told right only where it is the true one', () => {
  const plant = drawPlant(1, 'bad devices');
  const task = 'r-1.0' as TaskId;
  const diagnosis = { confidence: 'proven', rule: 'x', summary: 'by hand', attempts: [1, 2] } as const;
  const storyWith = (fault: 'test' | 'device'): Story => {
    const story: Story = { ...emptyStory(), isOver: true };
    story.causes.set(`${task}#1`, 'device').set(`${task}#2`, 'well');
    for (const [attempt, verdict] of [
      [1, 'failed'],
      [2, 'passed'],
    ] as const)
      story.attempts.push({ task, attempt, worker: 'w-0-0', verdict, spends: 'userRetry', atMs: attempt, run: 0 });
    story.tasks.set(task, { verdict: 'passed', diagnosis: { ...diagnosis, fault, attempts: [1, 2] }, run: 0 });
    return story;
  };
  expect(scoreOf(plant, storyWith('device'))).toMatchObject({ told: 1, toldRight: 1 });
  expect(scoreOf(plant, storyWith('test'))).toMatchObject({ told: 1, toldRight: 0 });
});
