// Requirement groups and the lanes that wait in them: which pool, requirement (with its alternatives) and claims go together,
// and which classes of workers they fit, evaluated once per pair. Called by evolve alone.
import type { Claim, RunSpec, Suite } from '@assay/protocol';
import type { Assignment, RunRecord, State, TaskRecord } from '../engine/state.ts';
import { fit, parseRequirement } from '../hardware/requirement.ts';
import type { Fit, ParsedRequirement, Requirement } from '../hardware/requirement.ts';
import { AssertionError } from '../kernel/assert.ts';
import { IndexQueue } from '../kernel/index-queue.ts';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import { claimsMisfit, parseClaim, unitsFor } from './claims.ts';
import { gangIndexOf } from './gangs.ts';
import type { CapabilityClass, Index, Lane, LaneConstraint, RequirementGroup } from './index-types.ts';
import { LaneQueue, bucketKeyOf, newShare } from './order.ts';
import type { Share } from './order.ts';

const noClaims: readonly Claim[] = [];

/** Makes the lanes of a run, one a suite, and the groups that they need. */
export function openLanes(state: State, run: RunRecord): void {
  const share = shareOf(state, run.submitter);
  share.runs += 1;
  for (const [suite, of] of run.spec.suites.entries()) {
    const groups = groupsOf(state.index, run.spec, of);
    const constraint = constraintOf(of);
    const lane: Lane = {
      run,
      suite,
      suiteKey: suiteKeyOf(run.spec.project, of.name),
      group: groups[0] as RequirementGroup,
      groups,
      isClosed: run.state.kind === 'canceling',
      opened: 0,
      waitsSinceMs: null,
      share,
      bucketKey: bucketKeyOf(run, suite, constraint),
      constraint,
      gang: of.gang === undefined ? null : gangIndexOf(of.gang),
      known: new IndexedHeap<TaskRecord>(isLonger),
      peculiar: new IndexedHeap<TaskRecord>(isLonger),
      unknown: new IndexQueue<TaskRecord>(),
      knownMs: 0,
      held: new Set(),
      queued: 0,
      heapSlot: -1,
    };
    for (const group of groups) group.lanes.add(lane);
    run.lanes.push(lane);
  }
}

export function closeLanes(state: State, run: RunRecord): void {
  const { index } = state;
  for (const lane of run.lanes) {
    index.expiring.delete(lane);
    for (const group of lane.groups) {
      group.lanes.delete(lane);
      if (group.lanes.size > 0) continue;
      index.groups.delete(group.key);
      index.unchecked.delete(group);
    }
  }
  const share = state.shares.get(run.submitter);
  if (share === undefined) return;
  share.runs -= 1;
  if (share.runs === 0) state.shares.delete(run.submitter);
}

function shareOf(state: State, submitter: string): Share {
  let share = state.shares.get(submitter);
  if (share === undefined) {
    share = newShare(submitter, state.clockMs);
    state.shares.set(submitter, share);
  }
  return share;
}

function constraintOf({ concurrency, claims, gang }: Suite): LaneConstraint | null {
  if (concurrency === undefined && (claims === undefined || claims.length === 0) && gang === undefined) return null;
  return { keys: concurrency ?? [], claims: claims ?? noClaims, gang: gang ?? null };
}

/** Names the history of a suite. */
export function suiteKeyOf(project: string, suite: string): string {
  return `${project}\n${suite}`;
}

/** Longest expected first, then in order of submission. */
function isLonger(a: TaskRecord, b: TaskRecord): boolean {
  const difference = (a.predictedMs ?? 0) - (b.predictedMs ?? 0);
  return difference !== 0 ? difference > 0 : a.index < b.index;
}

/** The requirement texts of a suite, the first choice first. */
export function choicesOf(suite: Suite): string[] {
  return [suite.requires, ...(suite.alternatives ?? []).map(({ requires }) => requires)];
}

