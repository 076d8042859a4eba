// The known word that was probably meant. Distance: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment:
// Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964).

/** "did you mean memory?", or what there is where nothing is near. Never more than a third of the word is wrong. */
export function didYouMean(word: string, known: readonly string[]): string {
  const lower = word.toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const distance = name.toLowerCase().startsWith(lower) && lower.length >= 3 ? 0.5 : edits(lower, name.toLowerCase());
    if (best === undefined || distance < best.distance) best = { name, distance };
  }
  if (best !== undefined && best.distance <= Math.max(1, Math.ceil(Math.min(word.length, best.name.length) / 3)))
    return `did you mean ${best.name}?`;
  return `there are ${known.join(', ')}`;
}

function edits(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
