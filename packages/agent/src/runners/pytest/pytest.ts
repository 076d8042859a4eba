// The pytest runner: the project's own pytest, found through the project's own Python, with our plugin loaded into it.
// Listing runs pytest's collection of directories with every rule of the project, but imports no test file.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandOutput, exists, findExecutable, firstExisting, targetOf } from '../project-files.ts';
import type { Detection, Environment, Launch, Listing, Runner, RunnerRefusal } from '../runner.ts';

const pluginDir = fileURLToPath(new URL('.', import.meta.url));
const pluginName = 'assay_pytest_host';
const listTimeoutMs = 300_000;
const isWindows = process.platform === 'win32';

export const pytestRunner: Runner = {
  name: 'pytest',

  async detect(projectDir): Promise<Detection | null> {
    const configFile = await firstExisting(projectDir, ['pytest.ini', '.pytest.ini']);
    if (configFile) return { runner: 'pytest', version: null, why: `${configFile} is there`, configFile };
    for (const [name, section] of [
      ['pyproject.toml', '[tool.pytest'],
      ['setup.cfg', '[tool:pytest]'],
      ['tox.ini', '[pytest]'],
    ] as const) {
      const text = await readFile(path.join(projectDir, name), 'utf8').catch(() => '');
      if (text.includes(section))
        return { runner: 'pytest', version: null, why: `${name} has ${section}`, configFile: name };
    }
    const conftest = await firstExisting(projectDir, ['conftest.py', 'tests/conftest.py', 'test/conftest.py']);
    return conftest ? { runner: 'pytest', version: null, why: `${conftest} is there` } : null;
  },

  async list(projectDir, suite, filters, env): Promise<Listing> {
    const directory = path.join(projectDir, suite.directory);
    const python = await pythonWithPytest(directory, env);
    if (python.kind === 'refused') return python;
    const scratch = await mkdtemp(path.join(tmpdir(), 'assay-list-'));
    try {
      const file = path.join(scratch, 'files.json');
      const asPaths = await Promise.all(filters.map(async (filter) => exists(path.join(directory, filter))));
      const paths = filters.filter((_, index) => asPaths[index]);
      const args = ['-m', 'pytest', '-p', pluginName, '--collect-only', '-q', ...suite.arguments, ...paths];
      const result = await commandOutput(python.file, args, {
        cwd: directory,
        env: { ...env, ...pluginEnv(env), ASSAY_PYTEST_LIST: file },
        timeoutMs: listTimeoutMs,
      });
      const found: unknown = JSON.parse(await readFile(file, 'utf8').catch(() => 'null'));
      // 5: pytest collected no tests, which is what listing makes of every file.
      if (!Array.isArray(found) || ![0, 5].includes(result.code ?? -1)) {
        return {
          kind: 'refused',
          code: 'CONFIG_UNREADABLE',
          reason: `pytest could not list its files: ${(result.stderr || result.stdout).slice(0, 4_000)}`,
        };
      }
      const rest = filters.filter((_, index) => !asPaths[index]);
      const targets = found.filter((name) => typeof name === 'string').map((name) => targetOf(directory, name));
      return {
        kind: 'listed',
        targets: [...new Set(targets)]
          .filter((target) => rest.length === 0 || rest.some((filter) => target.includes(filter)))
          .toSorted(),
      };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },

  async launch(projectDir, suite, env): Promise<Launch> {
    const directory = path.join(projectDir, suite.directory);
    const python = await pythonWithPytest(directory, env);
    if (python.kind === 'refused') return python;
    const args = ['-m', 'pytest', '-p', pluginName, ...withoutPaths(suite.arguments)];
    return { kind: 'host', command: python.file, arguments: args, env: pluginEnv(env), note: python.why };
  },
};

function pluginEnv(env: Environment): Environment {
  const given = env['PYTHONPATH'];
  return {
    PYTHONPATH: given ? `${pluginDir}${path.delimiter}${given}` : pluginDir,
    PYTHONDONTWRITEBYTECODE: env['PYTHONDONTWRITEBYTECODE'] ?? '',
  };
}

/** The host is told its files one by one; paths among the arguments say what to list. */
function withoutPaths(args: readonly string[]): string[] {
  return args.filter((argument, index) => argument.startsWith('-') || takesValue(args[index - 1]));
}

/** Short and long options of pytest whose value is the next argument. */
function takesValue(option: string | undefined): boolean {
  return (
    option !== undefined &&
    /^(-[kmcorpWn]|--(rootdir|confcutdir|ignore|ignore-glob|deselect|basetemp|maxfail|tb|capture|import-mode|override-ini|log-level|log-file|timeout|durations|config-file|junit-xml|junitxml))$/.test(
      option,
    )
  );
}

type Python = { readonly kind: 'python'; readonly file: string; readonly why: string };

/** ASSAY_PYTHON of the suite, the project's virtual environment, `python3` of the PATH, the system's: the first that has pytest. */
async function pythonWithPytest(directory: string, env: Environment): Promise<Python | RunnerRefusal> {
  const named = env['ASSAY_PYTHON'];
  const tried: string[] = [];
  for (const { file, why } of named
    ? [{ file: named, why: 'ASSAY_PYTHON names it' }]
    : await candidates(directory, env)) {
    const result = await commandOutput(file, ['-c', 'import pytest; print(pytest.__version__)'], {
      cwd: directory,
      env,
      timeoutMs: 60_000,
    });
    if (result.code === 0) return { kind: 'python', file, why: `${file}: ${why}` };
    tried.push(file);
  }
  const where = tried.length > 0 ? `${tried.join(', ')} cannot import pytest` : 'no python3 was found';
  return {
    kind: 'refused',
    code: 'RUNNER_NOT_INSTALLED',
    reason: `pytest is not installed: ${where}. Install it in the project's virtual environment, or name a Python in ASSAY_PYTHON.`,
  };
}

async function candidates(directory: string, env: Environment): Promise<{ file: string; why: string }[]> {
  const found: { file: string; why: string }[] = [];
  for (const name of ['.venv', 'venv']) {
    const file = path.join(directory, name, isWindows ? 'Scripts/python.exe' : 'bin/python');
    if (await exists(file)) found.push({ file, why: `the project has ${name}` });
  }
  const onPath = await findExecutable(isWindows ? 'python' : 'python3', env);
  if (onPath) found.push({ file: onPath, why: 'it is on the PATH' });
  if (!isWindows && onPath !== '/usr/bin/python3' && (await exists('/usr/bin/python3')))
    found.push({ file: '/usr/bin/python3', why: "the PATH's python3 has no pytest" });
  return found;
}
