// What changed between two versions of a worker's profile, in words that a person reads: "gpus[0].driver: 550.54.14, was 535.161.08".
// Fields are named as requirements name them; lists of words say what came and what went; a profile against itself has no changes.
import type { Profile } from '@assay/protocol';
import { compareText } from '../kernel/compare.ts';
import { leavesOf } from './similarity.ts';
import type { Leaf } from './similarity.ts';

/** `before` or `after` is null where the field was or is not there. */
export type ProfileChange = {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Of lists of words. */
  readonly gained?: readonly string[];
  readonly lost?: readonly string[];
};

/** In the order of the fields' names. */
export function diffProfiles(before: Profile, after: Profile): ProfileChange[] {
  const [left, right] = [leavesOf(before), leavesOf(after)];
  const changes: ProfileChange[] = [];
  for (const field of [...new Set([...left.keys(), ...right.keys()])].sort(compareText)) {
    const [a, b] = [left.get(field), right.get(field)];
    const [was, is] = [shown(a), shown(b)];
    if (was === is) continue;
    if (Array.isArray(a) && Array.isArray(b)) {
      const gained = b.filter((word) => !a.includes(word));
      const lost = a.filter((word) => !b.includes(word));
      changes.push({ field, before: was, after: is, gained, lost });
    } else changes.push({ field, before: was, after: is });
  }
  return changes;
}

export function sayChange({ field, before, after, gained = [], lost = [] }: ProfileChange): string {
  if (gained.length + lost.length > 0) {
    const parts = [
      ...(gained.length > 0 ? [`gained ${gained.join(', ')}`] : []),
      ...(lost.length > 0 ? [`lost ${lost.join(', ')}`] : []),
    ];
    return `${field}: ${parts.join('; ')}`;
  }
  if (before === null) return `${field}: ${after ?? ''}, was not there`;
  return after === null ? `${field}: gone, was ${before}` : `${field}: ${after}, was ${before}`;
}

const changesShownMax = 40;
const changeCharsMax = 300;

/** The changes as an event carries them: bounded, the last line counting what was left out. */
export function sayChanges(before: Profile, after: Profile): string[] {
  const lines = diffProfiles(before, after).map((change) => {
    const line = sayChange(change);
    return line.length > changeCharsMax ? `${line.slice(0, changeCharsMax - 3)}...` : line;
  });
  if (lines.length <= changesShownMax) return lines;
  return [...lines.slice(0, changesShownMax - 1), `and ${lines.length - changesShownMax + 1} more`];
}

function shown(leaf: Leaf | undefined): string | null {
  if (leaf === undefined) return null;
  return Array.isArray(leaf) ? leaf.join(' ') : String(leaf as string | number | bigint | boolean | null);
}
