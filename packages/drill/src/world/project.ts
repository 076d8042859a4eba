// The work that a drill submits: a small project of real test files, written out and run by the real runners. Each file says in
// advance how it has to end, and that is what the checks hold the journal against.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailureClass, Suite, Verdict } from '@assay/protocol';

/** What a task's end has to look like. `codes` are alternatives where two observers may be first. */
export type Expectation = {
  readonly verdict: Verdict;
  readonly class?: FailureClass;
  readonly codes?: readonly string[];
  /** Cases that the settling attempt reports, where that is known. */
  readonly passedCases?: number;
};

export type DrillTask = {
  readonly target: string;
  readonly suite: string;
  readonly expects: Expectation;
  /** The step of the plan that it was given out with. */
  readonly step: number;
};

export const casesOfPassing = 3;

const base: Suite = {
  name: 'unit',
  runner: 'node:test',
  directory: '',
  arguments: [],
  env: {},
  secrets: [],
  timeoutMs: 20_000,
  noOutputTimeoutMs: 0,
  requires: '',
  retries: 0,
  batching: 'single',
};

/** The suites of the drill's run, in their order. */
export function suitesOf(env: Readonly<Record<string, string>>): Suite[] {
  return [
    { ...base, env },
    { ...base, name: 'tool', runner: 'command', arguments: ['drill-tool', '{target}'], env },
    { ...base, name: 'service', env, uses: ['drill-service'] },
    { ...base, name: 'rig', env, requires: 'declared.rig == "virtual"' },
    // One that does not end is ended soon; a silent one sooner.
    { ...base, name: 'bounded', env, timeoutMs: 4_000, noOutputTimeoutMs: 2_500 },
  ];
}

export function writeFileOf(directory: string, target: string, text: string): void {
  const path = join(directory, target);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

/** A file of a few cases that pass, long enough that a fault can meet it at work. */
export function passingFile(name: string, caseMs: number): string {
  const cases = Array.from(
    { length: casesOfPassing },
    (_, index) => `test('${name} case ${index}', () => new Promise((resolve) => setTimeout(resolve, ${caseMs})));`,
  );
  return `import test from 'node:test';\n${cases.join('\n')}\n`;
}

/** A file that asks the service; it fails where the service does. */
export function serviceFile(): string {
  return `import test from 'node:test';
import assert from 'node:assert/strict';
test('the service answers', async () => {
  const response = await fetch(process.env.DRILL_SERVICE);
  assert.equal(response.status, 200);
});
`;
}
