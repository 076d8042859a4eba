// Where a retry would tell most. A wish, not a requirement: what the task requires always holds, a place that meets the
// wish is waited for while there is one that takes work, and where there is none the next best will do.
//
//   sameClass   another unit of the same hardware, driver and browser: passes there, and the unit was at fault
//   otherClass  other hardware or another driver: passes there, and the version was; fails there, and the test is
//   elsewhere   any worker that was not tried
//   here        the same worker: for what only needed time
// `isSoft`: takes any free place rather than wait.
import type { WorkerId } from '@assay/protocol';

export type WishPlace = 'sameClass' | 'otherClass' | 'elsewhere' | 'here';

export type RetryWish = {
  readonly where: WishPlace;
  /** Workers that were tried, the last one last. */
  readonly workers: readonly WorkerId[];
  /** Capability classes that were tried, by id, the last one last. */
  readonly classes: readonly string[];
  readonly isSoft: boolean;
};

/** As many as are remembered: a task has seldom more places behind it, and a wish is kept with the task. */
export const wishPlacesMax = 16;

type Place = { readonly worker: WorkerId; readonly class: { readonly id: string } };

export function meetsWish(wish: RetryWish, where: WishPlace, place: Place): boolean {
  const isTried = wish.workers.includes(place.worker);
  switch (where) {
    case 'here':
      return place.worker === wish.workers.at(-1);
    case 'elsewhere':
      return !isTried;
    case 'sameClass':
      return !isTried && place.class.id === wish.classes.at(-1);
    case 'otherClass':
      return !isTried && !wish.classes.includes(place.class.id);
  }
}

/** What will do, best first; after the last, any place. */
export const nextBest = {
  here: ['here'],
  elsewhere: ['elsewhere'],
  sameClass: ['sameClass', 'otherClass', 'elsewhere'],
  otherClass: ['otherClass', 'elsewhere'],
} as const satisfies Record<WishPlace, readonly WishPlace[]>;
