// Luck, seeded: one stream for each concern, so that drawing once more for one of them does not change the others.
// The generator is sfc32 (C. Doty-Humphrey, PractRand), its state hashed from the seed and the concern's name by FNV-1a.

export type Random = {
  /** In [0, 1). */
  real(): number;
  /** A whole number from `min` to `max`, both possible. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** From `min` to `max`, small values more often: evenly spread over the orders of magnitude. */
  skewed(min: number, max: number): number;
};

export function randomOf(seed: number, concern: string): Random {
  const word = (salt: string): number => fnv1a(`${seed} ${concern} ${salt}`);
  let [a, b, c, counter] = [word('a'), word('b'), word('c'), 1];
  const real = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let warmUp = 0; warmUp < 12; warmUp += 1) real();
  const int = (min: number, max: number): number => min + Math.floor(real() * (max - min + 1));
  return {
    real,
    int,
    chance: (probability) => real() < probability,
    pick: (items) => items[int(0, items.length - 1)]!,
    skewed: (min, max) => Math.round(Math.exp(Math.log(min) + real() * (Math.log(max) - Math.log(min)))),
  };
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
