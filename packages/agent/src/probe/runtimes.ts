// The language runtimes on PATH with their versions, and the runners that come with them.
//
// A runtime that is not on PATH is absent: that is an answer. One that is there and does not say its version is unknown.
// Python is asked for its pytest in the same start, by importing nothing (importlib.metadata), so that a broken plugin
// cannot break the probe. Two traps are avoided: macOS has stubs at /usr/bin/java and /usr/bin/python3 that open a
// dialogue, and Windows has a `python` that opens its store and exits 9009.
import type { InstalledRunner, InstalledTool, UnknownField } from '@assay/protocol';
import { failureReason, findOnPath, parseVersion } from './context.ts';
import type { CommandOutcome, ProbeContext } from './context.ts';

export type RuntimeProbe = {
  runtimes: Record<string, InstalledTool>;
  runners: Record<string, InstalledRunner>;
  unknown: UnknownField[];
};

type Runtime = { name: string; commands: string[]; args: string[]; pattern: RegExp };

/** `pattern` finds the version in stdout followed by stderr (Java prints it on stderr). */
const runtimes: Runtime[] = [
  { name: 'node', commands: ['node'], args: ['--version'], pattern: /^v(\d\S*)/m },
  { name: 'java', commands: ['java'], args: ['-version'], pattern: /version "([^"]+)"/ },
  { name: 'go', commands: ['go'], args: ['version'], pattern: /^go version go(\d\S*)/m },
  { name: 'deno', commands: ['deno'], args: ['--version'], pattern: /^deno (\d\S*)/m },
  { name: 'bun', commands: ['bun'], args: ['--version'], pattern: /^(\d\S*)/m },
  { name: 'ruby', commands: ['ruby'], args: ['--version'], pattern: /^ruby (\d\S*)/m },
];

export const pythonQuestion = [
  'import json, sys',
  "answer = {'version': '.'.join(map(str, sys.version_info[:3])), 'executable': sys.executable}",
  'try:',
  '    from importlib import metadata',
  '    try:',
  "        answer['pytest'] = metadata.version('pytest')",
  '    except metadata.PackageNotFoundError:',
  '        pass',
  'except Exception as error:',
  "    answer['pytestError'] = type(error).__name__",
  'print(json.dumps(answer))',
].join('\n');

export async function probeRuntimes(ctx: ProbeContext): Promise<RuntimeProbe> {
  const probe: RuntimeProbe = { runtimes: {}, runners: {}, unknown: [] };
  const [python, ...others] = await Promise.all([
    askPython(ctx),
    ...runtimes.map((runtime) => askRuntime(ctx, runtime)),
  ]);
  for (const answer of others) {
    if (answer.kind === 'found') probe.runtimes[answer.name] = answer.tool;
    if (answer.kind === 'unknown') probe.unknown.push({ field: `runtimes.${answer.name}`, reason: answer.reason });
  }
  // The Node of the agent itself is certainly here; PATH is asked first because that is the one that projects get.
  const own = parseVersion(ctx.node.version);
  if (others[0]?.kind === 'absent' && own) probe.runtimes.node = { ...own, path: ctx.node.path };
  if (python.kind === 'unknown') probe.unknown.push({ field: 'runtimes.python', reason: python.reason });
  if (python.kind === 'found') {
    probe.runtimes.python = python.tool;
    if (python.pytest) probe.runners.pytest = python.pytest;
    if (python.pytestError)
      probe.unknown.push({ field: 'runners.pytest', reason: `python could not look: ${python.pytestError}` });
  }
  return probe;
}

type Answer = { name: string } & (
  | { kind: 'found'; tool: InstalledTool }
  | { kind: 'absent' }
  | { kind: 'unknown'; reason: string }
);

async function askRuntime(ctx: ProbeContext, runtime: Runtime): Promise<Answer> {
  const { name } = runtime;
  for (const command of runtime.commands) {
    const path = await findRealOnPath(ctx, command);
    if (path === undefined) continue;
    const outcome = await ctx.run(path, runtime.args, ctx.commandTimeoutMs);
    const said = outcome.kind === 'ok' ? runtime.pattern.exec(`${outcome.stdout}\n${outcome.stderr}`)?.[1] : undefined;
    const version = said === undefined ? undefined : parseVersion(said);
    if (version) return { kind: 'found', name, tool: { ...version, path } };
    if (!isAbsent(outcome))
      return { kind: 'unknown', name, reason: failureReason(path, outcome, ctx.commandTimeoutMs) };
  }
  return { kind: 'absent', name };
}

type PythonAnswer =
  | { kind: 'found'; tool: InstalledTool; pytest?: InstalledRunner; pytestError?: string }
  | { kind: 'absent' }
  | { kind: 'unknown'; reason: string };

async function askPython(ctx: ProbeContext): Promise<PythonAnswer> {
  let failure: PythonAnswer = { kind: 'absent' };
  for (const command of ctx.platform === 'win32' ? ['python', 'python3', 'py'] : ['python3', 'python']) {
    const path = await findRealOnPath(ctx, command);
    if (path === undefined) continue;
    const outcome = await ctx.run(path, ['-c', pythonQuestion], ctx.commandTimeoutMs);
    const answer = outcome.kind === 'ok' ? parsePython(outcome.stdout, path) : undefined;
    if (answer) return answer;
    if (!isAbsent(outcome)) failure = { kind: 'unknown', reason: failureReason(path, outcome, ctx.commandTimeoutMs) };
  }
  return failure;
}

export function parsePython(text: string, path: string): Extract<PythonAnswer, { kind: 'found' }> | undefined {
  let answer: { version?: unknown; executable?: unknown; pytest?: unknown; pytestError?: unknown };
  try {
    answer = JSON.parse(text.trim().split('\n').at(-1) ?? '') as typeof answer;
  } catch {
    return undefined;
  }
  const version = typeof answer.version === 'string' ? parseVersion(answer.version) : undefined;
  if (!version) return undefined;
  // The interpreter itself, and not a version manager's shim, is what carries the packages.
  const executable = typeof answer.executable === 'string' && answer.executable !== '' ? answer.executable : path;
  const pytest = typeof answer.pytest === 'string' ? parseVersion(answer.pytest) : undefined;
  return {
    kind: 'found',
    tool: { ...version, path: executable },
    ...(pytest ? { pytest: { ...pytest, runtime: 'python', path: executable } } : {}),
    ...(typeof answer.pytestError === 'string' ? { pytestError: answer.pytestError } : {}),
  };
}

/**
 * A shim without a version behind it (pyenv exits 127) and the Windows store's stub (9009): installed in name only.
 * The dynamic loader exits 127 too, for a program that is there and broken: that one is not absent.
 */
function isAbsent(outcome: CommandOutcome): boolean {
  if (outcome.kind !== 'failed') return outcome.kind === 'missing';
  return outcome.code === 9009 || (outcome.code === 127 && !/shared librar/.test(outcome.stderr));
}

async function findRealOnPath(ctx: ProbeContext, command: string): Promise<string | undefined> {
  const path = await findOnPath(ctx, command);
  if (ctx.platform !== 'darwin' || path !== `/usr/bin/${command}`) return path;
  const question =
    command === 'java'
      ? ['/usr/libexec/java_home']
      : command.startsWith('python')
        ? ['/usr/bin/xcode-select', '-p']
        : [];
  const [tool, ...args] = question;
  if (tool === undefined) return path;
  return (await ctx.run(tool, args, ctx.commandTimeoutMs)).kind === 'ok' ? path : undefined;
}
