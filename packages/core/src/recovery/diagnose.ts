// Whose fault a task's trouble was, from all of its attempts. Rows are read from the top, the first that applies says it.
// `proven` only where attempts in different places rule the other explanations out; what merely fits is `likely`, and where
// nothing tells, `open` and nothing is claimed.
import type { Diagnosis, Fault, WorkerId } from '@assay/protocol';
import { classOf, isAlike, isFailing, isMemory, isOfTheWorker, nameOf } from './tried.ts';
import type { Tried } from './tried.ts';

export type Case = {
  /** Every attempt, the one that settled the task last. */
  readonly tried: readonly Tried[];
  readonly isPoison: boolean;
  /** The trouble of the fleet that the attempts were excused by, by name. */
  readonly outage: string | null;
  /** What failed on this worker passes elsewhere, again and again and not for this task alone. */
  readonly isSuspected: (worker: WorkerId) => boolean;
  /** The same of the class with this id, on several of its workers. */
  readonly isSuspectedClass: (of: string) => boolean;
  /** It failed and passed elsewhere before, on workers that nothing else speaks against. */
  readonly hasFailedInSoundPlaces: boolean;
  readonly nameOfWorker: (worker: WorkerId) => string;
  /** How two classes differ, in words; null where that is not known. */
  readonly difference: (failed: string, passed: string) => string | null;
};

type Facts = Case & {
  readonly last: Tried;
  /** Failures that the test had a part in: not those of workers that went away. */
  readonly failing: readonly Tried[];
  readonly hasPassed: boolean;
  readonly units: ReadonlySet<WorkerId | null>;
  readonly classes: ReadonlySet<string | null>;
};
type Said = Pick<Diagnosis, 'fault' | 'confidence' | 'summary'> & {
  readonly subject?: string | undefined;
  readonly attempts?: readonly Tried[];
};
type Row = { readonly rule: string; readonly applies: (its: Facts) => boolean; readonly say: (its: Facts) => Said };

const hardware: ReadonlySet<string | null> = new Set(['device', 'driver', 'browser']);
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
const namesOf = ({ units, nameOfWorker }: Facts): string =>
  [...units]
    .map((worker) => (worker === null ? 'nobody' : nameOfWorker(worker)))
    .slice(0, 5)
    .join(', ');
const versionOf = (named: string | null): Fault => (named === 'browser' ? 'browser' : 'driver');
const namedClass = ({ failing }: Facts): string | null => {
  const first = failing[0];
  return first === undefined ? null : classOf(first);
};
const passedOnSameClass = ({ classes, last }: Facts): boolean => classes.has(last.class);
const passedOnSameUnit = ({ units, last }: Facts): boolean => units.has(last.worker);

