// To which circuits a failed attempt speaks: the narrowest scope that explains its class, and the wider ones that may be at
// fault where many of its members fail alike. `member` is what is counted as one voice in the wider scope.
//
//   test, configuration        none: an assertion that fails is a result, and a wrong configuration is nobody's breakdown
//   infrastructure             the worker (a voice a task), its class (a voice a worker)
//     a lost worker            the worker alone: links are cut in groups, and a class is not at fault for that
//     source or set-up         this kind of work on this worker, this kind of work everywhere
//     a network error in a suite that names its dependencies    those, and nobody else
//   device                     the device (or the worker), and this kind of work on the class: a bad driver looks like bad devices
//   driver, browser            this kind of work on this worker, on its class, everywhere; and the class
//   timeout, unknown           this kind of work on this worker, weakly: only where its peers are well
import type { AttemptFailure, CircuitScope, FailureClass, Verdict, WorkerId } from '@assay/protocol';

export type Mark = {
  readonly scope: CircuitScope;
  readonly member: string;
  /** Trips only beside healthy peers. */
  readonly isWeak?: boolean;
};

export type Attribution = {
  readonly worker: WorkerId;
  /** Id of the capability class. */
  readonly class: string;
  readonly project: string;
  readonly suite: string;
  readonly task: string;
  /** Dependencies that the suite names. */
  readonly uses: readonly string[];
  /** The device that the worker has, where the failure names none. */
  readonly device: string | null;
};

/** Codes of failures to reach something else. */
export const networkCodes: ReadonlySet<string> = new Set([
  'CONNECTION_REFUSED',
  'CONNECTION_LOST',
  'CONNECTION_TIMED_OUT',
  'NAME_NOT_RESOLVED',
  'NETWORK_UNREACHABLE',
  'UPSTREAM_UNAVAILABLE',
  'SERVICE_UNAVAILABLE',
  'DEPENDENCY_UNAVAILABLE',
]);
/** What the worker could not make ready for one project, and may well for the next. */
const preparationCodes: ReadonlySet<string> = new Set(['SOURCE_UNAVAILABLE', 'SETUP_FAILED', 'REQUIREMENT_MISFIT']);

/** The class of a failure that names none. */
const classOfVerdict: { readonly [Each in Verdict]?: FailureClass } = {
  errored: 'unknown',
  timedOut: 'timeout',
  lost: 'infrastructure',
};

/** The class that counts, or null where the attempt was no failure of what it ran on. */
export function classThatCounts(verdict: Verdict, failure: AttemptFailure | undefined): FailureClass | null {
  if (verdict === 'passed' || verdict === 'skipped' || verdict === 'canceled' || verdict === 'inconclusive')
    return failure === undefined || !isOfTheMachine(failure.class) ? null : failure.class;
  const named = failure?.class ?? classOfVerdict[verdict] ?? 'test';
  return named === 'test' || named === 'configuration' ? null : named;
}

function isOfTheMachine(named: FailureClass): boolean {
  return named === 'device' || named === 'driver' || named === 'browser' || named === 'infrastructure';
}

export function attribute(verdict: Verdict, failure: AttemptFailure | undefined, of: Attribution): Mark[] {
  const named = classThatCounts(verdict, failure);
  if (named === null) return [];
  const { worker, project, suite, task } = of;
  const onWorker: Mark = { scope: { kind: 'worker', worker }, member: task };
  const onPair: Mark = { scope: { kind: 'workerTask', worker, project, suite }, member: task };
  const onClassPair: Mark = { scope: { kind: 'classTask', class: of.class, project, suite }, member: worker };
  const everywhere: Mark = { scope: { kind: 'task', project, suite }, member: of.class };
  switch (named) {
    case 'infrastructure': {
      const code = failure?.code ?? '';
      if (verdict === 'lost') return [onWorker];
      if (dependenciesMeant(failure, of.uses).length > 0) return dependencies(failure, of);
      if (preparationCodes.has(code)) return [onPair, everywhere];
      return [onWorker, { scope: { kind: 'class', class: of.class }, member: worker }];
    }
    case 'device': {
      const device = failure?.evidence?.['device'] ?? of.device;
      const narrow: Mark =
        device === null ? onWorker : { scope: { kind: 'device', worker, device: device.slice(0, 100) }, member: task };
      return [narrow, onClassPair];
    }
    case 'driver':
    case 'browser':
      return [
        onPair,
        onClassPair,
        everywhere,
        { scope: { kind: 'class', class: of.class }, member: `${project}/${suite}` },
      ];
    case 'timeout':
    case 'unknown':
      return [{ ...onPair, isWeak: true }];
    case 'test':
    case 'configuration':
      return [];
  }
}

function dependencies(failure: AttemptFailure | undefined, { uses, worker }: Attribution): Mark[] {
  return dependenciesMeant(failure, uses).map((dependency) => ({
    scope: { kind: 'dependency', dependency },
    member: worker,
  }));
}

/** Of the dependencies that a suite names, those that a failure may speak of. */
export function dependenciesMeant(failure: AttemptFailure | undefined, uses: readonly string[]): readonly string[] {
  if (!networkCodes.has(failure?.code ?? '')) return [];
  const named = failure?.evidence?.['dependency'];
  return named !== undefined && uses.includes(named) ? [named] : uses;
}
