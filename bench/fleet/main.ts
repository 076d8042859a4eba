// A fleet of real processes whose workers are unlike: a coordinator, seven `assay worker` processes with declared kinds, and a suite
// with requirements and fallbacks whose cost depends on the kind. The policies of placement and static splits, side by side.
//   npm run bench -- fleet [--rounds 3] [--seed 1]
// The kinds are declared, and their slowness is waiting: no hardware is pretended to be measured. Every arm runs the same tests
// through the same coordinator and workers; arms are interleaved, and an arm in which another number passed is an error.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient, type Client } from '@assay/client';
import { silentLog, startCoordinator, type RunningCoordinator } from '@assay/coordinator';
import type { RunSubmission, Suite, Task } from '@assay/protocol';
import { suiteOf } from '../../packages/core/src/testing/specs.ts';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { policies as allPolicies } from '../makespan/policies.ts';
import { loadBoundSolver } from '../makespan/bound.ts';
import { median } from '../statistics.ts';
import { drawTests, fallbackAfterMs, fleet, kinds, type FleetTest, type Kind } from './tests.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seed: { type: 'string', default: '1' } },
});
const cli = join(import.meta.dirname, '../../packages/cli/src/main.ts');
const patienceMs = 300_000;
const timeoutMs = 300_000;
const learningRuns = 2;
/** Nothing here is cached: that policy would be one of the others. */
const policies = allPolicies.filter(({ name }) => name !== 'cache-affinity');

/** `standing`: which of the fleets it runs on; the last one is that of the splits, whose workers have names to be told apart by. */
type Arm = { readonly name: string; readonly standing: number; readonly split: 'hash' | 'turns' | null };

const splits = policies.length;
const arms: readonly Arm[] = [
  ...policies.map(({ name }, standing): Arm => ({ name, standing, split: null })),
  { name: 'static split by turns', standing: splits, split: 'turns' },
  { name: 'static split by hash', standing: splits, split: 'hash' },
];

const machine = describeMachine();
printMachine(machine);
const place = mkdtempSync(join(tmpdir(), 'assay-bench-fleet-'));
try {
  const tests = drawTests(Number(values.seed));
  const project = makeProject(tests);
  const lowestMs = (await loadBoundSolver())({
    slots: kinds.map((kind) => fleet.filter((one) => one === kind).length),
    durationsMs: tests.map(({ ms }) => kinds.map((kind) => ms[kind])),
  }).boundMs;
  console.log(
    `${tests.length} tests, ${tests.filter(({ needs }) => needs === 'accelerator').length} of them want an accelerator; ${fleet.length} workers: ${fleet.join(', ')}`,
  );
  console.log(
    `no placement ends before ${(lowestMs / 1_000).toFixed(1)} s (linear-programming bound, start-ups not counted)`,
  );
  const times = new Map(arms.map(({ name }) => [name, [] as number[]]));
  const standing: Standing[] = [];
  try {
    // Each policy has a coordinator and workers of its own, and learns from some runs before it is measured.
    for (let number = 0; number <= splits; number += 1) standing.push(await stand(number));
    for (let run = 0; run < learningRuns; run += 1)
      await Promise.all(
        arms
          .filter(({ split: how }) => how === null)
          .map((arm) => runArm(standing[arm.standing]!, arm, tests, project)),
      );
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      for (const arm of arms) {
        const seconds = await runArm(standing[arm.standing]!, arm, tests, project);
        times.get(arm.name)!.push(seconds);
        console.log(`round ${round}, ${arm.name}: ${seconds.toFixed(1)} s, load ${(loadavg()[0] ?? 0).toFixed(1)}`);
      }
    }
  } finally {
    for (const each of standing) await each.stop();
  }
  report(times, lowestMs);
} finally {
  rmSync(place, { recursive: true, force: true });
}

function report(times: ReadonlyMap<string, readonly number[]>, lowestMs: number): void {
  console.log('');
  const own = median(times.get(arms[0]!.name)!);
  for (const { name } of arms) {
    const all = times.get(name)!;
    const seconds = median(all);
    const beside = name === arms[0]!.name ? '' : `, ${(seconds / own).toFixed(2)} times the default`;
    console.log(
      `${name.padEnd(24)} median ${seconds.toFixed(1).padStart(6)} s, ${((seconds * 1_000) / lowestMs).toFixed(2)} times the bound${beside} (${all.map((one) => one.toFixed(1)).join(', ')})`,
    );
  }
  const isBest = arms.slice(1).every(({ name }) => own < median(times.get(name)!));
  console.log(`the default ends before every other: ${isBest ? 'met' : 'MISSED'}`);
  writeResults('fleet', { machine, lowestMs, times: Object.fromEntries(times) });
}

type Standing = { readonly client: Client; stop(): Promise<void> };

