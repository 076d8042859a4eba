// A story held against what was planted: who was rightly or wrongly stopped, how soon, and whose fault the engine said it was.
// Counts only, so that thousands of seeds add up; shares and their intervals are for who prints them.
//
// A planted worker counts where it had the chance to show itself: at least `attemptsMin` attempts that used what is bad of it.
// A stop of a worker in the class of a planted driver is neither right nor wrong: the driver is on it too.
import type { Fault, TaskId } from '@assay/protocol';
import type { Cause } from './behave.ts';
import type { Plant, PlantedTest } from './plant.ts';
import type { Stop, Story } from './story.ts';

export type Counts = {
  /** Workers rightly stopped, wrongly stopped, and bad ones left at work. */
  rightStops: number;
  wrongStops: number;
  missedStops: number;
  /** The same of capability classes. */
  rightClasses: number;
  wrongClasses: number;
  missedClasses: number;
  /** Black holes, and those that were stopped within five tasks. */
  blackHoles: number;
  blackHolesInTime: number;
  /** Poison tests that came to be run, and those that took down at most two different workers and were then held. */
  poison: number;
  poisonHeld: number;
  /** Plants in which the dependency was missed by some test, and those where its circuit opened. */
  downs: number;
  downsSeen: number;
  /** Attempts that failed because of it, and those that spent a user's retry or their task's verdict. */
  downAttempts: number;
  downSpent: number;
  /** Tasks with planted trouble whose fault was to be told, and those told right. */
  told: number;
  toldRight: number;
  /** Tasks that nothing of their own ails, and those that did not pass in the end. */
  soundTasks: number;
  soundNotPassed: number;
  /** Tasks that fail by themselves each time, and those that passed. */
  brokenTasks: number;
  brokenPassed: number;
  /** Tasks of runs that were never over. */
  unsettled: number;
};

export type Score = Counts & {
  /** What was wrong with it, in words: a seed to look at. */
  readonly faults: string[];
  /** Tasks of black holes before their stop. */
  readonly blackHoleTasks: number[];
};

const attemptsMin = 4;

export function scoreOf(plant: Plant, story: Story): Score {
  const score: Score = { ...emptyCounts(), faults: [], blackHoleTasks: [] };
  scoreStops(plant, story, score);
  scoreBlackHoles(plant, story, score);
  scorePoison(plant, story, score);
  scoreDependency(plant, story, score);
  scoreVerdicts(plant, story, score);
  return score;
}

export function emptyCounts(): Counts {
  return {
    rightStops: 0,
    wrongStops: 0,
    missedStops: 0,
    rightClasses: 0,
    wrongClasses: 0,
    missedClasses: 0,
    blackHoles: 0,
    blackHolesInTime: 0,
    poison: 0,
    poisonHeld: 0,
    downs: 0,
    downsSeen: 0,
    downAttempts: 0,
    downSpent: 0,
    told: 0,
    toldRight: 0,
    soundTasks: 0,
    soundNotPassed: 0,
    brokenTasks: 0,
    brokenPassed: 0,
    unsettled: 0,
  };
}

/** Adds the counts of one score to a sum. */
export function addCounts(sum: Counts, more: Counts): void {
  for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += more[name];
}

function scoreStops({ truth, workers, classes }: Plant, story: Story, score: Score): void {
  const stopped = new Set<string>();
  const stoppedClasses = new Set<string>();
  for (const { scope } of story.stops) {
    if (scope.kind === 'worker' || scope.kind === 'device' || scope.kind === 'workerTask') stopped.add(scope.worker);
    if (scope.kind === 'class' || scope.kind === 'classTask') stoppedClasses.add(scope.class);
  }
  for (const { name, class: kind } of workers) {
    const isBad = truth.badDevices.has(name) || truth.blackHoles.has(name);
    if (stopped.has(name)) {
      if (isBad) score.rightStops += 1;
      else if (truth.badDriver?.class !== kind && !truth.flapping.has(name)) {
        score.wrongStops += 1;
        score.faults.push(`${name} was stopped: ${reasonOf(story.stops, name)}`);
      }
    } else if (isBad && showed(story, name, ['device', 'blackHole']) >= attemptsMin) {
      score.missedStops += 1;
      score.faults.push(`${name} is bad and was never stopped`);
    }
  }
  const idOfClass = (at: number): string | undefined => story.classIds.get(classes[at]!.name);
  const badClass = truth.badDriver === null ? undefined : idOfClass(truth.badDriver.class);
  for (const stoppedClass of stoppedClasses) {
    if (stoppedClass === badClass) score.rightClasses += 1;
    else {
      score.wrongClasses += 1;
      score.faults.push(`class ${stoppedClass} was stopped`);
    }
  }
  if (truth.badDriver === null || (badClass !== undefined && stoppedClasses.has(badClass))) return;
  const members = workers.filter(({ class: kind }) => kind === truth.badDriver!.class);
  if (members.filter(({ name }) => showed(story, name, ['driver']) >= attemptsMin).length < 2) return;
  score.missedClasses += 1;
  score.faults.push('the class with the bad driver was never stopped');
}

