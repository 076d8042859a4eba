// What becomes of a task after a failed attempt: the table of recovery. Rows are read from the top, the first that applies
// decides. Pure: everything it weighs is given.
//
// What always holds: a failed assertion is repeated only where the user asked for retries or where its place is in doubt, and
// never as the infrastructure's; every kind of retry has a budget of its own, and all together have one; a failure that the
// kernel or the agent measured may be tried more often than one that only the test's own words speak for; no row changes what
// the task requires; what runs in another configuration is so labelled.
import type { FailureClass } from '@assay/protocol';
import { budgetOf } from './retry.ts';
import type { RecoveryConfig } from './recovery-config.ts';
import { classOf, isAlike, isFailing, isMeasured, isMemory, isOfTheWorker, tookWorkerDown } from './tried.ts';
import type { Tried } from './tried.ts';
import type { WishPlace } from './wish.ts';

/** Places that fit and take work, beside those that were tried. */
export type Places = { readonly sameClass: boolean; readonly otherClass: boolean; readonly elsewhere: boolean };

export type Situation = {
  /** The attempts so far, the one that just ended last. */
  readonly tried: readonly Tried[];
  readonly places: Places;
  readonly userRetriesLeft: number;
  /** Of the configured number for infrastructure. */
  readonly infrastructureRetriesLeft: number;
  /** Variants that this failure allows and that were not tried, by index. */
  readonly variants: readonly number[];
  /** Other tasks that already took a worker down were running on the worker that went down last. */
  readonly hasFellowSuspects: boolean;
  /** So many workers went down together that no task is to blame. */
  readonly isMassLoss: boolean;
  /** What failed on the worker or class, other tasks too, speaks against the place. */
  readonly isPlaceSuspected: boolean;
  /** The failure is part of one trouble that the fleet has. */
  readonly isOutage: boolean;
};

export type Choice =
  | { readonly kind: 'settle'; readonly rule: string; readonly as?: 'poison' | 'exhausted' }
  | {
      readonly kind: 'retry';
      readonly rule: string;
      readonly spends: 'userRetry' | 'infrastructureRetry' | 'nothing';
      readonly where: WishPlace;
      /** Takes any free place rather than wait for that one. */
      readonly isSoft: boolean;
      readonly delayMs: number;
      readonly variant?: number;
      /** The place is to be repaired first where it can: asked of the worker's ladder. */
      readonly repair?: boolean;
    };

type Row = {
  readonly rule: string;
  readonly applies: (its: Facts) => boolean;
  readonly choose: (its: Facts) => Choice;
};
type Facts = Situation & { readonly config: RecoveryConfig; readonly last: Tried; readonly class: FailureClass | null };

const retry = (rule: string, where: WishPlace, more: Partial<Extract<Choice, { kind: 'retry' }>> = {}): Choice => ({
  kind: 'retry',
  rule,
  spends: 'infrastructureRetry',
  where,
  isSoft: false,
  delayMs: 0,
  ...more,
});
const settle = (rule: string): Choice => ({ kind: 'settle', rule });
const hardware: ReadonlySet<FailureClass | null> = new Set<FailureClass>(['device', 'driver', 'browser']);

export const recoveryTable: readonly Row[] = [
  { rule: 'result', applies: ({ class: named }) => named === null, choose: () => settle('result') },
  { rule: 'poison', applies: isPoison, choose: () => ({ kind: 'settle', rule: 'poison', as: 'poison' }) },
  {
    rule: 'attempts-used-up',
    applies: ({ tried, config }) => tried.length >= config.attemptsMax,
    choose: () => ({ kind: 'settle', rule: 'attempts-used-up', as: 'exhausted' }),
  },
  {
    rule: 'outage',
    applies: ({ isOutage }) => isOutage,
    choose: (its) => retry('outage', 'elsewhere', { spends: 'nothing', isSoft: true, delayMs: delayOf(its) }),
  },
  {
    rule: 'worker-trouble',
    applies: ({ last }) => isOfTheWorker(last),
    choose: ({ infrastructureRetriesLeft }) =>
      infrastructureRetriesLeft > 0
        ? retry('worker-trouble', 'elsewhere')
        : { kind: 'settle', rule: 'worker-trouble', as: 'exhausted' },
  },
  {
    rule: 'smaller-variant',
    applies: ({ last, variants, places, tried }) =>
      variants.length > 0 &&
      // The configuration that was asked for is tried on other hardware first, once.
      (!isMemory(last.failure?.code ?? '') || !places.otherClass || likeLast(tried).length > 1),
    choose: ({ variants }) =>
      retry('smaller-variant', 'elsewhere', { isSoft: true, variant: variants[0] ?? 0, spends: 'nothing' }),
  },
  { rule: 'fails-everywhere', applies: failsEverywhere, choose: () => settle('fails-everywhere') },
  {
    rule: 'memory',
    applies: ({ last, class: named }) => named !== 'test' && isMemory(last.failure?.code ?? ''),
    choose: (its) => within(its, 'memory', its.places.otherClass ? 'otherClass' : 'elsewhere', {}),
  },
  {
    rule: 'discriminate',
    applies: ({ class: named }) => hardware.has(named),
    choose: (its) => within(its, 'discriminate', tellingPlace(its), { repair: isMeasured(its.last) }),
  },
  {
    rule: 'infrastructure',
    applies: ({ class: named }) => named === 'infrastructure',
    choose: (its) =>
      within(its, 'infrastructure', its.places.elsewhere ? 'elsewhere' : 'here', {
        // What the network or a service said passes with time; what the agent itself saw does not wait.
        delayMs: isMeasured(its.last) ? 0 : delayOf(its),
      }),
  },
  {
    // Another kind of machine first; one of the same kind may still have what its profile does not tell of.
    rule: 'other-configuration',
    applies: ({ class: named, places, last }) =>
      named === 'configuration' && (places.otherClass || (places.elsewhere && isOfThePlace(last))),
    choose: (its) => within(its, 'other-configuration', its.places.otherClass ? 'otherClass' : 'elsewhere', {}),
  },
  {
    // Its own words say the test, other tests' failures say the place: a look at another place tells. Nobody's budget: it is no
    // repetition that the user asked for, and a failed assertion is never the infrastructure's; `saidRetriesMax` ends it.
    rule: 'place-in-doubt',
    applies: ({ isPlaceSuspected, places, tried, config }) =>
      isPlaceSuspected && places.elsewhere && tried.filter(isFailing).length <= config.saidRetriesMax,
    choose: ({ places }) =>
      retry('place-in-doubt', places.otherClass ? 'otherClass' : 'elsewhere', { spends: 'nothing' }),
  },
  {
    rule: 'user-retry',
    applies: ({ userRetriesLeft, last }) => userRetriesLeft > 0 && budgetOf(last.verdict, last.failure) !== 'never',
    choose: (its) => userRetry(its),
  },
  { rule: 'final', applies: () => true, choose: () => settle('final') },
];

