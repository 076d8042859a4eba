// The drill bites: on each mutant of the product it is broken by a check that names the harm, and on the same plan without it, it
// is not broken by that check.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawPlan } from './plan.ts';
import { type DrillEnd, runDrill } from './run-drill.ts';
import { type Mutant, mutants } from './testing/mutants.ts';

const program = [process.execPath, fileURLToPath(new URL('../../cli/src/main.mjs', import.meta.url))] as const;
const preload = new URL('testing/mutate.mjs', import.meta.url).href;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-mutants-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function drillOn({ faults, tasks, module, changes, name }: Mutant): Promise<DrillEnd> {
  const wish = { seed: 1, workers: 2, tasks, failures: null, workerFailures: null, faults };
  return runDrill({
    plan: drawPlan(wish),
    program,
    outputDir: join(directory, name),
    signal: new AbortController().signal,
    say: () => undefined,
    coordinatorEnv: { NODE_OPTIONS: `--import ${preload}`, DRILL_MUTANT: JSON.stringify({ module, changes }) },
    settleTimeoutMs: 30_000,
  });
}

// Each is a whole drill of half a minute and more. Every run of the tests has the quickest to be noticed; all of them have their own
// command (CONTRIBUTING.md), because seven drills would double the time that everybody waits for the tests.
const chosen =
  process.env['ASSAY_MUTANTS'] === 'all' ? mutants : mutants.filter(({ name }) => name === 'silence unnoticed');

// The drill reads /proc.
test.skipIf(process.platform !== 'linux').each(chosen)(
  '$name: $harm, and the drill is broken by it',
  async (mutant) => {
    const { verdict, results } = await drillOn(mutant);
    expect(readFileSync(join(directory, mutant.name, 'logs/coordinator.log'), 'utf8')).toContain(
      `MUTANT of ${mutant.module}`,
    );
    const broken = results.filter(({ state }) => state === 'broken');
    const caught = broken.filter(({ id }) => mutant.caughtBy.some((start) => id.startsWith(start)));
    expect({
      verdict,
      caught: caught.length > 0,
      broken: broken.map(({ id, detail }) => `${id}: ${detail}`),
    }).toMatchObject({
      verdict: 'broken',
      caught: true,
    });
  },
  300_000,
);