/** It passed in the end. */
const passedRows: readonly Row[] = [
  {
    // A pass of another configuration says nothing of the one that was asked for.
    rule: 'another-configuration',
    applies: ({ failing, last }) => failing.length > 0 && last.variant !== failing[0]?.variant,
    say: (its) => ({
      fault: classOf(its.failing[0] ?? its.last) === 'test' ? 'test' : 'unknown',
      confidence: 'open',
      summary: `As it was asked for it failed with ${nameOf(its.failing[0] ?? its.last)} on ${namesOf(its)}; what passed is another configuration.`,
    }),
  },
  {
    rule: 'lost-workers-only',
    applies: ({ failing }) => failing.length === 0,
    say: (its) => ({
      fault: 'infrastructure',
      confidence: 'proven',
      subject: namesOfAll(its),
      summary: `It passed once the worker held: ${its.tried.filter(isFailing).map(nameOf).join(', ')} on ${namesOfAll(its)}.`,
      attempts: its.tried,
    }),
  },
  {
    rule: 'shared-trouble',
    applies: ({ outage }) => outage !== null,
    say: ({ outage, tried }) => ({
      fault: 'infrastructure',
      confidence: 'proven',
      subject: outage ?? undefined,
      summary: `It failed with many others while ${outage} was in trouble, and passed afterwards.`,
      attempts: tried,
    }),
  },
  {
    rule: 'network',
    applies: (its) => its.failing.every((one) => classOf(one) === 'infrastructure' && !isMemory(nameOf(one))),
    say: (its) => ({
      fault: 'infrastructure',
      confidence: 'likely',
      subject: its.failing[0]?.failure?.rule?.subject,
      summary: `It failed with ${nameOf(its.failing[0] ?? its.last)} and passed later without a change.`,
    }),
  },
  {
    rule: 'known-to-be-flaky',
    applies: (its) => !hardware.has(namedClass(its)) && its.hasFailedInSoundPlaces,
    say: (its) => ({
      fault: 'flaky',
      confidence: 'likely',
      summary: `It failed ${count(its.failing.length, 'time')} and passed, as it did before in places that nothing speaks against.`,
    }),
  },
  {
    rule: 'suspected-version',
    applies: ({ classes, isSuspectedClass }) =>
      classes.size === 1 && [...classes].every((one) => one !== null && isSuspectedClass(one)),
    say: (its) => ({
      fault: versionOf(namedClass(its)),
      confidence: 'likely',
      subject: differenceOf(its) ?? undefined,
      summary: `It failed on ${namesOf(its)} only, of a kind of machines of which several fail different tests that pass elsewhere.`,
    }),
  },
  {
    rule: 'suspected-unit',
    applies: ({ units, isSuspected }) => [...units].every((worker) => worker !== null && isSuspected(worker)),
    say: (its) => ({
      fault: 'device',
      confidence: 'likely',
      subject: namesOf(its),
      summary: `It failed on ${namesOf(its)} only, where different tests fail that pass elsewhere.`,
    }),
  },
  {
    rule: 'version-fails-other-passes',
    applies: (its) =>
      hardware.has(namedClass(its)) &&
      its.units.size >= 2 &&
      its.classes.size === 1 &&
      !passedOnSameClass(its) &&
      isOneWay(its.failing),
    say: (its) => {
      const difference = differenceOf(its);
      return {
        fault: versionOf(namedClass(its)),
        confidence: 'proven',
        subject: difference ?? undefined,
        summary: `It failed alike on ${count(its.units.size, 'unit')} of one kind (${namesOf(its)}) and passed on another kind${difference === null ? '' : `: ${difference}`}.`,
      };
    },
  },
  {
    rule: 'version-now-and-then',
    applies: (its) => {
      const named = namedClass(its);
      return (named === 'driver' || named === 'browser') && its.units.size === 1 && passedOnSameClass(its);
    },
    say: (its) => ({
      fault: versionOf(namedClass(its)),
      confidence: 'likely',
      subject: deviceOf(its),
      summary: `It failed on ${namesOf(its)} with ${nameOf(its.failing[0] ?? its.last)}, which is the ${versionOf(namedClass(its))}'s own report, and passed on a machine of the same kind: not always.`,
    }),
  },
  {
    rule: 'unit-fails-peer-passes',
    applies: (its) =>
      hardware.has(namedClass(its)) && its.units.size === 1 && passedOnSameClass(its) && !passedOnSameUnit(its),
    say: (its) => ({
      fault: 'device',
      confidence: 'proven',
      subject: deviceOf(its),
      summary: `It failed on ${deviceOf(its)} and passed on another unit with the same hardware, driver and browser.`,
    }),
  },
  {
    rule: 'kind-or-unit',
    applies: (its) => hardware.has(namedClass(its)) && its.units.size === 1 && !passedOnSameClass(its),
    say: (its) => {
      const named = namedClass(its);
      return {
        fault: named === 'driver' || named === 'browser' ? named : 'device',
        confidence: 'likely',
        subject: deviceOf(its),
        summary: `It failed on ${deviceOf(its)} with ${nameOf(its.failing[0] ?? its.last)} and passed on another kind of machine; no second unit of the first kind was there to tell the unit from its version.`,
      };
    },
  },
  {
    rule: 'memory',
    applies: ({ failing }) => failing.every((one) => isMemory(nameOf(one))),
    say: (its) => ({
      fault: 'infrastructure',
      confidence: 'likely',
      subject: namesOf(its),
      summary: `Memory did not suffice on ${namesOf(its)}, and did elsewhere or later.`,
    }),
  },
  {
    rule: 'configuration-elsewhere',
    applies: ({ failing }) => failing.every((one) => classOf(one) === 'configuration'),
    say: (its) => ({
      fault: 'configuration',
      confidence: 'likely',
      subject: namesOf(its),
      summary: `${namesOf(its)} lacks what the task needs (${nameOf(its.failing[0] ?? its.last)}), and another worker has it.`,
    }),
  },
  {
    rule: 'passes-and-fails',
    applies: () => true,
    say: (its) => ({
      fault: 'flaky',
      confidence: passedOnSameClass(its) && !hardware.has(namedClass(its)) ? 'proven' : 'likely',
      summary: passedOnSameClass(its)
        ? `It failed and passed on machines of one kind without a change: ${count(its.failing.length, 'failure')} before it passed.`
        : `It failed ${count(its.failing.length, 'time')} and passed on another machine; nothing but the place tells them apart.`,
    }),
  },
];

