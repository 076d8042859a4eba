// A drill from its plan to its verdict: a fleet of real processes is started, work is submitted, one fault after another is made and
// taken back, everything is stopped, and then the journal and the machine are asked what happened.
// What always holds: whatever was started or changed is taken back, also when something fails and when the drill is aborted.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJournalFiles } from '@assay/coordinator/journal-files';
import { runChecks, verdictOf, type DrillVerdict } from './checks/all.ts';
import type { CheckResult, Evidence } from './checks/check.ts';
import type { World } from './faults/fault.ts';
import { readHistory } from './history.ts';
import { findLeftovers } from './leftovers.ts';
import type { Plan } from './plan.ts';
import { randomOf } from './random.ts';
import { performStep } from './stages/perform-step.ts';
import type { StepRecord } from './stages/record.ts';
import { storedCases } from './stages/stored-cases.ts';
import { serviceName } from './stages/watch-effect.ts';
import { UndoStack } from './undo.ts';
import { type AssayProgram, DrillFleet } from './world/fleet.ts';
import { DependencyService } from './world/service.ts';
import { DrillWork } from './world/work.ts';

export type DrillOptions = {
  readonly plan: Plan;
  /** The command line that is drilled. */
  readonly program: AssayProgram;
  readonly outputDir: string;
  /** Aborted by Ctrl-C: what was done is taken back, and the drill ends with an error. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Set in the coordinator's process: how the drill's own tests start a broken one. */
  readonly coordinatorEnv?: Readonly<Record<string, string>>;
  /** How long the work of a step may take to end after its fault was taken back. */
  readonly settleTimeoutMs?: number;
};

export type DrillEnd = {
  readonly verdict: DrillVerdict;
  readonly results: readonly CheckResult[];
  readonly evidence: Evidence;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
};

type Seen = {
  readonly steps: StepRecord[];
  readonly ended: string[];
  stored: Evidence['outside']['stored'];
};

export async function runDrill(options: DrillOptions): Promise<DrillEnd> {
  const { plan, say } = options;
  const startedAtMs = Date.now();
  const undo = new UndoStack();
  const directory = mkdtempSync(join(tmpdir(), 'assay-drill-'));
  const service = new DependencyService();
  const fleet = fleetOf(options, directory, undo, service);
  const seen: Seen = { steps: [], ended: [], stored: null };
  let work: DrillWork | null = null;
  const notUndone: string[] = [];
  try {
    undo.add('stop the service', () => service.stop());
    work = await begin(fleet, service, plan, say);
    await performAll(options, { fleet, service, undo, directory }, work, seen);
    seen.stored = await end(fleet, work, options);
  } catch (error) {
    // The journal is read all the same: what was done so far is judged. An abort is handed on when everything is taken back.
    if (options.signal.aborted) {
      await takeBack(undo, say);
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    }
    seen.ended.push(`the drill could not go on: ${error instanceof Error ? error.message : String(error)}`);
  }
  notUndone.push(...(await takeBack(undo, say)));
  const evidence = await gather(options, { fleet, directory }, work, seen, notUndone);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  const results = runChecks(evidence);
  return { verdict: verdictOf(results), results, evidence, startedAtMs, endedAtMs: Date.now() };
}

function fleetOf(options: DrillOptions, directory: string, undo: UndoStack, service: DependencyService): DrillFleet {
  const logs = join(options.outputDir, 'logs');
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  return new DrillFleet({
    directory,
    logs,
    program: options.program,
    undo,
    seed: options.plan.seed,
    signal: options.signal,
    coordinatorEnv: options.coordinatorEnv ?? {},
    // Short periods, so that a drill sees circuits close again; nothing else differs from a fleet of the user's.
    settings: () => ({
      dependencies: [{ name: serviceName, url: service.url, intervalMs: 200, timeoutMs: 2_000 }],
      circuits: { worker: { openMs: 1_000 }, device: { openMs: 1_000 }, dependency: { openMs: 500, openMaxMs: 1_000 } },
    }),
  });
}

