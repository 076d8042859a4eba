// Cuts the tests of a query into targets that each are expected to take about as long as asked: the tests of a file together
// where they fit, a long test in parts of its cases. `#2/5` behind a query is the second of five parts.

export type ListedTest = {
  readonly query: string;
  readonly cases: number;
  readonly subcases: number;
  /** All tests of its file were asked for. */
  readonly isOfWholeFile: boolean;
};
export type Chunk = { readonly target: string; readonly expectedMs: number };

/** For a test that nobody measured: the order of what most subcases of the suite take on a software adapter. */
const unknownSubcaseMs = 5;
/** Loading the page, its modules and a device, which every target pays. */
const targetMs = 500;

/** `durations` is milliseconds a subcase by test query. */
export function chunksOf(
  tests: readonly ListedTest[],
  durations: ReadonlyMap<string, number>,
  chunkMs: number,
): Chunk[] {
  const chunks: Chunk[] = [];
  const add = (target: string, workMs: number): void => {
    chunks.push({ target, expectedMs: Math.round(workMs + targetMs) });
  };
  for (const [file, ofFile] of Map.groupBy(tests, fileOf)) {
    const times = ofFile.map(({ query, subcases }) => subcases * (durations.get(query) ?? unknownSubcaseMs));
    const totalMs = times.reduce((sum, value) => sum + value, 0);
    if (ofFile.length > 1 && totalMs + targetMs <= chunkMs && ofFile.every(({ isOfWholeFile }) => isOfWholeFile)) {
      add(`${file}:*`, totalMs);
      continue;
    }
    for (const [index, { query, cases }] of ofFile.entries()) {
      const workMs = times[index] ?? 0;
      const parts = Math.min(cases, Math.max(1, Math.ceil(workMs / chunkMs)));
      if (parts === 1) add(query, workMs);
      else for (let part = 1; part <= parts; part += 1) add(`${query}#${part}/${parts}`, workMs / parts);
    }
  }
  return chunks;
}

/** A target as its query and the part of its cases. */
export function partOf(target: string): { query: string; part: number; parts: number } {
  const found = /^(.*)#(\d+)\/(\d+)$/s.exec(target);
  return found
    ? { query: found[1] ?? '', part: Number(found[2]), parts: Number(found[3]) }
    : { query: target, part: 1, parts: 1 };
}

function fileOf({ query }: ListedTest): string {
  return query.split(':').slice(0, 2).join(':');
}