/** It did not pass. */
const failedRows: readonly Row[] = [
  {
    rule: 'poison',
    applies: ({ isPoison }) => isPoison,
    say: (its) => ({
      fault: 'test',
      confidence: 'proven',
      summary: `It took down ${namesOfAll(its)}, one after another, and was set aside.`,
      attempts: its.tried,
    }),
  },
  {
    rule: 'workers-went-away',
    applies: ({ last, failing }) => failing.length === 0 || isOfTheWorker(last),
    say: (its) => ({
      fault: 'infrastructure',
      confidence: 'likely',
      subject: namesOfAll(its),
      summary: `No worker brought it to an end: ${its.tried.filter(isFailing).map(nameOf).slice(0, 5).join(', ')}.`,
      attempts: its.tried,
    }),
  },
  {
    rule: 'network',
    applies: ({ last }) => classOf(last) === 'infrastructure' && !isMemory(nameOf(last)),
    say: (its) => ({
      fault: 'infrastructure',
      confidence: its.units.size >= 2 ? 'likely' : 'open',
      subject: its.last.failure?.rule?.subject,
      summary: `It failed with ${nameOf(its.last)} on ${count(its.units.size, 'worker')}, each time it was tried.`,
    }),
  },
  {
    rule: 'fails-on-every-kind',
    // A worker that was changed between two attempts is another kind, and still the same unit. What is set up wrongly, or on no
    // worker, says so itself.
    applies: ({ classes, units, failing, last }) =>
      classes.size >= 2 && units.size >= 2 && isOneWay(failing) && classOf(last) !== 'configuration',
    say: (its) => ({
      fault: 'test',
      confidence: 'proven',
      summary: `It failed alike on ${count(its.classes.size, 'kind')} of machines (${namesOf(its)}): what they have in common is the test.`,
    }),
  },
  {
    rule: 'place-in-doubt',
    applies: (its) =>
      classOf(its.last) === 'test' &&
      its.units.size === 1 &&
      [...its.units].every((worker) => worker !== null && its.isSuspected(worker)),
    say: (its) => ({
      fault: 'device',
      confidence: 'open',
      subject: namesOf(its),
      summary: `It failed on ${namesOf(its)} only, where different tests fail that pass elsewhere; there was no other place to try it.`,
    }),
  },
  {
    rule: 'assertion',
    applies: ({ last }) => classOf(last) === 'test',
    say: (its) => ({
      fault: 'test',
      confidence: its.units.size >= 2 ? 'proven' : 'likely',
      summary:
        its.units.size >= 2
          ? `It failed on ${count(its.units.size, 'worker')} (${namesOf(its)}).`
          : `A failure of the test's own on ${namesOf(its)}; it was tried nowhere else.`,
    }),
  },
  {
    rule: 'one-kind-only',
    applies: (its) => hardware.has(classOf(its.last)) && its.units.size >= 2,
    say: (its) => ({
      fault: versionOf(classOf(its.last)),
      confidence: 'likely',
      summary: `It failed on ${count(its.units.size, 'unit')} of one kind with ${nameOf(its.last)}; no other kind was there to tell its version from the test.`,
    }),
  },
  {
    rule: 'one-unit-only',
    applies: ({ last }) => hardware.has(classOf(last)),
    say: (its) => ({
      fault: classOf(its.last) as Fault,
      confidence: 'open',
      subject: deviceOf(its),
      summary: `It failed with ${nameOf(its.last)} on ${deviceOf(its)}, the only place there was to try it.`,
    }),
  },
  {
    rule: 'memory',
    applies: ({ last }) => isMemory(nameOf(last)),
    say: (its) => ({
      fault: its.units.size >= 2 ? 'test' : 'infrastructure',
      confidence: its.units.size >= 2 ? 'likely' : 'open',
      summary: `Memory did not suffice on ${namesOf(its)}.`,
    }),
  },
  {
    rule: 'configuration',
    applies: ({ last }) => classOf(last) === 'configuration',
    say: (its) => ({
      fault: 'configuration',
      confidence: its.units.size >= 2 ? 'proven' : 'likely',
      summary: `${nameOf(its.last)} on ${namesOf(its)}.`,
    }),
  },
  {
    rule: 'undecided',
    applies: () => true,
    say: (its) => ({
      fault: its.units.size >= 2 && isOneWay(its.failing) ? 'test' : 'unknown',
      confidence: its.units.size >= 2 && isOneWay(its.failing) ? 'likely' : 'open',
      summary: `It ended with ${nameOf(its.last)} on ${namesOf(its)}.`,
    }),
  },
];

