// A real agent against a real server: checks that really run, processes that are really ended, hooks that really do something.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkerSettings } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, suite, TestBench } from './agent-test-bench.ts';
import { startAgent } from './index.ts';
import type { Agent, AgentOptions } from './index.ts';
import { ScriptedCoordinator } from './link/scripted-coordinator.ts';

let bench: TestBench;
let coordinator: ScriptedCoordinator;
const agents: Agent[] = [];

beforeEach(async () => {
  bench = new TestBench();
  coordinator = await ScriptedCoordinator.start();
});
afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.kill('the test is over');
    await agent.done;
  }
  await coordinator.stop();
  await bench.clean();
});

const hasNoBrowser = ['chromium', 'chromedriver'].some((name) => spawnSync(name, ['--version']).status !== 0);
if (hasNoBrowser) {
  const why = 'chromium and chromedriver are not installed (apt-get install chromium chromium-driver)';
  if (process.env['ASSAY_REQUIRE_ALL'] === '1') throw new Error(why);
  console.error(`SKIPPED: ${why}`);
}

const settings = (given: object): WorkerSettings => WorkerSettings.parse({ builtIn: [], ...given });
const checked = () => coordinator.reportsOf('checked').map(({ check, outcome }) => `${check} ${outcome}`);
const recovered = () => coordinator.reportsOf('recovered');

async function start(options: Partial<AgentOptions> = {}): Promise<Agent> {
  const agent = await startAgent(bench.options(coordinator, options));
  agents.push(agent);
  await coordinator.until('hello', () => coordinator.isLinked && coordinator.hellos.length > 0);
  return agent;
}

/** A check that fails while a file of this name is in the home. */
function breakable(name: string, more: object = {}): object {
  return { name, command: ['test', '!', '-e', join(bench.home, `${name}.broken`)], ...more };
}
const breakIt = (name: string): void => writeFileSync(join(bench.home, `${name}.broken`), '');
const mendIt = (name: string): void => rmSync(join(bench.home, `${name}.broken`));

test('checks run at the start and from time to time, and are reported when they are news', async () => {
  const checks = [breakable('rig', { device: 'rig', everyMs: 30 })];
  await start({ soundness: settings({ checks }) });
  await coordinator.until('the first result', () => checked().length === 1);
  breakIt('rig');
  await coordinator.until('it fails', () => checked().length === 2);
  mendIt('rig');
  await coordinator.until('it passes again', () => checked().length === 3);
  expect(checked()).toEqual(['rig passed', 'rig failed', 'rig passed']);
  expect(coordinator.reportsOf('checked')[1]).toMatchObject({ device: 'rig', evidence: { exitCode: '1' } });
});

test('the built-in checks of a worker pass here, and a certification of it says so', async () => {
  await start({ soundness: WorkerSettings.parse({}) });
  coordinator.send([{ kind: 'certify', request: 1 }]);
  await coordinator.until('certified', () => coordinator.reportsOf('certified').length === 1, 60_000);
  expect(coordinator.reportsOf('certified')[0]).toMatchObject({
    request: 1,
    outcome: 'passed',
    message: expect.stringMatching(/cpu.*memory.*disk/) as string,
  });
}, 90_000);

test('what no check is for cannot be certified', async () => {
  await start({ soundness: settings({}) });
  coordinator.send([{ kind: 'certify', request: 7, device: 'gpu:3' }]);
  await coordinator.until('answered', () => coordinator.reportsOf('certified').length === 1);
  expect(coordinator.reportsOf('certified')[0]).toMatchObject({
    outcome: 'notRun',
    message: 'there is no check of gpu:3',
  });
});

test("checks of the fleet come with the welcome; the worker's own of the same name go before them", async () => {
  const own = { name: 'same', command: ['true'] };
  coordinator.options.welcome = {
    checks: [
      { name: 'same', command: ['false'], timeoutMs: 1_000, everyMs: 0 },
      { name: 'other', command: ['false'], timeoutMs: 1_000, everyMs: 0 },
    ],
  };
  await start({ soundness: settings({ checks: [own] }) });
  await coordinator.until('both ran', () => checked().length === 2);
  expect(checked().toSorted()).toEqual(['other failed', 'same passed']);
});

