// The links that the policies' chains are made of: each is negative where `a` goes first, 0 where the next link decides.
import { compareText } from '../../kernel/compare.ts';
import type { Candidate } from './policy.ts';

export type Link = (a: Candidate, b: Candidate) => number;

/** What its circuits have nothing against before what is on its way to being stopped. */
export const byHealth: Link = (a, b) => Number(a.ailment !== null) - Number(b.ailment !== null);

/** Where the class is best for its task; of those alike, the longest task, so that what is left for the end is short. */
export const byAdvantage: Link = (a, b) =>
  Math.min(0, b.advantage) - Math.min(0, a.advantage) ||
  (b.task.predictedMs ?? 0) - (a.task.predictedMs ?? 0) ||
  a.costMs - b.costMs;
/** What was asked for before what will also do. */
export const byChoice: Link = (a, b) => choiceOf(a) - choiceOf(b);

function choiceOf({ lane, capability }: Candidate): number {
  return lane.group.choices.length === 1 ? 0 : (lane.group.choiceMet.get(capability) ?? 0);
}

/** What has the source already needs no transfer and no set-up. */
export const byWarmth: Link = (a, b) => Number(b.isWarm) - Number(a.isWarm);
/** What fewer waiting requirements want: a GPU is not spent on what any machine can do. */
export const byScarcity: Link = (a, b) => a.capability.wantedBy - b.capability.wantedBy;
/** The share of slots in use. */
export const byLoad: Link = ({ worker: a }, { worker: b }) =>
  a.assignments.size * b.slots - b.assignments.size * a.slots;
/** Who was given work longest ago: equal workers share evenly, also when there is little to do. */
export const byTurn: Link = (a, b) => a.worker.lastAssigned - b.worker.lastAssigned;
export const byId: Link = (a, b) => compareText(a.worker.worker, b.worker.worker);

/** What lost it for `other`, in words. */
export function whyBehind(
  links: readonly Link[],
  chosen: Candidate,
  other: Candidate,
  task: Candidate['task'],
): string {
  if (chosen.ailment === null && other.ailment !== null) return `unwell: ${other.ailment}`;
  if (chosen.task === task && other.costMs > chosen.costMs * 1.05 && links.includes(byAdvantage))
    return `slower: ${other.costMs} ms against ${chosen.costMs}`;
  for (const link of links) {
    if (link === byAdvantage || link(chosen, other) >= 0) continue;
    return reasons.get(link) ?? 'its id';
  }
  return 'better kept for other tasks';
}

export function chain(...links: readonly Link[]): (a: Candidate, b: Candidate) => boolean {
  return (a, b) => {
    for (const link of links) {
      const order = link(a, b);
      if (order !== 0) return order < 0;
    }
    return false;
  };
}

const reasons: ReadonlyMap<Link, string> = new Map([
  [byChoice, 'meets only an alternative'],
  [byWarmth, 'does not have the source'],
  [byScarcity, 'others need what it has'],
  [byLoad, 'more loaded'],
  [byTurn, 'had work more recently'],
  [byId, 'its id'],
]);