function groupsOf(index: Index, spec: RunSpec, suite: Suite): RequirementGroup[] {
  if (suite.alternatives === undefined) return [groupOf(index, spec.pool ?? null, [suite.requires], suite.claims)];
  const choices = choicesOf(suite);
  return choices.map((_, last) => groupOf(index, spec.pool ?? null, choices.slice(0, last + 1), suite.claims));
}

function groupOf(
  index: Index,
  pool: string | null,
  choices: readonly string[],
  claims: readonly Claim[] = noClaims,
): RequirementGroup {
  const isPlain = pool === null && choices.length === 1 && claims.length === 0;
  // No requirement starts with a bracket that closes the whole: the two kinds of keys cannot be confused.
  const key = isPlain ? (choices[0] as string) : `\n${JSON.stringify([pool, choices, claims])}`;
  const known = index.groups.get(key);
  if (known !== undefined) return known;
  const group: RequirementGroup = {
    key,
    pool,
    text: choices.join(' || '),
    choices: choices.map((text) => taken(parseRequirement(text))),
    claims,
    claimTests: claims.map((claim) => taken(parseClaim(claim))),
    units: new Map(),
    choiceMet: new Map(),
    lanes: new Set(),
    fits: new Map(),
    fitting: new Set(),
    waiting: new LaneQueue(),
    avoiding: new Map(),
    stealable: new IndexedHeap<Assignment>((a, b) =>
      a.endsAtMs !== b.endsAtMs ? a.endsAtMs > b.endsAtMs : a.assignment < b.assignment,
    ),
    asked: 0,
    assignedMs: 0,
  };
  index.groups.set(key, group);
  for (const capability of index.classes.values()) match(index, group, capability);
  return group;
}

function taken(parsed: ParsedRequirement): Requirement {
  if (parsed.kind === 'refused') throw new AssertionError(`a requirement that was refused got in: ${parsed.reason}`);
  return parsed.requirement;
}

/** Holds a group against a class: a new pair, or the policy changed. */
export function match(index: Index, group: RequirementGroup, capability: CapabilityClass): void {
  const verdict = verdictOf(index, group, capability);
  index.changes += 1;
  index.fits += 1;
  group.fits.set(capability, verdict);
  if (verdict.kind === 'misfits') return;
  group.fitting.add(capability);
  if (index.waitingGroups.has(group)) capability.wantedBy += 1;
}

/** Holds every group against every class again. */
export function matchAll(index: Index): void {
  for (const capability of index.classes.values()) capability.wantedBy = 0;
  for (const group of index.groups.values()) {
    group.fitting.clear();
    group.choiceMet.clear();
    for (const capability of index.classes.values()) match(index, group, capability);
    if (index.waitingGroups.has(group)) index.unchecked.add(group);
  }
}

function verdictOf(index: Index, group: RequirementGroup, capability: CapabilityClass): Fit {
  if (group.pool !== null && group.pool !== capability.pool)
    return { kind: 'misfits', reasons: [`is of pool "${capability.pool}", and "${group.pool}" is asked for`] };
  if (group.pool === null && index.reservedPools.has(capability.pool))
    return { kind: 'misfits', reasons: [`pool "${capability.pool}" is reserved for runs that ask for it`] };
  // The last choice is the widest, as a rule: what it says is what still stands in the way.
  let verdict: Fit = { kind: 'fits' };
  for (const [met, choice] of group.choices.entries()) {
    verdict = fit(choice, capability.facts);
    if (verdict.kind === 'misfits') continue;
    if (met > 0) group.choiceMet.set(capability, met);
    break;
  }
  if (verdict.kind === 'misfits' || group.claims.length === 0) return verdict;
  const units = unitsFor(group.claimTests, capability.facts);
  group.units.set(capability, units);
  const reasons = claimsMisfit(group.claims, units);
  return reasons.length === 0 ? verdict : { kind: 'misfits', reasons };
}
