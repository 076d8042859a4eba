// The limit of everything that comes from outside, in one table: value, unit and reason. Hitting one is a named refusal
// (see errors.ts), never a silent cut; what is cut on purpose (output, messages) carries a marker.
// The generated docs/reference/limits.md is printed from this table.

type Limit = { readonly value: number; readonly unit: string; readonly reason: string };

/** Every bound on outside input, by name. */
export const limits = {
  frameBytes: {
    value: 4 * 1024 * 1024,
    unit: 'bytes',
    reason: 'one WebSocket frame; a batch of reports fits well below',
  },
  bodyBytes: { value: 8 * 1024 * 1024, unit: 'bytes', reason: 'one HTTP request body other than a blob' },
  blobBytes: { value: 1024 * 1024 * 1024, unit: 'bytes', reason: 'one blob: a source bundle, a log or an artefact' },
  queryChars: { value: 20_000, unit: 'characters', reason: 'one SQL question to the results' },
  queryRowsMax: { value: 100_000, unit: 'rows', reason: 'one answer to a SQL question; more is an export' },
  queryAnswerBytes: { value: 32 * 1024 * 1024, unit: 'bytes', reason: 'held in memory while it is answered' },
  analysisRows: { value: 200_000, unit: 'rows', reason: 'counts and failures that one analysis is made from' },
  queryMs: { value: 10_000, unit: 'ms', reason: 'a SQL question shares its thread with what runs bring in' },
  queryMemoryMiB: {
    value: 256,
    unit: 'MiB',
    reason: "all SQL questions together; the other half of DuckDB's memory is for what runs bring in",
  },
  tasksPerRequest: { value: 5_000, unit: 'tasks', reason: 'one submission request; larger runs come in chunks' },
  tasksPerRun: { value: 2_000_000, unit: 'tasks', reason: "one run, bounded by the coordinator's memory" },
  suitesPerRun: { value: 500, unit: 'suites', reason: 'each suite is a scheduling lane' },
  messagesPerFrame: { value: 2_000, unit: 'messages', reason: 'bounds the work of one turn' },
  casesPerReport: { value: 500, unit: 'cases', reason: 'a file with more cases sends several reports' },
  casesPerAttempt: {
    value: 200_000,
    unit: 'cases',
    reason: 'one file; above it the attempt is errored with TOO_MANY_CASES',
  },
  measurementsPerCase: {
    value: 1_000,
    unit: 'measurements',
    reason: 'one case; a benchmark with more samples sends an even part of them and says so',
  },
  covariatesPerMeasurement: { value: 16, unit: 'covariates', reason: 'one measurement' },
  measurementCharsPerCase: {
    value: 512 * 1024,
    unit: 'characters',
    reason: "one case's measurements as JSON; a report of one case must fit a frame",
  },
  importBytes: {
    value: 64 * 1024 * 1024,
    unit: 'bytes',
    reason: 'one imported run as JSON; it is one journal entry, so that it comes in whole or not at all',
  },
  tasksPerImport: { value: 100_000, unit: 'tasks', reason: 'one imported run' },
  nameChars: {
    value: 1_000,
    unit: 'characters',
    reason: 'names of suites, workers, cases; longer ones are cut by the agent',
  },
  messageChars: { value: 16_384, unit: 'characters', reason: 'a failure message, cut with a marker' },
  stackChars: { value: 32_768, unit: 'characters', reason: "a failure's stack, cut with a marker" },
  outputBytesPerAttempt: {
    value: 2 * 1024 * 1024,
    unit: 'bytes',
    reason: 'kept output of one attempt: head and tail, with a marker',
  },
  targetChars: { value: 1_000, unit: 'characters', reason: "a test file's path" },
  dependenciesPerTask: { value: 100, unit: 'tasks', reason: 'tasks that one task may come after' },
  gangTasksMax: { value: 256, unit: 'tasks', reason: 'one gang: all of it is placed in one step' },
  batchTasksMax: { value: 500, unit: 'tasks', reason: 'one assignment' },
  slotsMax: { value: 1_024, unit: 'slots', reason: 'one worker' },
  reportsInFlight: {
    value: 2_000,
    unit: 'reports',
    reason: "a worker's unacknowledged reports; above it the worker waits",
  },
  retriesMax: { value: 20, unit: 'attempts', reason: 'user retries of one task' },
  infrastructureRetriesMax: {
    value: 5,
    unit: 'attempts',
    reason: "retries after lost workers and infrastructure failures, not counted as the user's",
  },
  requirementChars: { value: 4_000, unit: 'characters', reason: 'one requirement expression' },
  suiteBytes: {
    value: 1024 * 1024,
    unit: 'bytes',
    reason: 'one suite as JSON; it travels in every assignment, which must fit a frame',
  },
  workerLinks: {
    value: 16_000,
    unit: 'links',
    reason: 'open worker connections; a process may have about 20,000 files open',
  },
  linkBacklogBytes: {
    value: 16 * 1024 * 1024,
    unit: 'bytes',
    reason: 'unsent bytes of one link; a worker that reads slower is disconnected and comes back',
  },
  feedListeners: { value: 500, unit: 'listeners', reason: 'those who watch the live feed at once' },
  feedBacklogBytes: {
    value: 32 * 1024 * 1024,
    unit: 'bytes',
    reason: 'unsent bytes of one feed listener; a slower one is dropped and resumes by sequence',
  },
  quarantinesMax: { value: 1_000, unit: 'tests', reason: 'tests set aside at once, over all projects' },
  checksPerWorker: { value: 64, unit: 'checks', reason: 'device checks of one worker, its own and the built-in ones' },
  authFailuresPerMinute: {
    value: 30,
    unit: 'attempts',
    reason: 'wrong tokens from one address; above it unknown tokens are not looked at',
  },
} as const satisfies Record<string, Limit>;

/** The value of a limit. */
export function limit(name: keyof typeof limits): number {
  return limits[name].value;
}
