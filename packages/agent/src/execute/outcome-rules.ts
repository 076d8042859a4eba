// From what was seen of an attempt to its verdict, failure class and code: one table, the first rule that applies wins.
// It says what the evidence supports and no more: a SIGKILL without a memory counter that moved is `unknown`.
// A pass means that at least one case ran and none failed.
import type { AttemptOutcome, CaseCounts, FailureClass } from '@assay/protocol';
import type { LooseError } from './host-events.ts';

/** What was seen of one attempt. */
export type Seen = {
  readonly target: string;
  readonly runner: string;
  readonly counts: CaseCounts;
  /** Why the agent itself ended it. */
  readonly stopped: Stop | null;
  /** Why the report of this attempt cannot be trusted. */
  readonly corrupt: string | null;
  /** The process that ran the file ended in the middle of it. */
  readonly died: { readonly message: string; readonly exitCode: number | null; readonly signal: string | null } | null;
  /** Processes of this control group that the kernel killed for memory meanwhile; null when unknown. */
  readonly oomKills: number | null;
  readonly scratchFreeBytes: number | null;
  readonly loadError: LooseError | null;
  /** Errors that belong to no case: hooks, unhandled rejections. */
  readonly errors: readonly LooseError[];
  readonly noTests: string | null;
  readonly firstFailure: string | null;
  /** Why a pass of a browser test would not count: its evidence is missing, or says something else. */
  readonly unproven: { readonly code: string; readonly reason: string; readonly isDevice: boolean } | null;
  /** A trouble named by whoever met it: the launch, the reading back of a report. */
  readonly trouble: Trouble | null;
};

export type Stop = { readonly kind: 'canceled' | 'timedOut' | 'noOutput' | 'tooManyCases'; readonly message: string };
export type Trouble = {
  readonly code: string;
  readonly message: string;
  readonly class: FailureClass;
  readonly verdict: Verdict;
};
type Verdict = AttemptOutcome['verdict'];

type Rule = {
  readonly code: string;
  readonly verdict: Verdict;
  readonly class: FailureClass;
  readonly applies: (seen: Seen) => boolean;
  readonly message: (seen: Seen) => string;
};

const diskFullBelowBytes = 64 * 1024;
const isStopped = (kind: Stop['kind']) => (seen: Seen) => seen.stopped?.kind === kind;
const stopMessage = (seen: Seen): string => seen.stopped?.message ?? '';
const deathOf = (seen: Seen): string => {
  const died = seen.died;
  const how = died?.signal ? `by signal ${died.signal}` : `with exit code ${died?.exitCode ?? 'unknown'}`;
  return `The process that ran ${seen.target} ended ${how} in the middle of the file.${died?.message ? ` ${died.message}` : ''}`;
};
/** Killed from outside as far as one can tell: some versions of some runners do not even say how a worker ended. */
const isUnexplainedDeath = ({ died }: Seen): boolean =>
  died !== null && (died.signal === 'SIGKILL' || (died.signal === null && died.exitCode === null));
const isDiskFull = (seen: Seen): boolean =>
  seen.scratchFreeBytes !== null && seen.scratchFreeBytes < diskFullBelowBytes;

