// The runners by name, and which of them a project uses.
import type { RunnerName } from '@assay/protocol';
import { browserRunner } from './browser/browser.ts';
import { commandRunner } from './command/command.ts';
import { ctsRunner } from './cts/cts.ts';
import { nodeTestRunner } from './node-test/node-test.ts';
import { pytestRunner } from './pytest/pytest.ts';
import type { Detection, Runner } from './runner.ts';
import { vitestRunner } from './vitest/vitest.ts';
import { wptRunner } from './wpt/wpt.ts';

const runners: Readonly<Record<RunnerName, Runner>> = {
  vitest: vitestRunner,
  'node:test': nodeTestRunner,
  pytest: pytestRunner,
  browser: browserRunner,
  cts: ctsRunner,
  wpt: wptRunner,
  command: commandRunner,
};

export function runnerOf(name: RunnerName): Runner {
  return runners[name];
}

/** Every runner that the project's files show, the most specific first. */
export async function detectRunners(projectDir: string): Promise<Detection[]> {
  const found = await Promise.all(Object.values(runners).map(async (runner) => runner.detect(projectDir)));
  return found.filter((detection) => detection !== null);
}