function reasonOf(stops: readonly Stop[], worker: string): string {
  const stop = stops.find(({ scope }) => 'worker' in scope && scope.worker === worker);
  return stop === undefined ? 'nobody knows why' : `${stop.by} ${stop.scope.kind} ${stop.reason}`;
}

function showed(story: Story, worker: string, causes: readonly Cause[]): number {
  return story.attempts.filter((attempt) => attempt.worker === worker && causes.includes(causeOf(story, attempt)))
    .length;
}

function causeOf(story: Story, { task, attempt }: { task: TaskId; attempt: number }): Cause {
  return story.causes.get(`${task}#${attempt}`) ?? 'well';
}

function scoreBlackHoles({ truth }: Plant, story: Story, score: Score): void {
  for (const name of truth.blackHoles) {
    const settled = story.byWorker.get(name) ?? [];
    if (settled.length < attemptsMin) continue;
    const stop = story.stops.find(({ scope }) => 'worker' in scope && scope.worker === name);
    const tasks = settled.filter(({ atMs }) => stop === undefined || atMs <= stop.atMs).length;
    score.blackHoles += 1;
    score.blackHoleTasks.push(tasks);
    if (tasks <= 5) score.blackHolesInTime += 1;
    else
      score.faults.push(`black hole ${name} ate ${tasks} tasks${stop === undefined ? ', and was never stopped' : ''}`);
  }
}

function scorePoison({ truth, tests }: Plant, story: Story, score: Score): void {
  for (const [task, { verdict }] of story.tasks) {
    const { target } = testOf(tests, task);
    if (!truth.poison.has(target)) continue;
    const victims = new Set(
      story.attempts.filter((one) => one.task === task && causeOf(story, one) === 'poison').map(({ worker }) => worker),
    );
    if (victims.size === 0) continue;
    score.poison += 1;
    if (victims.size <= 2 && verdict !== 'passed') score.poisonHeld += 1;
    else score.faults.push(`poison ${task} took down ${victims.size} workers and is ${verdict}`);
  }
}

function scoreDependency({ truth }: Plant, story: Story, score: Score): void {
  if (truth.down === null) return;
  const missed = story.attempts.filter((attempt) => causeOf(story, attempt) === 'dependency');
  if (missed.length === 0) return;
  score.downs += 1;
  if (story.stops.some(({ scope }) => scope.kind === 'dependency')) score.downsSeen += 1;
  else score.faults.push('the dependency that was down was never stopped for');
  score.downAttempts += missed.length;
  const spent = missed.filter(({ spends }) => spends === 'userRetry' || spends === 'settles').length;
  score.downSpent += spent;
  if (spent > 0)
    score.faults.push(`${spent} of ${missed.length} failures of the dependency were paid for by their tests`);
}

function scoreVerdicts({ tests, truth }: Plant, story: Story, score: Score): void {
  if (!story.isOver) {
    score.unsettled += 1;
    score.faults.push('it was never over');
  }
  const causes = new Map<TaskId, Set<Cause>>();
  for (const attempt of story.attempts) {
    const known = causes.get(attempt.task) ?? new Set();
    causes.set(attempt.task, known.add(causeOf(story, attempt)));
  }
  for (const [task, { verdict, diagnosis }] of story.tasks) {
    const test = testOf(tests, task);
    if (test.ownFailures === 0 && !truth.poison.has(test.target)) {
      score.soundTasks += 1;
      if (verdict !== 'passed') {
        score.soundNotPassed += 1;
        score.faults.push(`${task} is sound and ${verdict}: ${[...(causes.get(task) ?? [])].join(', ')}`);
      }
    }
    if (test.ownFailures === 1) {
      score.brokenTasks += 1;
      if (verdict === 'passed') score.brokenPassed += 1;
    }
    const right = rightFaults(causes.get(task) ?? new Set(), verdict === 'passed');
    if (right === null) continue;
    score.told += 1;
    if (diagnosis !== null && right.includes(diagnosis.fault)) score.toldRight += 1;
    else
      score.faults.push(
        `${task} (${[...(causes.get(task) ?? [])].join(', ')}; ${verdict}): ${diagnosis === null ? 'nothing was said' : `${diagnosis.fault}, ${diagnosis.summary}`}`,
      );
  }
}

/**
 * What may truly be said of a task whose attempts had these causes; null where there was no trouble, or trouble of two kinds at
 * once, of which neither alone is the truth.
 */
function rightFaults(causes: ReadonlySet<Cause>, hasPassed: boolean): readonly Fault[] | null {
  const trouble = [...causes].filter((cause) => cause !== 'well');
  if (trouble.length !== 1) return null;
  switch (trouble[0]) {
    case 'test':
      return ['test'];
    case 'flaky':
      // One that failed in every attempt cannot be told from a broken one.
      return hasPassed || causes.has('well') ? ['flaky'] : ['test', 'flaky'];
    case 'device':
      return ['device'];
    case 'driver':
      return ['driver'];
    case 'poison':
      return ['test'];
    case 'blackHole':
      return ['infrastructure', 'device'];
    case 'dependency':
      return ['infrastructure'];
    default:
      return null;
  }
}

function testOf(tests: readonly PlantedTest[], task: TaskId): PlantedTest {
  return tests[Number(task.slice(task.lastIndexOf('.') + 1))]!;
}
