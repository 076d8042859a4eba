// A real agent in this process against a real server: commands are really run, links are really cut.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Assign, Suite } from '@assay/protocol';
import { startAgent } from './index.ts';
import type { Agent, AgentOptions } from './index.ts';
import { ScriptedCoordinator } from './link/scripted-coordinator.ts';

let home: string;
let coordinator: ScriptedCoordinator;
const agents: Agent[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'assay-agent-'));
  mkdirSync(join(home, 'project'));
  coordinator = await ScriptedCoordinator.start();
});

afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.kill('the test is over');
    await agent.done;
  }
  await coordinator.stop();
  rmSync(home, { recursive: true, force: true });
});

async function start(options: Partial<AgentOptions> = {}): Promise<Agent> {
  const agent = await startAgent({
    url: coordinator.url,
    token: coordinator.token,
    stateDir: join(home, 'state'),
    slots: 2,
    allowDirectories: true,
    say: (level, text) => process.env.ASSAY_TEST_NOTES && console.error(level, text),
    ...options,
  });
  agents.push(agent);
  return agent;
}

const suite: Suite = {
  name: 'shell',
  runner: 'command',
  directory: '',
  arguments: ['sh', '{target}'],
  env: {},
  secrets: [],
  timeoutMs: 60_000,
  noOutputTimeoutMs: 0,
  requires: '',
  retries: 0,
  batching: 'shared',
};

let assignments = 0;
/** An assignment of shell scripts, written into the project under the name of their task. */
function assignment(scripts: Record<string, string>, change: Partial<Assign> = {}): Assign {
  assignments += 1;
  for (const [name, script] of Object.entries(scripts)) writeFileSync(join(home, 'project', `${name}.sh`), script);
  const tasks = Object.keys(scripts).map((name, index) => ({
    task: `r-${assignments}.${index}`,
    attempt: 1,
    target: `${name}.sh`,
    expectedMs: 10,
  }));
  return {
    kind: 'assign',
    assignment: `a-${assignments}`,
    run: `r-${assignments}`,
    source: { kind: 'directory', path: join(home, 'project') },
    suite,
    tasks,
    ...change,
  } as unknown as Assign;
}

test('a batch is run, and its cases, verdicts and output reach the coordinator in order', async () => {
  await start();
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  const assign = assignment({ good: 'echo fine', bad: 'echo broken >&2; exit 3' });
  coordinator.send([assign]);
  await coordinator.until('both finished', () => coordinator.reportsOf('finished').length === 2);
  expect(coordinator.reportsOf('finished').map((report) => [report.task, report.outcome.verdict])).toEqual([
    [assign.tasks[0]!.task, 'passed'],
    [assign.tasks[1]!.task, 'failed'],
  ]);
  expect(coordinator.reportsOf('started')).toHaveLength(2);
  expect(coordinator.reportsOf('cases').flatMap((report) => report.cases)).toHaveLength(2);
  const seqs = coordinator.reports.map((report) => report.seq);
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  const blob = coordinator.reportsOf('finished')[1]!.outcome.blobs?.find((one) => one.name === 'stderr.log');
  expect(coordinator.blobs.get(blob!.digest)?.toString()).toContain('broken');
  expect(readdirSync(join(home, 'state', 'outbox'))).toEqual([]);
  await coordinator.until('live output', () =>
    coordinator.others.some((message) => message.kind === 'output' && message.text.includes('fine')),
  );
  expect(coordinator.violations).toEqual([]);
});

test('what finishes while the link is cut is delivered once after it is back', async () => {
  await start();
  await coordinator.until('hello', () => coordinator.hellos.length === 1);
  const go = join(home, 'go');
  coordinator.send([assignment({ waits: `until test -e ${go}; do sleep 0.05; done; echo done` })]);
  await coordinator.until('started', () => coordinator.reportsOf('started').length === 1);
  coordinator.cut();
  await coordinator.until('cut', () => !coordinator.isLinked);
  writeFileSync(go, '');
  await coordinator.until('hello again', () => coordinator.hellos.length >= 2);
  expect(coordinator.hellos[1]!.held).toHaveLength(1);
  await coordinator.until('finished', () => coordinator.reportsOf('finished').length === 1);
  expect(coordinator.reportsOf('finished')[0]!.outcome.verdict).toBe('passed');
  expect(coordinator.violations).toEqual([]);
});