test('a certification that needs the machine for itself waits until nothing runs', async () => {
  await start({ soundness: settings({ checks: [{ name: 'quiet', command: ['true'], everyMs: 0 }] }) });
  await coordinator.until('the first result', () => checked().length === 1);
  coordinator.send([bench.assignment({ busy: bench.waiting('busy') })]);
  await coordinator.until('it runs', () => bench.isUp('busy'));
  coordinator.send([{ kind: 'certify', request: 1 }]);
  // The answer to another request, which needs nothing, comes first.
  coordinator.send([{ kind: 'certify', request: 2, device: 'nothing' }]);
  await coordinator.until('one answer', () => coordinator.reportsOf('certified').length > 0);
  expect(coordinator.reportsOf('certified').map(({ request }) => request)).toEqual([2]);
  bench.release('busy');
  await coordinator.until('both answers', () => coordinator.reportsOf('certified').length === 2);
  expect(coordinator.reportsOf('certified')[1]).toMatchObject({ request: 1, outcome: 'passed' });
});

test('the step runner ends a real runner that ignores being asked, and what it started; the attempt is repeated', async () => {
  await start();
  const pids = join(bench.home, 'pids');
  const stubborn = `trap '' TERM; sleep 300 & echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}; while :; do sleep 1; done`;
  coordinator.send([bench.assignment({ stubborn, other: bench.waiting('other') }, {})]);
  await coordinator.until('it runs', () => existsSync(pids));
  const [shell, sleeper] = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
  const attempts = [coordinator.reportsOf('started')[0]!].map(({ task, attempt }) => ({ task, attempt }));
  coordinator.send([{ kind: 'recover', request: 1, rung: 'runner', attempts, reason: 'it hangs' }]);
  await coordinator.until('recovered', () => recovered().length === 1);
  expect(recovered()[0]).toMatchObject({ request: 1, rung: 'runner', outcome: 'done', evidence: { attempts: '1' } });
  expect(recovered()[0]!.durationMs).toBeGreaterThan(0);
  expect([isAlive(shell!), isAlive(sleeper!)]).toEqual([false, false]);
  await coordinator.until('its end is told', () => coordinator.reportsOf('finished').length === 1);
  expect(coordinator.reportsOf('finished')[0]!.outcome).toMatchObject({
    verdict: 'errored',
    failure: { class: 'infrastructure', code: 'RUNNER_KILLED' },
  });
  bench.release('other');
}, 40_000);

test('asked to end only what is past its time-out, the worker looks at its own clock and ends nothing that is in time', async () => {
  await start();
  coordinator.send([bench.assignment({ sound: bench.waiting('sound') })]);
  // The file is up before its worker's report of that has crossed the link: both are waited for.
  await coordinator.until('it runs', () => bench.isUp('sound') && coordinator.reportsOf('started').length === 1);
  const attempts = [coordinator.reportsOf('started')[0]!].map(({ task, attempt }) => ({ task, attempt }));
  const about = { kind: 'recover', rung: 'runner', attempts, reason: 'it is late', onlyPastTimeout: true } as const;
  coordinator.send([{ ...about, request: 1 }]);
  await coordinator.until('answered', () => recovered().length === 1);
  expect(recovered()[0]).toMatchObject({ outcome: 'notApplicable' });
  bench.release('sound');
  await coordinator.until('finished', () => coordinator.reportsOf('finished').length === 1);
  expect(coordinator.reportsOf('finished')[0]!.outcome.verdict).toBe('passed');
});

test('a hook really does something, is told what for, and one that fails or hangs is not called done', async () => {
  const trace = join(bench.home, 'trace');
  const script = `echo "$ASSAY_RECOVERY_DEVICE: $ASSAY_RECOVERY_REASON" > ${trace}`;
  const hooks = { reboot: { command: ['sh', '-c', script] }, power: { command: ['sleep', '60'], timeoutMs: 200 } };
  await start({ soundness: settings({ hooks }) });
  const about = { device: 'gpu:0', attempts: [], reason: 'it is stuck' };
  coordinator.send([
    { kind: 'recover', request: 1, rung: 'rebootHook', ...about },
    { kind: 'recover', request: 2, rung: 'powerHook', ...about },
  ]);
  await coordinator.until('both answered', () => recovered().length === 2);
  expect(readFileSync(trace, 'utf8')).toBe('gpu:0: it is stuck\n');
  expect(recovered().map(({ rung, outcome }) => `${rung} ${outcome}`)).toEqual(['rebootHook done', 'powerHook failed']);
  expect(recovered()[1]!.evidence.message).toBe('not over within 200 ms');
});