async function begin(
  fleet: DrillFleet,
  service: DependencyService,
  plan: Plan,
  say: DrillOptions['say'],
): Promise<DrillWork> {
  await service.start();
  await fleet.up();
  say(`coordinator serves (process ${fleet.coordinatorPid})`);
  for (const name of plan.workers) fleet.startWorker(await fleet.addWorker(name));
  for (const worker of fleet.workers) await fleet.joined(worker);
  say(`${fleet.workers.length} workers joined (processes ${fleet.workers.map(({ pid }) => pid).join(', ')})`);
  const work = new DrillWork(fleet, service.url);
  await work.open();
  return work;
}

type Stage = { fleet: DrillFleet; service: DependencyService; undo: UndoStack; directory: string };

async function performAll(
  options: DrillOptions,
  { fleet, service, undo }: Stage,
  work: DrillWork,
  seen: Seen,
): Promise<void> {
  const { plan, signal, say } = options;
  const startMs = performance.now();
  const isTime = (): boolean => performance.now() - startMs < (plan.durationMs ?? 0);
  for (const step of [...plan.steps, ...plan.further]) {
    if (step.number > plan.steps.length && !isTime()) return;
    const random = randomOf(plan.seed, `step ${step.number}`);
    const world: World = { fleet, service, undo, marks: work.marks, signal, random: () => random.next() };
    const record = await performStep(step, world, work, options.settleTimeoutMs ?? settleTimeoutMs);
    seen.steps.push(record);
    for (const line of sayStep(record)) say(line);
    const fallen = fallenOf(fleet);
    seen.ended.push(...fallen.map((name) => `${name} ended during step ${step.number}`));
    if (fallen.length > 0) return;
  }
}

function fallenOf(fleet: DrillFleet): string[] {
  const isOver = (child: typeof fleet.coordinator): boolean =>
    child === null || child.exitCode !== null || child.signalCode !== null;
  return [
    ...(isOver(fleet.coordinator) ? ['the coordinator'] : []),
    ...fleet.workers.filter(({ child }) => isOver(child)).map(({ name }) => name),
  ];
}

function sayStep({ step, injected, undone, troubles, startedAtMs, endedAtMs }: StepRecord): string[] {
  const about = `${step.number}. ${step.fault.id}`;
  return [
    injected === null ? `${about}: NOT INJECTED` : `${about}: ${injected.source}: ${injected.saw}`,
    ...(undone === null ? [] : [`   taken back: ${undone.source}: ${undone.saw}`]),
    ...troubles.map((trouble) => `   trouble: ${trouble}`),
    `   over after ${((endedAtMs - startedAtMs) / 1_000).toFixed(1)} s`,
  ];
}

const settleTimeoutMs = 120_000;

/** Everything done, results stored, workers gone in peace, the coordinator last: then its journal is whole. */
async function end(fleet: DrillFleet, work: DrillWork, options: DrillOptions): Promise<Evidence['outside']['stored']> {
  await work.seal();
  await work.settled(options.settleTimeoutMs ?? settleTimeoutMs);
  const stored = await storedCases(fleet, work);
  options.say('all work is settled; stopping the fleet');
  await Promise.all(fleet.workers.map(({ child }) => fleet.end(child)));
  await fleet.end(fleet.coordinator);
  return stored;
}

async function takeBack(undo: UndoStack, say: DrillOptions['say']): Promise<string[]> {
  const failed = await undo.all();
  for (const one of failed) say(`could not be taken back: ${one}`);
  return failed;
}

async function gather(
  { plan }: DrillOptions,
  { fleet, directory }: Pick<Stage, 'fleet' | 'directory'>,
  work: DrillWork | null,
  seen: Seen,
  notUndone: string[],
): Promise<Evidence> {
  const ports = [fleet.port, ...fleet.ports].filter((port) => port > 0);
  const scratch = [...fleet.workers.map(({ tmp }) => tmp), join(directory, 'tmp')];
  const left = await findLeftovers({ directory, ports, scratch });
  const entries = readEntries(fleet.stateDir);
  return {
    plan,
    steps: seen.steps,
    tasks: work?.tasks ?? [],
    entries,
    history: readHistory(entries, work?.run ?? ''),
    outside: {
      acks: new Map(fleet.workers.map(({ id, link }) => [id, link.acks])),
      stored: seen.stored,
      left,
      ended: seen.ended,
      notUndone,
    },
  };
}

function readEntries(stateDir: string): Evidence['entries'] {
  try {
    return readJournalFiles(stateDir).entries;
  } catch {
    return [];
  }
}
