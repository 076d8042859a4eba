// Runs test files one at a time with the project's own `node:test`, each in a child process of its own as `node --test`
// does, and reports every test as it ends. Counts equal what `node --test` prints: suites are not tests, a file that
// registers no test or that fails as a whole is one test named by the file, canceled tests are failures.
// The flags of the suite go to the children (they include preloads such as --import), as `node --test` passes them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { failureOf, openChannel, outputPassedOn } from '../host-channel.mjs';

/** Options of run() that older versions of Node do not know are simply ignored by them. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const takesExecArgv = major > 22 || (major === 22 && minor >= 10);

const channel = await openChannel();
const { flags, options } = translate(channel.hello.arguments);
// Before 22.10 children inherit process.execArgv, which is an ordinary array that run() reads at each call.
if (!takesExecArgv) process.execArgv.push(...flags);
/** How Node begins the report of what was thrown. */
const errorLine = /^\S*(?:Error|Exception)\b.*$/m;
const noTestsReason =
  'It names node:test, yet no test of it was reported: it registers none, or its process ended before it could report them.';
const isFiltered =
  options['testNamePatterns'] !== undefined || options['testSkipPatterns'] !== undefined || options['only'] === true;
channel.ready(process.versions.node);

for (let item = await channel.queue.next(); item; item = await channel.queue.next()) await runFile(item);
await channel.close(0);

/** @param {import('../host-channel.mjs').Item} item */
async function runFile(item) {
  channel.fileStarted(item);
  const startedMs = performance.now();
  const seen = {
    item,
    file: path.resolve(item.target),
    open: /** @type {string[]} */ ([]),
    registered: 0,
    errors: '',
    loadError: /** @type {any} */ (undefined),
    died: /** @type {any} */ (undefined),
  };
  for (const name of ['TMPDIR', 'TMP', 'TEMP']) process.env[name] = item.tmp;
  process.env['ASSAY_FILE_MARK'] = `${channel.hello.mark}.${item.id}`;
  const stream = run({ files: [seen.file], concurrency: 1, ...options, ...(takesExecArgv ? { execArgv: flags } : {}) });
  for await (const event of stream) await observe(seen, event);
  const costMs = performance.now() - startedMs;
  const noTests = seen.registered === 0 && !isFiltered && !seen.loadError && !seen.died && usesNodeTest(seen.file);
  await outputPassedOn();
  channel.fileFinished(item, {
    costMs,
    marked: true,
    ...(noTests ? { noTests: noTestsReason } : {}),
    ...(seen.died ? { died: seen.died } : {}),
    ...(seen.loadError ? { loadError: seen.loadError } : {}),
  });
}

/** @param {any} seen @param {any} event */
async function observe(seen, event) {
  const data = event.data;
  if (event.type === 'test:stdout') await channel.output('stdout', data.message);
  else if (event.type === 'test:stderr') {
    await channel.output('stderr', data.message);
    seen.errors = (seen.errors + data.message).slice(-4000);
  } else if (event.type === 'test:start') seen.open[data.nesting] = data.name;
  else if ((event.type === 'test:pass' || event.type === 'test:fail') && data.details?.type !== 'suite')
    observeTest(seen, event.type, data);
}

/** @param {any} seen @param {string} type @param {any} data */
function observeTest(seen, type, data) {
  const isFile = isFileItself(data, seen.file);
  const titles = isFile ? [seen.item.target] : [...seen.open.slice(0, data.nesting), data.name];
  const error = data.details?.error;
  const failure =
    type === 'test:fail' ? (isFile ? fileFailure(error, seen.errors) : failureOf(causeOf(error))) : undefined;
  if (isFile && error?.signal)
    seen.died = { message: '', exitCode: error.exitCode ?? null, signal: String(error.signal) };
  // A file that ends itself with a code says nothing; one that cannot be loaded says why.
  else if (isFile && failure && seen.registered === 0 && errorLine.test(seen.errors)) seen.loadError = failure;
  if (!isFile) seen.registered += 1;
  channel.case(seen.item, {
    path: titles.map(String),
    status: statusOf(type, data),
    durationMs: Math.max(0, data.details?.duration_ms ?? 0),
    ...(failure ? { failure } : {}),
    ...(typeof data.line === 'number' && !isFile ? { line: data.line } : {}),
  });
}

