// How the engine's cost grows: placement with many workers, profiles, tasks and distinct requirements; CPU a task at high
// rate; memory of a queued task and of an idle worker. Run: node --expose-gc bench/scale/main.ts
// Everything is measured in this process, on the production engine through its one door; nothing is journalled or sent.
// Costs are CPU time of the one thread, so that a busy machine does not change them much; the worst step is wall time.
import { createEngine, engineDefaults } from '../../packages/core/src/index.ts';
import type { Event, Input } from '../../packages/core/src/index.ts';
import type {
  AttemptRef,
  Profile,
  Report,
  RunId,
  RunSpec,
  SessionId,
  Suite,
  Task,
  TaskId,
  WorkerId,
} from '../../packages/protocol/src/index.ts';

const workers = 10_000;
const profiles = 40;
const tasks = 100_000;
const requirements = 200;

function profile(number: number): Profile {
  return {
    os: { family: 'linux', arch: number % 4 === 0 ? 'arm64' : 'x64', name: 'debian', version: '12', kernel: '6.1.0' },
    cpu: {
      count: 4 + (number % 8),
      model: `Model ${number}`,
      isa: Array.from({ length: 60 }, (_, index) => `flag${index + number}`),
    },
    memory: { totalMiB: 1024 * (1 + number), limitMiB: 1024 * (1 + number) },
    gpus:
      number % 3 === 0
        ? [{ vendor: 'nvidia', model: `GPU ${number}`, memoryMiB: 1024 * number, via: 'nvidia-smi' }]
        : [],
    runtimes: Object.fromEntries(
      ['node', 'python', 'java', 'go'].map((name) => [
        name,
        { version: '1.2.3', major: 1, minor: 2, path: `/usr/bin/${name}` },
      ]),
    ),
    runners: {},
    browsers: [{ name: 'chromium', version: '156', major: 156 }],
    drivers: {},
    unknown: [],
  };
}

function hello(number: number, slots = 1): Input {
  const kind = number % profiles;
  return {
    kind: 'workerConnected',
    worker: `w-${String(number).padStart(6, '0')}` as WorkerId,
    session: `s-${number}` as SessionId,
    token: 'token',
    incarnation: `i-${number}`,
    name: `machine ${number}`,
    pool: 'default',
    slots,
    agentVersion: '0.1.0',
    // A fresh object for each, as it comes off the wire: sharing them is the engine's task.
    profile: structuredClone(profile(kind)),
    profileDigest: `digest-${kind}`.padEnd(64, '0'),
    declared: { lab: 'north' },
    held: [],
    nextReportSeq: 0,
    isDraining: false,
  };
}

function suite(change: Partial<Suite>): Suite {
  return {
    name: 'suite',
    runner: 'vitest',
    directory: '',
    arguments: [],
    env: {},
    secrets: [],
    timeoutMs: 60_000,
    noOutputTimeoutMs: 0,
    requires: '',
    retries: 0,
    batching: 'single',
    ...change,
  };
}

function submission(run: string, suites: Suite[], list: Task[], sealed = true): Input {
  const spec: RunSpec = {
    name: run,
    project: 'bench',
    priority: 0,
    source: { kind: 'directory', path: '/project' },
    suites,
    failFast: false,
    unplaceable: 'wait',
  };
  return {
    kind: 'submitRun',
    run: run as RunId,
    submitter: 'bench',
    idempotencyKey: `key-${run}`,
    contentDigest: 'digest',
    spec,
    tasks: list,
    sealed,
  };
}

/** Distinct requirements that each fit some of the profiles. */
function requirement(number: number): string {
  return `memory.totalMiB >= ${1024 * (number % profiles)} && cpu.count >= ${1 + (number % 5)} && "flag${number}" != ""`;
}

function finishAll(events: readonly Event[], seqs: Map<string, number>, outcomeCostMs: number): Input[] {
  const byWorker = new Map<string, { session: SessionId; reports: Report[] }>();
  for (const event of events) {
    if (event.kind !== 'tasksAssigned') continue;
    const entry = byWorker.get(event.worker) ?? { session: event.session, reports: [] };
    byWorker.set(event.worker, entry);
    for (const { index, attempt } of event.tasks) {
      const seq = (seqs.get(event.worker) ?? 0) + 1;
      seqs.set(event.worker, seq);
      const ref: AttemptRef = { task: `${event.run}.${index}` as TaskId, attempt };
      const counts = { passed: 1, failed: 0, skipped: 0, todo: 0 };
      entry.reports.push({
        kind: 'finished',
        seq,
        ...ref,
        outcome: { verdict: 'passed', counts, casesReported: 0, startedAtMs: 0, endedAtMs: 0, costMs: outcomeCostMs },
      });
    }
  }
  return [...byWorker].map(([worker, { session, reports }]) => ({
    kind: 'workerReported',
    worker: worker as WorkerId,
    session,
    reports,
  }));
}

function us(ms: number, count: number): string {
  return `${((ms * 1000) / count).toFixed(2)} us`;
}

function heapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

