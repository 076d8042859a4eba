// Loads the project's own vitest (2 and later) once, and runs test files one at a time in it, with one pool worker.
// A reporter of ours streams every case as it ends. What vitest's summary counts is what is reported: a file that does
// not load has no cases and a `loadError`; a failing hook or an error outside any test is in `errors`.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { failureOf, openChannel } from '../host-channel.mjs';

/** @typedef {import('../host-channel.mjs').Item} Item */

const channel = await openChannel();
/** @type {{ item: Item, seen: Set<string>, errors: any[], diagnostic: Record<string, number> } | null} */
let current = null;

const vitest = await start().catch((error) => {
  channel.emit({ e: 'hostFailed', ...failureOf(error) });
  process.stderr.write(`${error?.stack ?? error}\n`);
  return channel.close(1);
});
const isOld = Number(String(vitest.version).split('.')[0]) < 3;
const specifications = await globbed();
channel.emit({ e: 'hostReady', version: String(vitest.version), startupMs: performance.now() });

for (let item = await channel.next(); item; item = await channel.next()) await runFile(item);
// Closing runs global teardowns; a project that hangs in them must not hold the slot longer than vitest's own limit.
await Promise.race([
  Promise.resolve(vitest.close()).catch(() => {}),
  new Promise((resolve) => setTimeout(resolve, 10_000)),
]);
channel.close(0);

async function start() {
  const require = createRequire(path.join(process.cwd(), 'noop.js'));
  const { createVitest, parseCLI } = await import(pathToFileURL(require.resolve('vitest/node')).href);
  process.env['TEST'] = 'true';
  process.env['VITEST'] = 'true';
  process.env['NODE_ENV'] ??= 'test';
  const given = parseCLI(['vitest', 'run', ...channel.hello.arguments], { allowUnknownOptions: false }).options;
  for (const key of ['reporter', 'reporters', 'outputFile', 'shard', 'coverage', 'ui', 'open', 'api', 'watch'])
    delete given[key];
  const one = { maxForks: 1, minForks: 1, maxThreads: 1, minThreads: 1 };
  return createVitest('test', {
    ...given,
    run: true,
    watch: false,
    coverage: { enabled: false },
    reporters: [reporter()],
    passWithNoTests: true,
    maxWorkers: 1,
    minWorkers: 1,
    ...(isBefore4(require) ? { poolOptions: { forks: one, threads: one, vmForks: one, vmThreads: one } } : {}),
  });
}

/** poolOptions left vitest in 4. @param {NodeRequire} require */
function isBefore4(require) {
  return Number(String(require('vitest/package.json').version).split('.')[0]) < 4;
}

/** Every test file of every project, once. @returns {Promise<Map<string, any[]>>} */
async function globbed() {
  const found = isOld ? await vitest.globTestSpecs([]) : await vitest.globTestSpecifications([]);
  /** @type {Map<string, any[]>} */
  const byFile = new Map();
  for (const specification of found) {
    const file = path.normalize(specification.moduleId ?? specification[1]);
    byFile.set(file, [...(byFile.get(file) ?? []), specification]);
  }
  return byFile;
}

/** @param {Item} item */
async function runFile(item) {
  channel.fileStarted(item);
  const startedMs = performance.now();
  current = { item, seen: new Set(), errors: [], diagnostic: {} };
  const specs = specifications.get(path.resolve(item.target));
  if (!specs) {
    current = null;
    await channel.fileFinished(item, {
      costMs: performance.now() - startedMs,
      loadError: { message: `${item.target} is not a test file of this vitest configuration` },
    });
    return;
  }
  try {
    await (isOld ? vitest.runFiles(specs, false) : vitest.runTestSpecifications(specs, false));
  } catch (error) {
    current.errors.push(failureOf(error));
  }
  const facts = settle(item, specs.length);
  await channel.fileFinished(item, { costMs: performance.now() - startedMs, cost: current.diagnostic, ...facts });
  current = null;
}

/** The cases that never had an event of their own (skipped ones), and the file's own errors. @param {Item} item @param {number} projects */
function settle(item, projects) {
  const file = path.resolve(item.target);
  const tasks = vitest.state.getFiles([file]);
  for (const task of tasks) collect(task, projects > 1);
  const died = current?.errors.find((error) =>
    /Worker exited unexpectedly|Worker .* emitted error|Channel closed|Timeout starting/.test(
      `${error.message} ${error.cause ?? ''}`,
    ),
  );
  const fileErrors = tasks.flatMap((/** @type {any} */ task) =>
    (task.result?.errors ?? []).map((/** @type {any} */ error) => failureOf(error)),
  );
  const hookErrors = tasks.flatMap((/** @type {any} */ task) => suiteErrors(task));
  const hasNoCase = current?.seen.size === 0;
  return {
    ...(died ? { died: { message: died.message } } : {}),
    ...(hasNoCase && fileErrors.length > 0 ? { loadError: fileErrors[0] } : {}),
    errors: [...(hasNoCase ? fileErrors.slice(1) : fileErrors), ...hookErrors, ...(died ? [] : (current?.errors ?? []))]
      .slice(0, 20)
      .map((error) => ({
        message: error.message.slice(0, channel.hello.keepMessageChars),
        stack: error.stack?.slice(0, channel.hello.keepStackChars),
      })),
  };
}