function makeProject(tests: readonly FleetTest[]): string {
  const project = join(place, 'project');
  mkdirSync(project);
  copyFileSync(join(import.meta.dirname, 'case.mjs'), join(project, 'case.mjs'));
  writeFileSync(
    join(project, 'tests.json'),
    JSON.stringify(Object.fromEntries(tests.map(({ target, ms }) => [target, ms]))),
  );
  return project;
}

async function stand(number: number): Promise<Standing> {
  const secret = randomBytes(16).toString('hex');
  const config = policies[number]?.config ?? {};
  const coordinator = await startCoordinator({
    stateDir: join(place, `coordinator-${number}`),
    ownerSecret: secret,
    engine: config,
    log: silentLog,
  });
  const workers = fleet.map((kind, seat) => startWorker(coordinator, secret, number, kind, seat));
  const client = createClient({ url: coordinator.url, token: secret });
  const stop = async (): Promise<void> => {
    await Promise.all(workers.map(ended));
    await coordinator.stop();
  };
  try {
    await until('every worker is there', async () => (await client.listWorkers()).workers.length === fleet.length);
  } catch (error) {
    await stop();
    throw error;
  }
  return { client, stop };
}

function startWorker(
  { url }: RunningCoordinator,
  token: string,
  standing: number,
  kind: Kind,
  seat: number,
): ChildProcess {
  // With names of their own, equal workers would no longer be one class.
  const names = standing === splits ? [`seat=s${seat}`] : [];
  const declared = [`kind=${kind}`, ...names, ...(kind === 'accelerated' ? ['accelerator=declared'] : [])];
  const args = ['worker', '--join', url, '--name', `${kind}-${seat}`, '--slots', '1', '--allow-directories'];
  const state = join(place, `worker-${standing}-${seat}`);
  return spawn(
    process.execPath,
    [cli, ...args, '--no-built-in-checks', '--state', state, ...declared.flatMap((label) => ['--declare', label])],
    { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, ASSAY_TOKEN: token, BENCH_DECLARED_KIND: kind } },
  );
}

/** Seconds from the submission to the settled run. */
async function runArm({ client }: Standing, arm: Arm, tests: readonly FleetTest[], project: string): Promise<number> {
  const { suites, tasks } = arm.split === null ? placed(tests) : split(tests, arm.split);
  const submission: RunSubmission = {
    idempotencyKey: randomBytes(8).toString('hex'),
    run: {
      name: arm.name,
      project: 'fleet',
      priority: 0,
      source: { kind: 'directory', path: project },
      suites,
      failFast: false,
      unplaceable: 'wait',
    },
    tasks,
    sealed: true,
  };
  const beganMs = performance.now();
  const { run } = await client.submitRun(submission);
  await until(`${arm.name} is over`, async () => (await client.readRun(run)).state === 'settled');
  const seconds = (performance.now() - beganMs) / 1_000;
  const view = await client.readRun(run);
  if (view.verdict !== 'passed' || view.tasks.verdicts.passed !== tests.length)
    throw new Error(`${arm.name}: ${JSON.stringify(view.tasks)}`);
  return seconds;
}

type Work = { suites: Suite[]; tasks: Task[] };

function command(): Pick<Suite, 'runner' | 'arguments'> {
  return { runner: 'command', arguments: [process.execPath, 'case.mjs', '{target}'] };
}

/** What the engine is given to place: two suites, of which one wants an accelerator and waits for it a while. */
function placed(tests: readonly FleetTest[]): Work {
  const wants = 'has(declared.accelerator)';
  const suites = [
    suiteOf({ ...command(), name: 'plain', timeoutMs }),
    suiteOf({
      ...command(),
      name: 'accelerated',
      timeoutMs,
      requires: wants,
      alternatives: [{ requires: '', afterMs: fallbackAfterMs }],
    }),
  ];
  return { suites, tasks: tests.map(({ target, needs }) => ({ suite: needs === 'nothing' ? 0 : 1, target })) };
}

/** Each test tied to a seat by its name alone; one that wants an accelerator, to a seat that has one. */
function split(tests: readonly FleetTest[], how: 'hash' | 'turns'): Work {
  const suites = fleet.map((_, seat) =>
    suiteOf({
      ...command(),
      name: `seat ${seat}`,
      requires: `declared.seat == "s${seat}"`,
    }),
  );
  const turns = new Map<string, number>();
  const tasks = tests.map(({ target, needs }) => {
    const seats = [...fleet.keys()].filter((seat) => needs === 'nothing' || fleet[seat] === 'accelerated');
    const turn = turns.get(needs) ?? 0;
    turns.set(needs, turn + 1);
    return { suite: seats[(how === 'hash' ? hashOf(target) : turn) % seats.length]!, target };
  });
  return { suites, tasks };
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1_000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
