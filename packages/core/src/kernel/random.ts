// Luck as an argument: a stream of uniform numbers from a name, the same on every machine. Whoever wants luck names the
// stream after what it is for (a run, a series), so that drawing once more for one thing changes nothing elsewhere.
// The generator is sfc32 (C. Doty-Humphrey, PractRand), its state hashed from the name by FNV-1a.

/** Uniform in [0, 1). */
export type Uniform = () => number;

export function uniformOf(name: string): Uniform {
  const word = (salt: string): number => fnv1a(`${name} ${salt}`);
  let [a, b, c, counter] = [word('a'), word('b'), word('c'), 1];
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let warmUp = 0; warmUp < 12; warmUp += 1) draw();
  return draw;
}

/** Puts the items in an order drawn evenly from all (Fisher and Yates; Durstenfeld 1964), in place. */
export function shuffle<Item>(items: Item[], uniform: Uniform): void {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(uniform() * (at + 1));
    const held = items[at] as Item;
    items[at] = items[other] as Item;
    items[other] = held;
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
