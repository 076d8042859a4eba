// How soon a workload can be over at all, whoever places it: the lower bound that makespans are compared with.
//
// Unrelated machines, relaxed (J. K. Lenstra, D. B. Shmoys, E. Tardos, 1990): each test may be cut over the slots at will.
// Equal slots are one class, since what is best for one is best shared evenly among them:
//
//   minimise T   where   for every test j:   sum over classes c of x[j,c] = 1,  x >= 0
//                        for every class c:  sum over tests j of p[j,c] x[j,c] <= slots[c] T
//                        T >= the longest test where it is shortest (a test is not really cut)
//
// Start-ups and messages are not in it. Solved by HiGHS; bound.test.ts holds it against brute force.
import loadHighs from 'highs';

export type BoundProblem = {
  /** Slots of each class. */
  readonly slots: readonly number[];
  /** Milliseconds of each test on each class; Infinity where it does not fit. */
  readonly durationsMs: readonly (readonly number[])[];
};

export type Bound = {
  readonly boundMs: number;
  /** The longest test where it is shortest: alone a bound, and often the one that counts where durations are skewed. */
  readonly longestMs: number;
};

export type BoundSolver = (problem: BoundProblem) => Bound;

/** What the solver's tolerances (1e-7 each) could make too much of it: a bound may be low and never high. */
const safety = 1 - 1e-6;

export async function loadBoundSolver(): Promise<BoundSolver> {
  // Its types are those of its CommonJS half, where the function is the member "default"; what runs is the ES module.
  const highs = await (loadHighs as unknown as typeof loadHighs.default)();
  return (problem) => {
    const longestMs = Math.max(0, ...problem.durationsMs.map((row) => Math.min(...row)));
    if (!Number.isFinite(longestMs)) throw new Error('a test fits no class');
    if (longestMs === 0) return { boundMs: 0, longestMs };
    const boundMs = highs.withModel(linearProgram(problem, longestMs, highs.infinity), (model) => {
      model.options.set({ output_flag: false });
      model.run();
      if (model.getModelStatus() !== highs.constants.modelStatus.optimal)
        throw new Error(`HiGHS ended with status ${model.getModelStatus()}`);
      return Math.max(longestMs, model.getObjectiveValue() * longestMs * safety);
    });
    return { boundMs, longestMs };
  };
}

/** Columns: T, then x[j,c] where test j fits class c. Rows: the tests, then the classes. Times in longest tests, so that numbers are near 1. */
function linearProgram({ slots, durationsMs }: BoundProblem, unitMs: number, infinity: number) {
  const tests = durationsMs.length;
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const [at, count] of slots.entries()) {
    indices.push(tests + at);
    values.push(-count);
  }
  starts.push(indices.length);
  for (const [test, row] of durationsMs.entries()) {
    for (const [at, durationMs] of row.entries()) {
      if (!Number.isFinite(durationMs)) continue;
      indices.push(test, tests + at);
      values.push(1, durationMs / unitMs);
      starts.push(indices.length);
    }
  }
  const numCols = starts.length - 1;
  const numRows = tests + slots.length;
  return {
    numCols,
    numRows,
    colCost: Float64Array.from({ length: numCols }, (_, column) => (column === 0 ? 1 : 0)),
    colLower: Float64Array.from({ length: numCols }, (_, column) => (column === 0 ? 1 : 0)),
    colUpper: new Float64Array(numCols).fill(infinity),
    rowLower: Float64Array.from({ length: numRows }, (_, row) => (row < tests ? 1 : -infinity)),
    rowUpper: Float64Array.from({ length: numRows }, (_, row) => (row < tests ? 1 : 0)),
    matrix: {
      format: 'csc' as const,
      numRows,
      numCols,
      starts: Int32Array.from(starts),
      indices: Int32Array.from(indices),
      values: Float64Array.from(values),
    },
  };
}
