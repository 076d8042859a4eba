// Loads the project's own vitest (2 and later) once, and runs test files one at a time in it, with one pool worker.
// A reporter of ours streams every case as it ends. What vitest's summary counts is what is reported: a file that does
// not load has no cases and a `loadError`; a failing hook or an error outside any test is in `errors`.
//
// With isolation (the default) every file is a run of its own. Without it vitest 4 and later keep a worker only within
// one run, so files that wait are then run in small groups: a group is what can no longer be withdrawn.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { failureOf, openChannel, outputPassedOn } from '../host-channel.mjs';

/**
 * @typedef {import('../host-channel.mjs').Item} Item
 * @typedef {{ item: Item, file: string, specs: any[], startedMs: number, hasStarted: boolean, isFinished: boolean, modulesEnded: number, seen: Set<string>, errors: any[], cost: Record<string, number>, waitingCases: import('../host-channel.mjs').HostCase[], facts: Record<string, unknown> | null }} Running
 */

const groupMsMax = 1_000;
const groupFilesMax = 16;
const closeMsMax = 10_000;
const batchScratch = process.env['TMPDIR'] ?? '';
const deathPattern =
  /Worker exited unexpectedly|Worker \S+ emitted error|Channel closed|Timeout starting|Terminating worker thread/;

const channel = await openChannel();
/** The files of the run in progress. @type {Map<string, Running>} */
const running = new Map();
/** The file whose events go out now, and those that vitest has begun meanwhile: theirs wait until it is finished. */
const reporting = { open: /** @type {Running | null} */ (null), next: /** @type {Running[]} */ ([]) };
let meanFileMs = groupMsMax;

const vitest = await start().catch((error) => {
  channel.emit({ e: 'hostFailed', ...failureOf(error) });
  process.stderr.write(`${error?.stack ?? error}\n`);
  return channel.close(1);
});
const major = Number(String(vitest.version).split('.')[0]);
const specifications = await globbed();
channel.ready(String(vitest.version));

for (let item = await channel.queue.next(); item; item = await channel.queue.next()) {
  const mayShare = sharesWorker(item);
  const room = mayShare ? Math.min(groupFilesMax, Math.floor(groupMsMax / Math.max(1, meanFileMs))) - 1 : 0;
  await runGroup([item, ...channel.queue.more(room, sharesWorker)]);
}
// Closing runs global teardowns; a project that hangs in them must not hold the slot for ever.
await Promise.race([
  Promise.resolve(vitest.close()).catch(() => {}),
  new Promise((resolve) => setTimeout(resolve, closeMsMax)),
]);
await channel.close(0);

async function start() {
  const require = createRequire(path.join(process.cwd(), 'noop.js'));
  const { createVitest, parseCLI } = await import(pathToFileURL(require.resolve('vitest/node')).href);
  process.env['TEST'] = 'true';
  process.env['VITEST'] = 'true';
  process.env['NODE_ENV'] ??= 'test';
  const given = parseCLI(['vitest', 'run', ...channel.hello.arguments]).options;
  for (const key of [
    'reporter',
    'reporters',
    'outputFile',
    'shard',
    'coverage',
    'ui',
    'open',
    'api',
    'watch',
    'bail',
    'poolOptions',
  ])
    delete given[key];
  const one = { maxForks: 1, minForks: 1, maxThreads: 1, minThreads: 1 };
  const isBefore4 = Number(String(require('vitest/package.json').version).split('.')[0]) < 4;
  return createVitest('test', {
    ...given,
    run: true,
    watch: false,
    coverage: { enabled: false },
    // Durations are ours to keep; writing them after every file costs as many milliseconds as some files.
    cache: false,
    reporters: [reporter()],
    passWithNoTests: true,
    maxWorkers: 1,
    // Both left vitest in 4.
    ...(isBefore4 ? { minWorkers: 1, poolOptions: { forks: one, threads: one, vmForks: one, vmThreads: one } } : {}),
  });
}