export const diagnosisTable = { passed: passedRows, failed: failedRows } as const;

/** Null where there was no trouble, and where nobody wants to know: canceled. */
export function diagnose(of: Case): Diagnosis | null {
  const last = of.tried.at(-1);
  if (last === undefined || last.verdict === 'canceled') return null;
  const hasPassed = !isFailing(last);
  if (hasPassed && !of.tried.some(isFailing)) return null;
  const failing = of.tried.filter((one) => isFailing(one) && !isOfTheWorker(one));
  const facts: Facts = {
    ...of,
    last,
    failing,
    hasPassed,
    units: new Set(failing.map(({ worker }) => worker)),
    classes: new Set(failing.map((one) => one.class)),
  };
  for (const row of hasPassed ? passedRows : failedRows) {
    if (!row.applies(facts)) continue;
    const { fault, confidence, summary, subject, attempts } = row.say(facts);
    const proof = attempts ?? [...failing, ...(hasPassed ? [last] : [])];
    return {
      fault,
      confidence,
      rule: row.rule,
      ...(subject === undefined ? {} : { subject: subject.slice(0, 300) }),
      summary: summary.slice(0, 1_000),
      attempts: proof.map(({ attempt }) => attempt).slice(-100),
    };
  }
  return null;
}

function isOneWay(failing: readonly Tried[]): boolean {
  const first = failing[0];
  return first !== undefined && failing.every((one) => isAlike(one, first));
}

function namesOfAll({ tried, nameOfWorker }: Facts): string {
  const workers = new Set(tried.filter(isFailing).map(({ worker }) => worker));
  return [...workers]
    .map((worker) => (worker === null ? 'nobody' : nameOfWorker(worker)))
    .slice(0, 5)
    .join(', ');
}

/** The unit by the address that the evidence names, else its worker. */
function deviceOf(its: Facts): string {
  const subject = its.failing[0]?.failure?.rule?.subject;
  return subject === undefined ? namesOf(its) : `${namesOf(its)} (${subject})`;
}

function differenceOf({ failing, last, difference }: Facts): string | null {
  const failed = failing[0]?.class;
  return failed === undefined || failed === null || last.class === null ? null : difference(failed, last.class);
}