/** CPU time of this thread, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function line(name: string, value: string): void {
  console.log(`${name.padEnd(86)} ${value}`);
}

/** Fills an idle fleet, then keeps it full: what a placement costs at each distance. */
function placement(
  workerCount: number,
  taskCount: number,
  requirementCount: number,
  batching: 'single' | 'shared',
): void {
  const engine = createEngine(engineDefaults);
  let nowMs = 1_000;
  for (let number = 0; number < workerCount; number += 1) engine.step(hello(number), nowMs);
  const suites = Array.from({ length: requirementCount }, (_, number) =>
    suite({ name: `suite ${number}`, requires: requirement(number), batching }),
  );
  const list = Array.from({ length: taskCount }, (_, index) => ({
    suite: index % requirementCount,
    target: `test/unit/some-folder/file-${index}.test.ts`,
    expectedMs: 100 + ((index * 7919) % 5_000),
  }));
  let pending: Input[] = [];
  const seqs = new Map<string, number>();
  const label = `${workerCount} workers, ${profiles} profiles, ${taskCount} tasks, ${requirementCount} requirements, ${batching}`;
  const begunMs = cpuMs();
  const first = engine.step(submission('r-1', suites, list), nowMs);
  const fillMs = cpuMs() - begunMs;
  const filled = first.events.filter(({ kind }) => kind === 'tasksAssigned').length;
  line(`fill: ${label}`, `${us(fillMs, filled)} a placement (${filled}, with queueing ${taskCount} tasks)`);
  pending = finishAll(first.events, seqs, 100);
  let placements = 0;
  let settled = 0;
  let worst = 0;
  const steadyMs = cpuMs();
  for (let at = 0; at < pending.length && settled < 50_000; at += 1) {
    nowMs += 1;
    const before = performance.now();
    const { events } = engine.step(pending[at] as Input, nowMs);
    worst = Math.max(worst, performance.now() - before);
    for (const { kind } of events) {
      if (kind === 'tasksAssigned') placements += 1;
      if (kind === 'taskSettled') settled += 1;
    }
    for (const next of finishAll(events, seqs, 100)) pending.push(next);
  }
  const tookMs = cpuMs() - steadyMs;
  line(
    `steady: ${label}`,
    `${us(tookMs, placements)} a placement, ${us(tookMs, settled)} a settled task, worst step ${worst.toFixed(2)} ms`,
  );
}

/** Queue, assign and settle no-op tasks on a few workers with many slots. */
function rate(slots: number): void {
  const engine = createEngine(engineDefaults);
  for (let number = 0; number < 4; number += 1)
    engine.step(
      { ...hello(0, slots), worker: `w-${number}` as WorkerId, session: `s-${number}` as SessionId } as Input,
      1_000,
    );
  const chunk = 5_000;
  const begunMs = cpuMs();
  const seqs = new Map<string, number>();
  let settled = 0;
  let nowMs = 1_000;
  const pending: Input[] = [];
  const take = (input: Input): void => {
    nowMs += 1;
    const { events } = engine.step(input, nowMs);
    for (const { kind } of events) if (kind === 'taskSettled') settled += 1;
    for (const next of finishAll(events, seqs, 0)) pending.push(next);
  };
  for (let chunkNumber = 0; chunkNumber * chunk < tasks; chunkNumber += 1) {
    const list = Array.from({ length: chunk }, (_, index) => ({ suite: 0, target: `t${chunkNumber * chunk + index}` }));
    const sealed = (chunkNumber + 1) * chunk >= tasks;
    take(
      chunkNumber === 0
        ? submission('r-1', [suite({ runner: 'command' })], list, sealed)
        : { kind: 'addTasks', run: 'r-1' as RunId, chunk: chunkNumber, tasks: list, sealed },
    );
  }
  for (let at = 0; at < pending.length; at += 1) take(pending[at] as Input);
  line(
    `no-op tasks: ${tasks}, 4 workers x ${slots} slots, one task an assignment`,
    `${us(cpuMs() - begunMs, settled)} a task queued, assigned and settled`,
  );
}

function memory(): void {
  const engine = createEngine(engineDefaults);
  const before = heapBytes();
  for (let number = 0; number < workers; number += 1) engine.step(hello(number), 1_000);
  const withWorkers = heapBytes();
  line(
    `memory of an idle worker (${workers} of ${profiles} profiles)`,
    `${((withWorkers - before) / workers / 1024).toFixed(2)} KiB`,
  );
  const idle = createEngine(engineDefaults);
  const beforeTasks = heapBytes();
  for (let chunk = 0; chunk < tasks / 5_000; chunk += 1) {
    const text = JSON.stringify(
      Array.from({ length: 5_000 }, (_, index) => ({
        suite: 0,
        target: `packages/some-package/src/some-folder/some-file-${chunk * 5_000 + index}.test.ts`,
      })),
    );
    const list = JSON.parse(text) as Task[];
    idle.step(
      chunk === 0
        ? submission('r-1', [suite({})], list, false)
        : { kind: 'addTasks', run: 'r-1' as RunId, chunk, tasks: list, sealed: false },
      1_000,
    );
  }
  const withTasks = heapBytes();
  line(`memory of a queued task (${tasks})`, `${((withTasks - beforeTasks) / tasks / 1024).toFixed(2)} KiB`);
  if ((globalThis as { gc?: () => void }).gc === undefined) line('(run with --expose-gc for exact memory)', '');
  void idle.state.seq;
  void engine.state.seq;
}

memory();
rate(50);
rate(500);
placement(1_000, 10_000, 20, 'single');
placement(workers, tasks, requirements, 'single');
placement(workers, tasks, requirements, 'shared');
placement(workers, tasks, 20, 'single');
placement(1_000, tasks, requirements, 'single');
