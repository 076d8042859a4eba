// What becomes of a host that waits for the next batch when its agent goes: by request, by force, or killed. Real processes.
import { readdir, readlink } from 'node:fs/promises';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assign } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, suite, TestBench } from '../agent-test-bench.ts';
import type { AgentChild } from '../agent-test-bench.ts';
import { ScriptedCoordinator } from '../link/scripted-coordinator.ts';

let bench: TestBench;
let coordinator: ScriptedCoordinator;

beforeEach(async () => {
  bench = new TestBench();
  coordinator = await ScriptedCoordinator.start();
});

afterEach(async () => {
  await bench.clean();
  await coordinator.stop();
});

/** An agent whose one batch is over, with the hosts that wait in it. */
async function withWaitingHost(): Promise<{ agent: AgentChild; hosts: number[] }> {
  mkdirSync(join(bench.project, 'test'), { recursive: true });
  writeFileSync(join(bench.project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(bench.project, 'test/a.test.js'), "import test from 'node:test'; test('passes', () => {});");
  const agent = bench.spawn(bench.options(coordinator, { slots: 1 }));
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  const { tasks, ...rest } = bench.assignment({ a: '' });
  coordinator.send([
    {
      ...rest,
      suite: { ...suite, name: 'node', runner: 'node:test', arguments: [] },
      tasks: tasks.map((task) => ({ ...task, target: 'test/a.test.js' })),
    } as Assign,
  ]);
  await coordinator.until('its file is through', () => coordinator.reportsOf('finished').length === 1);
  expect(coordinator.reportsOf('finished')[0]?.outcome.verdict).toBe('passed');
  const hosts = await inTheProject();
  // Without it the test would show nothing: there has to be one that waits.
  expect(hosts.length).toBeGreaterThan(0);
  return { agent, hosts };
}

/** Processes that work in the project of this bench (Linux): hosts, and what they started. */
async function inTheProject(): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const directory = await readlink(`/proc/${name}/cwd`).catch(() => '');
    if (directory === bench.project && isAlive(Number(name))) found.push(Number(name));
  }
  return found;
}

// The hosts are found in /proc: without it nothing could be shown.
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux.each([
  ['drained', 'SIGTERM', 1],
  ['asked twice to end', 'SIGTERM', 2],
  ['killed', 'SIGKILL', 1],
] as const)('an agent that is %s while a host waits leaves no process behind', async (_how, signal, times) => {
  const { agent, hosts } = await withWaitingHost();
  for (let time = 0; time < times; time += 1) agent.child.kill(signal);
  await agent.exited;
  // One that ends in order has seen to it before; whom a killed one left ends as soon as nobody is there to tell it what to do.
  if (signal === 'SIGTERM') expect(hosts.filter(isAlive)).toEqual([]);
  await expect.poll(async () => inTheProject(), { timeout: 10_000 }).toEqual([]);
});