/** Every test file of every project, once. @returns {Promise<Map<string, any[]>>} */
async function globbed() {
  const found = major < 3 ? await vitest.globTestSpecs([]) : await vitest.globTestSpecifications([]);
  /** @type {Map<string, any[]>} */
  const byFile = new Map();
  for (const specification of found) {
    const file = path.normalize(specification.moduleId ?? specification[1]);
    byFile.set(file, [...(byFile.get(file) ?? []), specification]);
  }
  return byFile;
}

/** @param {Item} item */
function sharesWorker(item) {
  if (major < 4) return false;
  const specs = specifications.get(path.resolve(item.target)) ?? [];
  return (
    specs.length > 0 &&
    specs.every((spec) => spec.project.config.isolate === false && !spec.project.config.browser?.enabled)
  );
}

/** @param {Item[]} items */
async function runGroup(items) {
  const startedMs = performance.now();
  running.clear();
  for (const item of items) {
    const file = path.resolve(item.target);
    running.set(file, {
      item,
      file,
      specs: specifications.get(file) ?? [],
      startedMs,
      hasStarted: false,
      isFinished: false,
      modulesEnded: 0,
      seen: new Set(),
      errors: [],
      cost: {},
      waitingCases: [],
      facts: null,
    });
  }
  const [first] = running.values();
  if (!first) return;
  const specs = [...running.values()].flatMap((entry) => entry.specs);
  if (items.length === 1) begin(first);
  if (specs.length === 0) {
    first.isFinished = true;
    first.facts = {
      costMs: 0,
      loadError: { message: `${first.item.target} is not a test file of this vitest configuration` },
    };
    closeOpen(first);
    return;
  }
  for (const spec of specs) giveEnvironment(spec, items.length === 1 ? first.item : null);
  try {
    await (major < 3 ? vitest.runFiles(specs, false) : vitest.runTestSpecifications(specs, false));
  } catch (error) {
    [...running.values()].findLast((entry) => entry.hasStarted)?.errors.push(failureOf(error));
  }
  await outputPassedOn();
  // A worker that died took the files after it along: they have not started, and get a fresh host.
  const isBroken = [...running.values()].some((entry) =>
    entry.errors.some((error) => deathPattern.test(error.message)),
  );
  for (const entry of running.values()) {
    if (entry.isFinished || (isBroken && !entry.hasStarted)) continue;
    begin(entry);
    finish(entry);
  }
  if ([...running.values()].some((entry) => !entry.hasStarted)) await channel.close(1);
  meanFileMs = (performance.now() - startedMs) / items.length;
}

/** @param {Running} entry */
function begin(entry) {
  if (entry.hasStarted) return;
  entry.hasStarted = true;
  entry.startedMs = performance.now();
  reporting.next.push(entry);
  if (!reporting.open) openNext();
}

function openNext() {
  const entry = reporting.next.shift() ?? null;
  reporting.open = entry;
  if (!entry) return;
  channel.fileStarted(entry.item);
  for (const hostCase of entry.waitingCases.splice(0)) channel.case(entry.item, hostCase);
  if (entry.facts) closeOpen(entry);
}

/** @param {Running} entry */
function closeOpen(entry) {
  channel.fileFinished(entry.item, entry.facts ?? {});
  reporting.open = null;
  openNext();
}

/**
 * What tests start inherits the project's `test.env`, and nothing else does: not what the global set-up starts, which
 * lives longer than the file. Files that share a worker share the batch's scratch directory too.
 * @param {any} spec @param {Item | null} item
 */
function giveEnvironment(spec, item) {
  const project = spec.project ?? spec[0];
  const env = (project.config.env ??= {});
  if (item) env['ASSAY_FILE_MARK'] = `${channel.hello.mark}.${item.id}`;
  else delete env['ASSAY_FILE_MARK'];
  for (const name of ['TMPDIR', 'TMP', 'TEMP']) env[name] = item?.tmp ?? batchScratch;
}

