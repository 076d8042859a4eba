// How the engine's cost grows, and what one coordinator carries.
//   npm run bench -- scale            placement by workers, tasks and requirements; no-op tasks; memory
//   npm run bench -- scale placement  placement alone
//   npm run bench -- scale carry [workers] [tasks]
//                                     10,000 worker sessions and a million tasks in one run through a real coordinator (carry.ts)
// For exact memory: node --expose-gc bench/scale/main.ts
import { createEngine, engineDefaults, type Input } from '../../packages/core/src/index.ts';
import { suiteOf } from '../../packages/core/src/testing/specs.ts';
import type { RunId, SessionId, Task, WorkerId } from '../../packages/protocol/src/index.ts';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { carry } from './carry.ts';
import { finishAll, hello, profiles, submission } from './fleet.ts';
import { cpuMs, measurePlacement, type PlacementCase, type PlacementFigures } from './placement.ts';

const workers = 10_000;
const tasks = 100_000;
const chunkTasks = 5_000;
const goalUs = 50;

function line(name: string, value: string): void {
  console.log(`${name.padEnd(72)} ${value}`);
}

/** Queue, assign and settle no-op tasks on a few workers with many slots. */
function rate(slots: number): void {
  const engine = createEngine(engineDefaults);
  for (let number = 0; number < 4; number += 1)
    engine.step({ ...hello(0, slots), worker: `w-${number}` as WorkerId, session: `s-${number}` as SessionId }, 1_000);
  const begunMs = cpuMs();
  const seqs = new Map<string, number>();
  let settled = 0;
  let nowMs = 1_000;
  const pending: Input[] = [];
  const take = (input: Input): void => {
    nowMs += 1;
    const { events } = engine.step(input, nowMs);
    for (const { kind } of events) if (kind === 'taskSettled') settled += 1;
    for (const next of finishAll(events, seqs, () => 0)) pending.push(next);
  };
  for (let chunk = 0; chunk * chunkTasks < tasks; chunk += 1) {
    const list = Array.from({ length: chunkTasks }, (_, index) => ({
      suite: 0,
      target: `t${chunk * chunkTasks + index}`,
    }));
    const sealed = (chunk + 1) * chunkTasks >= tasks;
    take(
      chunk === 0
        ? submission('r-1', [suiteOf({ runner: 'command' })], list, { sealed })
        : { kind: 'addTasks', run: 'r-1' as RunId, chunk, tasks: list, sealed },
    );
  }
  for (let at = 0; at < pending.length; at += 1) take(pending[at]!);
  const usEach = ((cpuMs() - begunMs) * 1_000) / settled;
  line(
    `no-op tasks: ${tasks}, 4 workers x ${slots} slots, one task an assignment`,
    `${usEach.toFixed(2)} us a task queued, assigned and settled`,
  );
}

function memory(): void {
  const engine = createEngine(engineDefaults);
  const before = heapBytes();
  for (let number = 0; number < workers; number += 1) engine.step(hello(number), 1_000);
  const each = (bytes: number, count: number): string => `${(bytes / count / 1024).toFixed(2)} KiB`;
  line(`memory of an idle worker (${workers} of ${profiles} profiles)`, each(heapBytes() - before, workers));
  const idle = createEngine(engineDefaults);
  const beforeTasks = heapBytes();
  for (let chunk = 0; chunk < tasks / chunkTasks; chunk += 1) {
    const text = JSON.stringify(
      Array.from({ length: chunkTasks }, (_, index) => ({
        suite: 0,
        target: `packages/some-package/src/some-folder/some-file-${chunk * chunkTasks + index}.test.ts`,
      })),
    );
    const list = JSON.parse(text) as Task[];
    idle.step(
      chunk === 0
        ? submission('r-1', [suiteOf()], list, { sealed: false })
        : { kind: 'addTasks', run: 'r-1' as RunId, chunk, tasks: list, sealed: false },
      1_000,
    );
  }
  line(`memory of a queued task (${tasks})`, each(heapBytes() - beforeTasks, tasks));
  if ((globalThis as { gc?: () => void }).gc === undefined) line('(run with --expose-gc for exact memory)', '');
  void idle.state.seq;
  void engine.state.seq;
}

function heapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

const full = { workers, tasks, requirements: 200, batching: 'single', isFull: true } as const;
const cases: readonly PlacementCase[] = [
  { ...full, workers: 1_000, tasks: 10_000, requirements: 20, isFull: false },
  { ...full, isFull: false },
  { ...full, batching: 'shared', isFull: false },
  // Growth, with everything on: by workers, by tasks, by requirements.
  { ...full, workers: 100 },
  { ...full, workers: 1_000 },
  full,
  { ...full, tasks: 20_000 },
  { ...full, tasks: 400_000 },
  { ...full, requirements: 20 },
  { ...full, requirements: 400 },
  { ...full, batching: 'shared' },
  { ...full, isLate: true },
];

function placements(): PlacementFigures[] {
  console.log(
    '\nplacement                                        µs each: fill  steady   step p50     p99   worst step',
  );
  const figures = cases.map((of) => {
    const figure = measurePlacement(of);
    const name = `${of.workers} workers, ${of.tasks} tasks, ${of.requirements} requirements, ${of.batching}${of.isFull ? ', all on' : ''}${of.isLate === true ? ', late' : ''}`;
    const cells = [figure.fillUs, figure.steadyUs, figure.p50Us, figure.p99Us].map((us) => us.toFixed(1).padStart(8));
    console.log(`${name.padEnd(66)}${cells.join('')}   ${figure.worstMs.toFixed(2)} ms`);
    return figure;
  });
  const worst = Math.max(
    ...figures.filter((figure) => figure.workers === workers && figure.isLate !== true).map(({ steadyUs }) => steadyUs),
  );
  line(
    `\nworst of ${workers} workers`,
    `${worst.toFixed(1)} µs, goal ${goalUs} µs: ${worst < goalUs ? 'met' : 'MISSED'}`,
  );
  return figures;
}

const machine = describeMachine();
printMachine(machine);
if (process.argv[2] === 'carry') {
  writeResults('scale-carry', {
    machine,
    ...(await carry(Number(process.argv[3] ?? 10_000), Number(process.argv[4] ?? 1_000_000))),
  });
} else {
  if (process.argv[2] !== 'placement') {
    memory();
    rate(50);
    rate(500);
  }
  writeResults('scale', { machine, placements: placements() });
}
