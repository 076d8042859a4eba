// What open assignments hold besides their slot: concurrency keys, and the slots that count against quotas. Derived from the
// assignments; called by evolve where one begins and ends, and by restore.
import type { AdmissionPolicy, Quota } from '@assay/protocol';
import type { Assignment, RunRecord, State } from '../engine/state.ts';
import type { Lane } from './index-types.ts';

/** Counts an assignment in. */
export function hold(state: State, run: RunRecord, lane: Lane, assignment: Assignment): void {
  if (state.policy.quotas.length > 0) countSlots(state, run, assignment, 1);
  if (lane.constraint !== null) for (const { key } of lane.constraint.keys) count(state.index.keysHeld, key, 1);
}

/** Counts an assignment out: it is over. */
export function release(state: State, run: RunRecord, lane: Lane, assignment: Assignment): void {
  if (state.policy.quotas.length > 0) countSlots(state, run, assignment, -1);
  if (lane.constraint !== null) for (const { key } of lane.constraint.keys) count(state.index.keysHeld, key, -1);
}

/** Counts again what quotas look at: the policy changed. */
export function recountSlots(state: State): void {
  state.index.slotsInUse.clear();
  if (state.policy.quotas.length === 0) return;
  for (const assignment of state.assignments.values()) {
    const run = state.runs.get(assignment.run);
    if (run !== undefined) countSlots(state, run, assignment, 1);
  }
}

function countSlots(state: State, run: RunRecord, { pool }: Assignment, by: 1 | -1): void {
  count(state.index.slotsInUse, slotsKey(pool, 'submitter', run.submitter), by);
  count(state.index.slotsInUse, slotsKey(pool, 'project', run.spec.project), by);
}

function slotsKey(pool: string, kind: Quota['of']['kind'], name: string): string {
  return JSON.stringify([pool, kind, name]);
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}

export type QuotaUse = { readonly quota: Quota; readonly used: number };

/** The quotas that a run's assignment in this pool counts against, with what they have in use. */
export function quotasOf(state: State, run: RunRecord, pool: string): QuotaUse[] {
  const uses: QuotaUse[] = [];
  for (const quota of state.policy.quotas) {
    if (quota.pool !== '*' && quota.pool !== pool) continue;
    const name = quota.of.kind === 'submitter' ? run.submitter : run.spec.project;
    if (quota.of.name !== undefined && quota.of.name !== name) continue;
    uses.push({ quota, used: state.index.slotsInUse.get(slotsKey(pool, quota.of.kind, name)) ?? 0 });
  }
  return uses;
}

/** How many slots may hold the key for a suite that names this `max`. */
export function keyMax(policy: AdmissionPolicy, key: string, max: number): number {
  const cap = Object.hasOwn(policy.keys, key) ? policy.keys[key] : undefined;
  return cap === undefined ? max : Math.min(cap, max);
}

/** The weight of a submitter beside others. */
export function weightOf(policy: AdmissionPolicy, submitter: string): number {
  return (Object.hasOwn(policy.weights, submitter) ? policy.weights[submitter] : undefined) ?? 1;
}

/** Why `slots` more slots may not hold the lane's keys, or null. */
export function keysReason(state: State, { constraint }: Lane, slots: number): string | null {
  for (const { key, max } of constraint?.keys ?? []) {
    const most = keyMax(state.policy, key, max);
    const held = state.index.keysHeld.get(key) ?? 0;
    if (held + slots > most) return `concurrency key "${key}": ${held} of ${most} are held`;
  }
  return null;
}

/** Why the lane may not have `slots` more slots in a pool, or null. */
export function quotaReason(state: State, { run }: Lane, pool: string, slots: number): string | null {
  if (state.policy.quotas.length === 0) return null;
  for (const { quota, used } of quotasOf(state, run, pool)) {
    if (used + slots <= quota.slots) continue;
    const name = quota.of.kind === 'submitter' ? run.submitter : run.spec.project;
    return `quota of ${quota.of.kind} "${name}" in pool "${pool}": ${used} of ${quota.slots} slots are in use`;
  }
  return null;
}
