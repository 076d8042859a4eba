// What a run cannot be, said before anything changes: requirements and claims that do not parse, tasks of suites that are not there,
// dependencies that could be a cycle, gangs that are not whole or that their own keys would never let start.
import type { RunSpec, Suite, Task } from '@assay/protocol';
import { checkClaim, checkRequirement } from '../../hardware/check-requirement.ts';
import { choicesOf } from '../../scheduling/groups.ts';
import type { Reply } from '../events.ts';
import { limit } from '../limits.ts';
import { refused } from '../step.ts';

export function checkSpec(known: ReadonlyMap<string, unknown>, spec: RunSpec): Reply | null {
  if (spec.suites.length > limit('suitesPerRun'))
    return refused('BAD_REQUEST', `${spec.suites.length} suites; at most ${limit('suitesPerRun')}`);
  for (const suite of spec.suites) {
    const refusal = checkExpressions(known, suite) ?? checkKeys(suite);
    if (refusal !== null) return refusal;
  }
  return null;
}

function checkExpressions(known: ReadonlyMap<string, unknown>, suite: Suite): Reply | null {
  for (const requires of choicesOf(suite)) {
    // What another run already uses was checked then.
    if (known.has(requires)) continue;
    const parsed = checkRequirement(requires);
    if (parsed.kind === 'refused') return refused('BAD_REQUIREMENT', `suite ${suite.name}: ${parsed.reason}`);
  }
  for (const claim of suite.claims ?? []) {
    const parsed = checkClaim(claim.device);
    if (parsed.kind === 'refused')
      return refused('BAD_REQUIREMENT', `suite ${suite.name}, claim ${claim.device}: ${parsed.reason}`);
  }
  return null;
}

function checkKeys({ name, concurrency, gang }: Suite): Reply | null {
  const keys = (concurrency ?? []).map(({ key }) => key);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) return refused('BAD_REQUEST', `suite ${name} names the key ${twice} twice`);
  const tooSmall = (concurrency ?? []).find(({ max }) => gang !== undefined && max < gang.size);
  if (tooSmall === undefined || gang === undefined) return null;
  return refused(
    'BAD_REQUEST',
    `suite ${name}: a gang of ${gang.size} would hold the key ${tooSmall.key} ${gang.size} times; at most ${tooSmall.max} may`,
  );
}

/** The refusal of tasks that a run with this specification, and these tasks already, cannot take; or null. */
export function checkTasks(
  spec: RunSpec,
  tasks: readonly Task[],
  already: readonly { readonly suite: number }[],
  sealed: boolean,
): Reply | null {
  const first = already.length;
  if (first + tasks.length > limit('tasksPerRun'))
    return refused('RUN_TOO_LARGE', `${first + tasks.length} tasks; at most ${limit('tasksPerRun')}`);
  for (const [position, { suite, after }] of tasks.entries()) {
    if (spec.suites[suite] === undefined)
      return refused('BAD_REQUEST', `task ${position} names suite ${suite}; the run has ${spec.suites.length}`);
    const reason = after === undefined ? null : wrongOrder(first + position, after);
    if (reason !== null) return refused('BAD_REQUEST', reason);
  }
  return sealed && spec.suites.some(({ gang }) => gang !== undefined) ? checkGangs(spec, [...already, ...tasks]) : null;
}

/** A task may only come after earlier ones: then no cycle can be, whatever chunks are still to come. */
function wrongOrder(index: number, after: readonly number[]): string | null {
  const wrong = after.find((before) => before >= index || before < 0 || !Number.isInteger(before));
  if (wrong === undefined) return null;
  if (wrong === index) return `task ${index} comes after itself`;
  return `task ${index} comes after task ${wrong}, which is not before it: a task names only tasks of lower index, so that no cycle can be`;
}

function checkGangs(spec: RunSpec, tasks: readonly { readonly suite: number }[]): Reply | null {
  for (const [suite, { name, gang }] of spec.suites.entries()) {
    if (gang === undefined) continue;
    const count = tasks.filter((task) => task.suite === suite).length;
    if (count % gang.size !== 0)
      return refused(
        'BAD_REQUEST',
        `suite ${name} has ${count} tasks, which is no whole number of gangs of ${gang.size}`,
      );
  }
  return null;
}