/** Errors of groups (their hooks), the file's own excepted. @param {any} task @returns {any[]} */
function suiteErrors(task) {
  return (task.tasks ?? []).flatMap((/** @type {any} */ child) => {
    if (child.type !== 'suite') return [];
    return [...(child.result?.errors ?? []).map((/** @type {any} */ error) => failureOf(error)), ...suiteErrors(child)];
  });
}

/** @param {any} task @param {boolean} namesProject */
function collect(task, namesProject) {
  if (task.type === 'suite') {
    for (const child of task.tasks) collect(child, namesProject);
  } else emitCase(task, namesProject);
}

/** @param {any} task @param {boolean} namesProject */
function emitCase(task, namesProject) {
  if (!current || current.seen.has(task.id)) return;
  current.seen.add(task.id);
  /** @type {string[]} */
  const titles = [];
  for (let at = task; at && at !== at.file; at = at.suite ?? at.file) titles.unshift(String(at.name));
  if (namesProject) titles.unshift(`[${task.file.projectName ?? ''}]`);
  const result = task.result;
  const errors = (result?.errors ?? []).map((/** @type {any} */ error) => failureOf(error));
  const status = statusOf(task);
  channel.case(current.item, {
    path: titles,
    status,
    durationMs: Math.max(0, result?.duration ?? 0),
    ...(status === 'failed' ? { failure: errors[0] ?? { message: 'failed' } } : {}),
    ...(task.location ? { line: task.location.line } : {}),
    ...(result?.retryCount ? { runnerRetries: result.retryCount } : {}),
  });
}

/** As vitest's own summary counts. @param {any} task @returns {'passed' | 'failed' | 'skipped' | 'todo'} */
function statusOf(task) {
  if (task.mode === 'todo') return 'todo';
  if (task.result?.state === 'pass') return 'passed';
  if (task.result?.state === 'fail') return 'failed';
  return 'skipped';
}

function reporter() {
  return {
    /** Vitest 3 and later. @param {any} testCase */
    onTestCaseResult(testCase) {
      const task = testCase.task;
      if (current) emitCase(task, (specifications.get(path.normalize(task.file.filepath))?.length ?? 1) > 1);
    },
    /** Vitest 3 and later: the real cost of the file. @param {any} module */
    onTestModuleEnd(module) {
      const diagnostic = module.diagnostic();
      if (!current) return;
      const add = (/** @type {string} */ name, /** @type {number} */ ms) =>
        (current.diagnostic[name] = (current.diagnostic[name] ?? 0) + ms);
      add('environmentMs', diagnostic.environmentSetupDuration);
      add('prepareMs', diagnostic.prepareDuration);
      add('importMs', diagnostic.collectDuration);
      add('setupMs', diagnostic.setupDuration);
      add('testsMs', diagnostic.duration);
    },
    /** Errors that belong to no test. @param {unknown} _modules @param {readonly any[]} errors */
    onTestRunEnd(_modules, errors) {
      if (!isOld) current?.errors.push(...errors.map(described));
    },
    /** Vitest 2. @param {unknown} _files @param {any[]} errors */
    onFinished(_files, errors = []) {
      if (isOld) current?.errors.push(...errors.map(described));
    },
    /** Vitest 2: a case's state may change until its retries are spent, so only what cannot change is sent. @param {[string, any][]} packs */
    onTaskUpdate(packs) {
      if (!isOld) return;
      for (const [id] of packs) {
        const task = vitest.state.idMap.get(id);
        if (!task || task.type === 'suite') continue;
        const state = task.result?.state;
        if (state === 'pass' || (state === 'fail' && !task.retry && !task.repeats)) emitCase(task, false);
      }
    },
    /** @param {{ content: string, type: 'stdout' | 'stderr' }} log */
    onUserConsoleLog(log) {
      (log.type === 'stderr' ? process.stderr : process.stdout).write(log.content);
    },
  };
}

/** @param {any} error */
function described(error) {
  const cause = error?.cause;
  const failure = failureOf(error);
  if (cause?.message) failure.message += `\ncaused by: ${cause.message}`;
  return failure;
}