export function chooseRecovery(situation: Situation, config: RecoveryConfig): Choice {
  const last = situation.tried.at(-1);
  if (last === undefined) return settle('result');
  const facts: Facts = { ...situation, config, last, class: classOf(last) };
  for (const row of recoveryTable) if (row.applies(facts)) return row.choose(facts);
  return settle('final');
}

/** A retry within the budget of the failure's class; after it the user's, and then the failure stands. */
function within(its: Facts, rule: string, where: WishPlace, more: Partial<Extract<Choice, { kind: 'retry' }>>): Choice {
  const named = its.class ?? 'unknown';
  const max = isMeasured(its.last)
    ? its.config.retriesMax[named]
    : Math.min(its.config.retriesMax[named], its.config.saidRetriesMax);
  // Excused attempts spent nothing; those of another class spent another budget.
  const used = its.tried.filter(
    (one) => one.spent === 'infrastructureRetry' && classOf(one) === named && !isOfTheWorker(one),
  ).length;
  if (used < max) return retry(rule, where, more);
  if (its.userRetriesLeft > 0) return userRetry(its);
  return { kind: 'settle', rule, ...(isMeasured(its.last) && hardware.has(named) ? { as: 'exhausted' as const } : {}) };
}

/** Another unit of the same kind first: it tells the unit from the rest. Then another kind: that tells the kind from the test. */
function tellingPlace({ tried, places, last }: Facts): WishPlace {
  const units = new Set(
    likeLast(tried)
      .filter((one) => one.class === last.class)
      .map(({ worker }) => worker),
  );
  if (units.size <= 1 && places.sameClass) return 'sameClass';
  if (places.otherClass) return 'otherClass';
  return places.elsewhere ? 'elsewhere' : 'here';
}

/** On another worker, and it waits for one: failing again where it failed would tell the test from nothing. */
function userRetry(its: Facts): Choice {
  const where = tellingPlace(its);
  return retry('user-retry', where, { spends: 'userRetry', isSoft: where === 'here' });
}

function likeLast(tried: readonly Tried[]): readonly Tried[] {
  const last = tried.at(-1);
  return last === undefined
    ? []
    : tried.filter((one) => isFailing(one) && isAlike(one, last) && one.variant === last.variant);
}

/** Alike on two kinds of hardware, or wherever there is: no place is left that could tell otherwise. */
function failsEverywhere({ tried, class: named, places, last }: Facts): boolean {
  if (!hardware.has(named) && !isMemory(last.failure?.code ?? '')) return false;
  const alike = likeLast(tried);
  const classes = new Set(alike.map((one) => one.class));
  const units = new Set(alike.map(({ worker }) => worker));
  if (classes.size >= 2 && units.size >= 2) return true;
  return units.size >= 2 && !places.otherClass;
}

/** Something that this worker lacks, rather than something wrong in what was submitted. */
function isOfThePlace({ failure }: Tried): boolean {
  return failure?.code === 'RUNNER_NOT_INSTALLED';
}

function isPoison({ tried, last, config, hasFellowSuspects, isMassLoss }: Facts): boolean {
  if (!tookWorkerDown(last) || isMassLoss) return false;
  const workers = new Set(tried.filter(tookWorkerDown).map(({ worker }) => worker));
  // Two suspects on one worker: which of them it was, the next worker tells.
  return workers.size >= config.poisonWorkersMin + (hasFellowSuspects ? 1 : 0);
}

function delayOf({ tried, config, class: named }: Facts): number {
  const before = tried.filter((one) => classOf(one) === named).length - 1;
  return Math.min(config.delayMaxMs, config.delayMs * 2 ** Math.min(20, Math.max(0, before)));
}