/** The file as a whole failed: what it wrote to stderr says more than node:test's "test failed". @param {any} error @param {string} written */
function fileFailure(error, written) {
  const how = error?.signal
    ? `signal ${error.signal}`
    : typeof error?.exitCode === 'number'
      ? `exit code ${error.exitCode}`
      : '';
  const line = errorLine.exec(written)?.[0] ?? '';
  const failure = how ? { message: `The file ended with ${how}.` } : failureOf(causeOf(error));
  return {
    message: line ? `${line} (${failure.message})` : failure.message,
    ...(written.trim() ? { stack: written.trim() } : {}),
  };
}

/** Whether a file means to register tests, as opposed to a program that is a test by its exit code. @param {string} file */
function usesNodeTest(file) {
  return /['"`]node:test['"`]/.test(readFileSync(file, 'utf8'));
}

/** node:test names the file's own entry by its path; a test that the file registers has another place in it. @param {any} data @param {string} file */
function isFileItself(data, file) {
  if (data.nesting !== 0) return false;
  const named = path.resolve(String(data.name)) === file;
  return named && (data.line === undefined || (data.line === 1 && data.column === 1));
}

/** The order in which node:test itself counts. @param {string} type @param {any} data @returns {'passed' | 'failed' | 'skipped' | 'todo'} */
function statusOf(type, data) {
  if (data.skip !== undefined && data.skip !== false) return 'skipped';
  if (data.todo !== undefined && data.todo !== false) return 'todo';
  return type === 'test:pass' ? 'passed' : 'failed';
}

/** What the test threw, and not node:test's wrapper around it. @param {any} error */
function causeOf(error) {
  const cause = error?.cause;
  if (cause && typeof cause === 'object' && typeof cause.message === 'string') return cause;
  return error ?? new Error('failed');
}

/**
 * `node --test` arguments as run() takes them. Patterns and the runner's own switches become options; reporters and
 * globs are ours to give; all else goes to the children.
 * @param {string[]} given
 */
function translate(given) {
  /** @type {string[]} */
  const flags = [];
  /** @type {Record<string, any>} */
  const options = {};
  const ignored = new Set([
    '--test',
    '--test-reporter',
    '--test-reporter-destination',
    '--test-concurrency',
    '--test-shard',
    '--watch',
    '--test-isolation',
    '--experimental-test-isolation',
    '--experimental-test-coverage',
  ]);
  const valued = new Set([
    '--import',
    '--require',
    '-r',
    '--loader',
    '--experimental-loader',
    '--conditions',
    '-C',
    '--env-file',
    '--env-file-if-exists',
  ]);
  for (let index = 0; index < given.length; index += 1) {
    const argument = given[index] ?? '';
    if (!argument.startsWith('-')) continue;
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument : argument.slice(0, equals);
    const value = () => (equals < 0 ? (given[++index] ?? '') : argument.slice(equals + 1));
    if (name === '--test-name-pattern') (options['testNamePatterns'] ??= []).push(value());
    else if (name === '--test-skip-pattern') (options['testSkipPatterns'] ??= []).push(value());
    else if (name === '--test-timeout') options['timeout'] = Number(value());
    else if (name === '--test-global-setup') options['globalSetupPath'] = path.resolve(value());
    else if (name === '--test-only') options['only'] = true;
    else if (ignored.has(name)) {
      if (equals < 0 && !['--test', '--watch', '--experimental-test-coverage'].includes(name)) index += 1;
    } else if (valued.has(name)) flags.push(equals < 0 ? name : argument, ...(equals < 0 ? [value()] : []));
    else flags.push(argument);
  }
  return { flags, options };
}