export const outcomeRules: readonly Rule[] = [
  { code: 'CANCELED', verdict: 'canceled', class: 'unknown', applies: isStopped('canceled'), message: stopMessage },
  { code: 'TIMED_OUT', verdict: 'timedOut', class: 'timeout', applies: isStopped('timedOut'), message: stopMessage },
  { code: 'NO_OUTPUT', verdict: 'timedOut', class: 'timeout', applies: isStopped('noOutput'), message: stopMessage },
  {
    code: 'TOO_MANY_CASES',
    verdict: 'errored',
    class: 'test',
    applies: isStopped('tooManyCases'),
    message: stopMessage,
  },
  {
    code: 'SCRATCH_DISK_FULL',
    verdict: 'errored',
    class: 'infrastructure',
    applies: (seen) => (seen.died !== null || seen.corrupt !== null || seen.trouble !== null) && isDiskFull(seen),
    message: (seen) =>
      `The scratch disk was full (${seen.scratchFreeBytes} bytes free) when ${seen.target} was cut short.${seen.trouble === null ? '' : ` ${seen.trouble.message}`}`,
  },
  {
    code: 'OUT_OF_MEMORY',
    verdict: 'errored',
    class: 'infrastructure',
    applies: (seen) => isUnexplainedDeath(seen) && (seen.oomKills ?? 0) > 0,
    message: (seen) =>
      `The kernel killed ${seen.oomKills} process(es) of this control group for memory while ${seen.target} ran.`,
  },
  {
    code: 'REPORT_CORRUPT',
    verdict: 'errored',
    class: 'test',
    applies: (seen) => seen.corrupt !== null,
    message: (seen) => `The report of ${seen.target} is damaged or forged: ${seen.corrupt ?? ''}`,
  },
  {
    code: 'RUNNER_DIED',
    verdict: 'errored',
    class: 'unknown',
    applies: isUnexplainedDeath,
    message: deathOf,
  },
  { code: 'RUNNER_DIED', verdict: 'errored', class: 'test', applies: (seen) => seen.died !== null, message: deathOf },
  {
    code: 'FILE_FAILED_TO_LOAD',
    verdict: 'failed',
    class: 'test',
    applies: (seen) => seen.loadError !== null,
    message: (seen) => `${seen.target} could not be loaded: ${seen.loadError?.message ?? ''}`,
  },
  {
    code: 'TESTS_FAILED',
    verdict: 'failed',
    class: 'test',
    applies: (seen) => seen.counts.failed > 0,
    message: (seen) =>
      `${seen.counts.failed} case(s) of ${seen.target || 'the command'} failed. ${seen.firstFailure ?? ''}`,
  },
  {
    code: 'ERRORS_OUTSIDE_TESTS',
    verdict: 'failed',
    class: 'test',
    applies: (seen) => seen.errors.length > 0,
    message: (seen) =>
      `${seen.target} had ${seen.errors.length} error(s) outside its cases: ${seen.errors[0]?.message ?? ''}`,
  },
  {
    code: 'NO_TESTS_RAN',
    verdict: 'inconclusive',
    class: 'test',
    applies: (seen) => totalOf(seen.counts) === 0 || seen.noTests !== null,
    message: (seen) =>
      `${seen.target || 'The command'} ran no test: that is never a pass. ${seen.noTests ?? ''}`.trimEnd(),
  },
  {
    code: 'DEVICE_MISSING',
    verdict: 'errored',
    class: 'device',
    applies: (seen) => seen.unproven?.isDevice === true,
    message: (seen) => `Nothing shows that ${seen.target} had a device: ${seen.unproven?.reason ?? ''}.`,
  },
  {
    code: 'SOFTWARE_ADAPTER',
    verdict: 'inconclusive',
    class: 'configuration',
    applies: (seen) => seen.unproven?.code === 'SOFTWARE_ADAPTER',
    message: (seen) => `The pass of ${seen.target} does not count: ${seen.unproven?.reason ?? ''}.`,
  },
  {
    code: 'HALLMARK_MISSING',
    verdict: 'inconclusive',
    class: 'test',
    applies: (seen) => seen.unproven !== null,
    message: (seen) => `The pass of ${seen.target} does not count: ${seen.unproven?.reason ?? ''}.`,
  },
];

/** The verdict, and why when it is not a pass. */
export function judge(seen: Seen): {
  verdict: Verdict;
  failure?: { class: FailureClass; code: string; message: string };
} {
  // Whatever was met on a disk that is full was met because of it: a runner that cannot write cannot start either.
  if (seen.trouble && !seen.stopped && !isDiskFull(seen)) {
    const { verdict, ...failure } = seen.trouble;
    return { verdict, failure };
  }
  for (const rule of outcomeRules) {
    if (rule.applies(seen))
      return { verdict: rule.verdict, failure: { class: rule.class, code: rule.code, message: rule.message(seen) } };
  }
  return { verdict: seen.counts.passed === 0 ? 'skipped' : 'passed' };
}

function totalOf(counts: CaseCounts): number {
  return counts.passed + counts.failed + counts.skipped + counts.todo;
}