/** @param {Running} entry */
function finish(entry) {
  entry.isFinished = true;
  const tasks = vitest.state.getFiles([entry.file]);
  const died = entry.errors.find((error) => deathPattern.test(error.message));
  // Cases that never had an event of their own, such as skipped ones; those that a death cut short have no status.
  for (const task of tasks) collect(entry, task, died !== undefined);
  const fileErrors = tasks.flatMap((/** @type {any} */ task) => (task.result?.errors ?? []).map(failure));
  const loadError = entry.seen.size === 0 ? fileErrors.shift() : undefined;
  const errors = [...fileErrors, ...tasks.flatMap(suiteErrors), ...entry.errors.filter((error) => error !== died)];
  const isMarked =
    entry.specs.every((spec) => (spec.project ?? spec[0]).config.isolate !== false) && running.size === 1;
  entry.facts = {
    costMs: performance.now() - entry.startedMs,
    cost: entry.cost,
    marked: isMarked,
    errors: errors.slice(0, 20).map((error) => ({
      message: error.message.slice(0, channel.hello.keepMessageChars),
      stack: error.stack?.slice(0, channel.hello.keepStackChars),
    })),
    ...(died ? { died: { message: died.message, ...exitOf(died.message) } } : {}),
    ...(loadError ? { loadError } : {}),
  };
  if (reporting.open === entry) closeOpen(entry);
}

/** Vitest 4 and later say how a worker ended. @param {string} message */
function exitOf(message) {
  const signal = /signal (SIG[A-Z0-9]+)/.exec(message)?.[1];
  const code = /exit code (\d+)/.exec(message)?.[1];
  return { ...(signal ? { signal } : {}), ...(code ? { exitCode: Number(code) } : {}) };
}

/** Errors of groups (their hooks), the file's own excepted. @param {any} task @returns {any[]} */
function suiteErrors(task) {
  return (task.tasks ?? []).flatMap((/** @type {any} */ child) =>
    child.type === 'suite' ? [...(child.result?.errors ?? []).map(failure), ...suiteErrors(child)] : [],
  );
}

/** @param {unknown} error */
function failure(error) {
  return failureOf(error);
}

/** @param {Running} entry @param {any} task @param {boolean} isCutShort */
function collect(entry, task, isCutShort) {
  if (task.type === 'suite') for (const child of task.tasks) collect(entry, child, isCutShort);
  else if (!isCutShort || task.mode === 'skip' || task.mode === 'todo' || task.result?.state === 'fail')
    emitCase(entry, task);
}

/** @param {Running} entry @param {any} task */
function emitCase(entry, task) {
  if (entry.seen.has(task.id)) return;
  entry.seen.add(task.id);
  /** @type {string[]} */
  const titles = [];
  for (let at = task; at && at !== task.file; at = at.suite ?? task.file) titles.unshift(String(at.name));
  // The same file in several projects: their cases are told apart by the project's name.
  if (entry.specs.length > 1) titles.unshift(`[${task.file.projectName ?? ''}]`);
  const result = task.result;
  const status = statusOf(task);
  const retries = result?.retryCount ?? 0;
  const hostCase = {
    path: titles,
    status,
    durationMs: Math.max(0, result?.duration ?? 0),
    ...(status === 'failed'
      ? { failure: result.errors?.[0] ? failure(result.errors.at(-1)) : { message: 'failed' } }
      : {}),
    ...(task.location ? { line: task.location.line } : {}),
    ...(retries > 0 ? { runnerRetries: retries } : {}),
    ...benchmarksOf(task),
  };
  if (reporting.open === entry) channel.case(entry.item, hostCase);
  else entry.waitingCases.push(hostCase);
}