test('steps that this worker does not have are not applicable, and never done', async () => {
  await start();
  const rungs = ['page', 'browser', 'gpuProcess', 'agent', 'rebootHook', 'powerHook'] as const;
  coordinator.send(
    rungs.map((rung, index) => ({ kind: 'recover', request: index + 1, rung, attempts: [], reason: 'trouble' })),
  );
  await coordinator.until('all answered', () => recovered().length === rungs.length);
  expect(recovered().map(({ outcome }) => outcome)).toEqual(rungs.map(() => 'notApplicable'));
  expect(coordinator.violations).toEqual([]);
});

// Without Chromium there is nothing to repair; the lines above say so, and fail under ASSAY_REQUIRE_ALL.
test.skipIf(hasNoBrowser)(
  'the steps of a browser are taken on the one that a page test left, and on no other device',
  async () => {
    await start();
    const target = 'one.browser.test.js';
    writeFileSync(join(bench.project, target), "import { test } from 'assay/page';\ntest('is there', () => {});\n");
    const web = { ...suite, name: 'web', runner: 'browser' as const, arguments: [] };
    const tasks = [{ task: 'r-1.0', attempt: 1, target, expectedMs: 10 }] as never;
    coordinator.send([bench.assignment({}, { suite: web, tasks })]);
    await coordinator.until('finished', () => coordinator.reportsOf('finished').length === 1, 120_000);
    expect(coordinator.reportsOf('finished')[0]!.outcome.verdict).toBe('passed');
    const steps = [
      ['page', 'rig'],
      ['page', 'browser'],
      ['gpuProcess', 'gpu:0'],
      ['browser', undefined],
      ['page', undefined],
    ] as const;
    coordinator.send(
      steps.map(([rung, device], index) => ({
        ...{ kind: 'recover', request: index + 1, rung, attempts: [], reason: 'trouble' },
        ...(device === undefined ? {} : { device }),
      })),
    );
    await coordinator.until('all answered', () => recovered().length === steps.length, 60_000);
    const said = recovered().map(({ rung, outcome, evidence }) => [
      rung,
      outcome,
      evidence['renewed'],
      evidence['ended'],
    ]);
    expect(said).toEqual([
      ['page', 'notApplicable', undefined, undefined],
      ['page', 'done', '1', '0'],
      ['gpuProcess', 'done', '1', '0'],
      ['browser', 'done', '0', '1'],
      ['page', 'notApplicable', undefined, undefined],
    ]);
    for (const { outcome, durationMs } of recovered()) if (outcome === 'done') expect(durationMs).toBeGreaterThan(0);
    expect(coordinator.violations).toEqual([]);
  },
  180_000,
);

test('the step agent finishes what runs, leaves in order to be started anew, and the next incarnation reports it', async () => {
  const agent = await start({ canRestart: true });
  coordinator.send([bench.assignment({ last: bench.waiting('last') })]);
  await coordinator.until('it runs', () => bench.isUp('last'));
  coordinator.send([{ kind: 'recover', request: 9, rung: 'agent', device: 'gpu:0', attempts: [], reason: 'stuck' }]);
  await coordinator.until('it drains', () => coordinator.reportsOf('draining').length === 1);
  bench.release('last');
  expect(await agent.done).toMatchObject({ error: null, isRestart: true });
  expect(coordinator.reportsOf('finished')[0]!.outcome.verdict).toBe('passed');
  expect(recovered()).toEqual([]);
  await start({ canRestart: true });
  await coordinator.until('told', () => recovered().length === 1);
  expect(recovered()[0]).toMatchObject({ request: 9, rung: 'agent', device: 'gpu:0', outcome: 'done' });
  expect(existsSync(join(bench.home, 'state', 'recovery.json'))).toBe(false);
});
