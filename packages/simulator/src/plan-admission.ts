// What submissions ask of admission in a seed: keys, gangs, alternatives, claims, what comes after what, submitters. Drawn from a
// stream of its own after everything else, so that the rest of a seed means what it meant before.
import type { AdmissionPolicy, Suite, Task } from '@assay/protocol';
import { impossibleNeed } from './agents/machines.ts';
import type { Random } from './sim/random.ts';
import type { Submission } from './submitters.ts';

export type PlannedPolicy = { atMs: number; policy: AdmissionPolicy };

/** What operators lay down, and change; in half of the seeds nothing. Nothing in it keeps work from being done in the end. */
export function drawPolicies(random: Random, untilMs: number): PlannedPolicy[] {
  if (random.chance(0.5)) return [];
  return Array.from({ length: random.int(1, 3) }, () => ({
    atMs: random.int(0, untilMs),
    policy: {
      weights: random.chance(0.5) ? { another: random.pick([0.25, 3]) } : {},
      // At least as many slots as the largest gang.
      quotas: random.chance(0.5)
        ? [{ pool: '*', of: { kind: random.pick(['submitter', 'project'] as const) }, slots: random.int(3, 5) }]
        : [],
      pools: {},
      keys: random.chance(0.3) ? { licence: 3 } : {},
    },
  })).sort((a, b) => a.atMs - b.atMs);
}

/** Work that is done one by one has to end within the patience of a seed. */
const serialTasksMax = 15;

export function withAdmission(random: Random, submissions: readonly Submission[]): Submission[] {
  return submissions.map((submission) => {
    const submitter = random.pick(['simulation', 'simulation', 'another', 'a third']);
    if (random.chance(0.4)) return { ...submission, submitter };
    const isSmall = submission.chunks.flat().length <= serialTasksMax;
    const suites = submission.spec.suites.map((suite) => drawAsk(random, suite, isSmall));
    return {
      ...submission,
      submitter,
      spec: { ...submission.spec, suites },
      chunks: wholeGangs(random.chance(0.4) ? withOrder(random, submission.chunks, suites) : submission.chunks, suites),
    };
  });
}

function drawAsk(random: Random, suite: Suite, isSmall: boolean): Suite {
  const key = random.pick(['licence', 'database']);
  const claim = { device: 'd.class == "cpu"', share: random.pick([0.5, 1]) };
  const asks: readonly (() => Partial<Suite>)[] = [
    () => ({}),
    () => (isSmall ? { concurrency: [{ key, max: random.int(1, 2) }] } : {}),
    () =>
      suite.requires === '' ? { gang: { size: random.int(2, 3), spread: random.pick(['slots', 'workers']) } } : {},
    () => ({
      requires: impossibleNeed.text,
      alternatives: [{ requires: suite.requires, afterMs: random.pick([0, 5_000, 60_000]) }],
    }),
    () => (isSmall ? { claims: [claim] } : {}),
  ];
  return { ...suite, ...random.pick(asks)() };
}

/** Some tasks come after one or two earlier ones; whole gangs do or do not. */
function withOrder(random: Random, chunks: Task[][], suites: readonly Suite[]): Task[][] {
  let index = 0;
  return chunks.map((chunk) =>
    chunk.map((task) => {
      const at = index;
      index += 1;
      if (suites[task.suite]?.gang !== undefined || at === 0 || !random.chance(0.3)) return task;
      const before = random.int(0, at - 1);
      return { ...task, after: random.chance(0.3) ? [before, random.int(0, before)] : [before] };
    }),
  );
}

/** Adds what is missing from the last gang of each suite: a sealed suite has whole gangs. */
function wholeGangs(chunks: Task[][], suites: readonly Suite[]): Task[][] {
  const counts = suites.map((_, suite) => chunks.flat().filter((task) => task.suite === suite).length);
  const extra: Task[] = [];
  for (const [suite, { gang }] of suites.entries()) {
    if (gang === undefined) continue;
    const missing = (gang.size - ((counts[suite] ?? 0) % gang.size)) % gang.size;
    for (let more = 0; more < missing; more += 1) extra.push({ suite, target: `fellow-${suite}-${more}.test` });
  }
  if (extra.length === 0) return chunks;
  return chunks.length === 0 ? [extra] : [...chunks.slice(0, -1), [...(chunks.at(-1) ?? []), ...extra]];
}