/** What `bench()` measured in the test (Vitest 5), without single samples. @param {any} task */
function benchmarksOf(task) {
  if (!Array.isArray(task.benchmarks) || task.benchmarks.length === 0) return {};
  const withoutSamples = (/** @type {any} */ statistics) => ({ ...statistics, samples: undefined });
  return {
    benchmarks: task.benchmarks.map((/** @type {any} */ { name, tasks }) => ({
      name,
      tasks: tasks
        .filter((/** @type {any} */ one) => !one.fromStore)
        .map((/** @type {any} */ one) => ({
          ...one,
          latency: withoutSamples(one.latency),
          throughput: withoutSamples(one.throughput),
        })),
    })),
  };
}

/** As vitest's own summary counts. @param {any} task @returns {'passed' | 'failed' | 'skipped' | 'todo'} */
function statusOf(task) {
  if (task.mode === 'todo') return 'todo';
  if (task.result?.state === 'pass') return 'passed';
  return task.result?.state === 'fail' ? 'failed' : 'skipped';
}

/** @param {string} file */
function entryOf(file) {
  return running.get(path.normalize(file));
}

/** Errors that belong to no test go to the file that vitest names, else to the last that started. @param {readonly any[]} errors */
function assignErrors(errors) {
  const last = [...running.values()].findLast((entry) => entry.hasStarted);
  for (const error of errors) {
    const named = error?.VITEST_TEST_PATH ? entryOf(error.VITEST_TEST_PATH) : undefined;
    const described = failureOf(error);
    for (let cause = error?.cause; cause?.message; cause = cause.cause)
      described.message += `\ncaused by: ${cause.message}`;
    (named && !named.isFinished ? named : last)?.errors.push(described);
  }
}

function reporter() {
  return {
    /** Vitest 3 and later. In a group this is where a file starts. @param {any} module */
    onTestModuleQueued(module) {
      const entry = entryOf(module.moduleId);
      if (entry) begin(entry);
    },
    /** Vitest 3 and later. @param {any} testCase */
    onTestCaseResult(testCase) {
      const entry = entryOf(testCase.module.moduleId);
      if (entry) emitCase(entry, testCase.task);
    },
    /** Vitest 3 and later: the real cost of the file. @param {any} module */
    onTestModuleEnd(module) {
      const entry = entryOf(module.moduleId);
      if (!entry) return;
      begin(entry);
      const diagnostic = module.diagnostic();
      const add = (/** @type {string} */ name, /** @type {number} */ ms) =>
        (entry.cost[name] = (entry.cost[name] ?? 0) + ms);
      add('environmentMs', diagnostic.environmentSetupDuration);
      add('prepareMs', diagnostic.prepareDuration);
      add('importMs', diagnostic.collectDuration);
      add('setupMs', diagnostic.setupDuration);
      add('testsMs', diagnostic.duration);
      entry.modulesEnded += 1;
      // The last file of a run waits for the run's end, which brings the errors outside tests.
      const isLast = [...running.values()].filter((other) => !other.isFinished).length === 1;
      if (entry.modulesEnded >= entry.specs.length && !isLast) finish(entry);
    },
    /** @param {unknown} _modules @param {readonly any[]} errors */
    onTestRunEnd(_modules, errors) {
      if (major >= 3) assignErrors(errors);
    },
    /** Vitest 2. @param {unknown} _files @param {any[]} errors */
    onFinished(_files, errors = []) {
      if (major < 3) assignErrors(errors);
    },
    /** Vitest 2: a case's state may change until its retries are spent, so only what cannot change is sent. @param {[string, any][]} packs */
    onTaskUpdate(packs) {
      if (major >= 3) return;
      for (const [id] of packs) {
        const task = vitest.state.idMap.get(id);
        if (!task || task.type === 'suite') continue;
        const entry = entryOf(task.file.filepath);
        const state = task.result?.state;
        if (entry && (state === 'pass' || (state === 'fail' && !task.retry && !task.repeats))) emitCase(entry, task);
      }
    },
    /** @param {{ content: string, type: 'stdout' | 'stderr' }} log */
    async onUserConsoleLog(log) {
      await channel.output(log.type === 'stderr' ? 'stderr' : 'stdout', log.content);
    },
  };
}
