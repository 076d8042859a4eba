// Turns a project, its configuration and the command line into what is submitted: suites and their tasks, one a test file.
// Order of precedence: `-- command`, then the configuration's suites, then what the agent's runners detect.
import { existsSync, statSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';
import { detectRunners, runnerOf } from '@assay/agent/inspect';
import { AssayError, limit, runnerNames, type Suite, type Task } from '@assay/protocol';
import { glob } from 'tinyglobby';
import type { ProjectConfig, SuiteConfig } from '../config/schema.ts';
import { SuiteConfig as SuiteSchema } from '../config/schema.ts';
import { byPlatform } from './browser-suites.ts';
import { isMeant, unmatched } from './filter.ts';
import { recogniseCommand } from './usual-command.ts';

export type PlanRequest = {
  projectDir: string;
  config: ProjectConfig;
  /** What stands after `--`. */
  command: readonly string[];
  filters: readonly string[];
  /** From the command line; each overrides every suite's own. */
  overrides: { timeoutMs?: number; retries?: number; requires?: string };
  env: NodeJS.ProcessEnv;
};

export type Plan = { suites: Suite[]; tasks: Task[]; /** What was decided and why, for people. */ notes: string[] };

/** The plan, or a named error: no runner, no tests, a filter that means nothing. */
export async function planRun(request: PlanRequest): Promise<Plan> {
  if (!isDirectory(request.projectDir))
    throw new AssayError('PROJECT_UNREADABLE', `${request.projectDir} is not a directory that can be read.`);
  const notes: string[] = [];
  const { configs, filters } = await chooseSuites(request, notes);
  const suites: Suite[] = [];
  const tasks: Task[] = [];
  const listed: string[] = [];
  const env = stringsOf(request.env);
  for (const config of configs) {
    const suite = toSuite(config, request);
    const { targets, expectedMs } = await listTargets(request.projectDir, suite, config, env, filters);
    listed.push(...targets);
    const meant = targets.filter((target) => target === '' || isMeant(shownTarget(suite, target), filters));
    if (meant.length === 0) continue;
    const after = tasksBefore(config, suite.name, suites, tasks);
    for (const part of byPlatform(suite, meant)) {
      for (const target of part.targets) {
        const expected = expectedMs?.get(target);
        tasks.push({
          suite: suites.length,
          target,
          ...(expected === undefined ? {} : { expectedMs: expected }),
          ...(after.length === 0 ? {} : { after }),
        });
      }
      suites.push(part.suite);
    }
  }
  const unknown = unmatched(listed, filters);
  if (unknown.length > 0)
    throw new AssayError(
      'NO_TESTS_FOUND',
      `No test file matches ${unknown.map((filter) => `"${filter}"`).join(', ')} among ${listed.length} listed.`,
    );
  if (tasks.length === 0)
    throw new AssayError(
      'NO_TESTS_FOUND',
      `No test files were found in ${request.projectDir} (${configs.map(({ runner }) => runner).join(', ')}).`,
    );
  if (tasks.length > limit('tasksPerRun'))
    throw new AssayError('RUN_TOO_LARGE', `${tasks.length} tasks; a run may have ${limit('tasksPerRun')}.`);
  return { suites, tasks, notes };
}

async function chooseSuites(
  request: PlanRequest,
  notes: string[],
): Promise<{ configs: SuiteConfig[]; filters: readonly string[] }> {
  const { command, config, filters } = request;
  if (command.length > 0) {
    const found = recogniseCommand(request.projectDir, command);
    if (found.kind === 'command') {
      notes.push(`${found.because}: it runs as one task.`);
      return {
        configs: [SuiteSchema.parse({ runner: 'command', name: command.join(' ').slice(0, 200), command: found.argv })],
        filters: [],
      };
    }
    notes.push(`${found.because} is ${found.runner}: its files are spread.`);
    return {
      configs: [SuiteSchema.parse({ runner: found.runner, arguments: found.arguments, env: found.env })],
      filters: [...filters, ...found.filters],
    };
  }
  if (config.suites !== undefined && config.suites.length > 0) return { configs: config.suites, filters };
  return { configs: await detectSuites(request.projectDir, notes), filters };
}

async function detectSuites(projectDir: string, notes: string[]): Promise<SuiteConfig[]> {
  const configs: SuiteConfig[] = [];
  for (const { runner, version, why } of await detectRunners(projectDir)) {
    notes.push(`${runner}${version === null ? '' : ` ${version}`}: ${why}`);
    configs.push(SuiteSchema.parse({ runner }));
  }
  if (configs.length === 0) {
    throw new AssayError(
      'NO_RUNNER_DETECTED',
      `Nothing in ${projectDir} says how it is tested (looked for ${runnerNames.join(', ')}).`,
    );
  }
  return configs;
}

function toSuite(config: SuiteConfig, { overrides, env, config: project }: PlanRequest): Suite {
  const name = config.name ?? (config.directory === '' ? config.runner : `${config.runner} in ${config.directory}`);
  if (config.runner === 'command' && config.command === undefined)
    throw new AssayError('CONFIG_INVALID', `Suite "${name}" has the runner "command" but no command.`);
  if (config.junit !== undefined && config.benchmark !== undefined)
    throw new AssayError('CONFIG_INVALID', `Suite "${name}" has both junit and benchmark: one report is read back.`);
  // Secrets named in the configuration travel as values, so that the worker can give and mask them.
  const secrets = Object.fromEntries(
    config.secrets.flatMap((secret) => (env[secret] === undefined ? [] : [[secret, env[secret]]])),
  );
  return {
    name,
    runner: config.runner,
    directory: config.directory.replaceAll('\\', '/').replace(/^\.\/?/, ''),
    arguments: config.runner === 'command' ? [...(config.command ?? []), ...config.arguments] : config.arguments,
    env: { ...secrets, ...config.env },
    secrets: config.secrets,
    timeoutMs: overrides.timeoutMs ?? config.timeout,
    noOutputTimeoutMs: config.noOutputTimeout,
    requires: [config.requires, overrides.requires ?? '']
      .filter((part) => part !== '')
      .map((part, _, all) => (all.length > 1 ? `(${part})` : part))
      .join(' && '),
    ...(config.uses === undefined ? {} : { uses: config.uses }),
    retries: overrides.retries ?? config.retries,
    batching: config.batching,
    ...askedOf(config),
    ...(config.variants === undefined ? {} : { variants: config.variants }),
    ...(project.failureRules === undefined ? {} : { failureRules: project.failureRules }),
    ...(config.junit === undefined ? {} : { junit: config.junit }),
    ...(config.benchmark === undefined ? {} : { benchmark: config.benchmark }),
  };
}

/** What a suite asks of placement beyond its requirement, where it asks anything. */
function askedOf({ alternatives, claims, concurrency, gang, hedge }: SuiteConfig): Partial<Suite> {
  const keys = Object.entries(concurrency).map(([key, max]) => ({ key, max }));
  return {
    ...(alternatives.length === 0
      ? {}
      : { alternatives: alternatives.map(({ requires, after }) => ({ requires, afterMs: after })) }),
    ...(claims.length === 0 ? {} : { claims }),
    ...(keys.length === 0 ? {} : { concurrency: keys }),
    ...(gang === undefined ? {} : { gang }),
    ...(hedge === undefined ? {} : { hedge }),
  };
}

/** The indexes of the tasks that those of a suite come after: all of the suites that it names, which stand before it. */
function tasksBefore(config: SuiteConfig, name: string, suites: readonly Suite[], tasks: readonly Task[]): number[] {
  const before = new Set<number>();
  for (const earlier of config.after) {
    const suite = suites.findIndex((one) => one.name === earlier);
    if (suite < 0)
      throw new AssayError(
        'CONFIG_INVALID',
        `Suite "${name}" comes after "${earlier}", which is no suite before it that has files in this run.`,
      );
    for (const [index, task] of tasks.entries()) if (task.suite === suite) before.add(index);
  }
  if (before.size > limit('dependenciesPerTask'))
    throw new AssayError(
      'CONFIG_INVALID',
      `Suite "${name}" comes after ${before.size} files; a file may come after ${limit('dependenciesPerTask')}.`,
    );
  return [...before];
}

type Listed = { targets: readonly string[]; expectedMs?: ReadonlyMap<string, number> };

async function listTargets(
  projectDir: string,
  suite: Suite,
  config: SuiteConfig,
  env: Record<string, string>,
  filters: readonly string[],
): Promise<Listed> {
  const cwd = join(projectDir, suite.directory);
  if (!isDirectory(cwd))
    throw new AssayError(
      'PROJECT_UNREADABLE',
      `Suite "${suite.name}" names the directory ${suite.directory}, which is not there.`,
    );
  const excluded = (target: string): boolean => (config.exclude ?? []).some((pattern) => matchesGlob(target, pattern));
  if (config.include !== undefined) {
    const found = await glob(config.include, {
      cwd,
      onlyFiles: true,
      ignore: ['**/node_modules/**', ...(config.exclude ?? [])],
    });
    return { targets: found.map((file) => file.replaceAll('\\', '/')).toSorted() };
  }
  if (suite.runner === 'command') return { targets: [''] };
  const listing = await runnerOf(suite.runner).list(projectDir, suite, pathsOnly(cwd, filters), {
    ...env,
    ...suite.env,
  });
  if (listing.kind === 'refused')
    throw new AssayError(
      listing.code === 'RUNNER_NOT_INSTALLED' ? 'RUNNER_NOT_INSTALLED' : 'NO_TESTS_FOUND',
      listing.reason,
    );
  const targets = listing.targets.filter((target) => !excluded(target));
  return listing.expectedMs === undefined ? { targets } : { targets, expectedMs: listing.expectedMs };
}

/** Filters that the runner's own listing may take, so that it need not look at the whole project: only where all are paths. */
function pathsOnly(cwd: string, filters: readonly string[]): readonly string[] {
  return filters.every((filter) => existsSync(join(cwd, filter))) ? filters : [];
}

/** A target as it is named from the project's directory. */
export function shownTarget(suite: Suite, target: string): string {
  return suite.directory === '' ? target : `${suite.directory}/${target}`;
}

/** The name that history is kept under: the configuration's, the package's, or the directory's. */
export function projectName(projectDir: string, config: ProjectConfig, packageName: string | null): string {
  return config.project ?? packageName ?? basename(projectDir);
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function stringsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
