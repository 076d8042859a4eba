// Executes one assignment on one slot: the tasks of a suite, one after the other, through the runner's host (or one
// process each for a command). Whatever happens - a hang, a crash, a forged report, a missing runner, a cancellation -
// every attempt ends in exactly one of `finished` and `returned`, and nothing that was started is left running, but for a
// host that is kept for the next batch.
//
// The file in progress when its host dies is the one that is blamed; the files after it go on in a fresh host, until
// `crashesMax` hosts have died in this batch: then what has not started is returned.
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { AssignedTask, AttemptOutcome, AttemptRef, Case, Suite } from '@assay/protocol';
import type { MachineBrowsers } from '../browsers/choose.ts';
import type { BrowserStep, Repaired } from '../browsers/pool.ts';
import { runnerOf } from '../runners/registry.ts';
import type { Launch } from '../runners/runner.ts';
import { Attempt } from './attempt.ts';
import { runDirect } from './direct-run.ts';
import { runHost } from './host-run.ts';
import { settleWanted } from './settle-wanted.ts';
import type { BatchState } from './batch-state.ts';
import { maskerOf } from './mask.ts';
import { secretValues, testEnvironment } from './test-environment.ts';
import type { WarmHosts } from './warm-hosts.ts';

export type ReturnReason = 'takenBack' | 'runnerDied';
/** A file that is kept for the attempt; whoever receives it stores it and then removes it. */
export type KeptFile = {
  readonly name: string;
  readonly path: string;
  readonly truncatedBytes: number;
  readonly says?: string;
};

export type BatchInput = {
  readonly projectDir: string;
  readonly suite: Suite;
  readonly tasks: readonly AssignedTask[];
  /** Where scratch directories and kept output go; kept output stays under `kept/` until its receiver removes it. */
  readonly scratchDir: string;
  nowMs(): number;
  /** The browsers that were found and measured on this worker, and their drivers. */
  readonly machine?: MachineBrowsers;
  /** The worker's own environment; the process's when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Between asking a process group to end and forcing it. */
  readonly killGraceMs?: number;
  /** Where hosts wait for the next batch; without it every batch starts its own. */
  readonly warm?: WarmHosts;
};

export interface BatchSink {
  started(ref: AttemptRef, atMs: number): void;
  cases(ref: AttemptRef, from: number, cases: readonly Case[]): void;
  output(ref: AttemptRef, stream: 'stdout' | 'stderr', text: string): void;
  finished(ref: AttemptRef, outcome: AttemptOutcome, files: readonly KeptFile[]): void;
  returned(refs: readonly AttemptRef[], reason: ReturnReason, message: string): void;
}

export interface Batch {
  /** Gives back what has not started; what has goes on. */
  withdraw(refs: readonly AttemptRef[]): void;
  /** Ends attempts, also running ones; they finish as canceled. */
  cancel(refs: readonly AttemptRef[] | 'all', reason: string): void;
  readonly done: Promise<void>;
}

/** Hosts that may die in one batch before what has not started is returned. */
export const crashesMax = 5;
const defaultKillGraceMs = 2_000;

/** Loaded with the first page: what drives browsers takes half a second to load. */
const loadPages = async () => import('./page-run.ts');
let loaded: ReturnType<typeof loadPages> | null = null;
const pages = (): ReturnType<typeof loadPages> => (loaded ??= loadPages());

/** Ends the browsers that wait for their next task, where any was ever started. */
export async function endSessions(): Promise<void> {
  if (loaded !== null) await (await loaded).endSessions();
}

/** A step of recovery on the browsers of this agent; null where none was ever started. */
export async function repairSessions(step: BrowserStep): Promise<Repaired | null> {
  return loaded === null ? null : (await loaded).repairSessions(step);
}

export function executeBatch(input: BatchInput, sink: BatchSink): Batch {
  const base = input.env ?? process.env;
  const masker = maskerOf(secretValues(input.suite, base));
  const directory = path.join(path.resolve(input.scratchDir), `b-${randomBytes(5).toString('hex')}`);
  const context = {
    runner: input.suite.runner,
    suite: input.suite,
    sink,
    masker,
    keptDir: path.join(path.resolve(input.scratchDir), 'kept'),
    nowMs: () => input.nowMs(),
  };
  const state: BatchState = {
    input,
    directory,
    masker,
    env: testEnvironment(input.suite, base),
    killGraceMs: input.killGraceMs ?? defaultKillGraceMs,
    attempts: input.tasks.map((task, index) => new Attempt(index, task, path.join(directory, `t${index}`), context)),
    crashes: 0,
    steer: null,
  };
  const done = runAndClear(state);
  return {
    withdraw: (refs) => takeBack(state, refs),
    cancel: (refs, reason) => cancel(state, refs, reason),
    done,
  };
}

async function runAndClear(state: BatchState): Promise<void> {
  await run(state);
  await Promise.all(state.attempts.map(async (attempt) => attempt.whenSettled()));
  await rm(state.directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}

async function run(state: BatchState): Promise<void> {
  const { input, attempts } = state;
  try {
    await mkdir(state.directory, { recursive: true });
    const launch = await runnerOf(input.suite.runner).launch(path.resolve(input.projectDir), input.suite, state.env);
    if (launch.kind === 'refused') {
      await refuseAll(state, launch.code, launch.reason);
      return;
    }
    await runWaiting(state, launch);
  } catch (error) {
    await refuseBecause(state, error);
  }
  for (const attempt of attempts) {
    attempt.return('runnerDied', 'The batch ended before this file was started.');
    // Nothing may be left open, whatever a host said or did not say.
    if (attempt.phase === 'running') await attempt.finish({ trouble: unfinished });
  }
}

async function runWaiting(state: BatchState, launch: Exclude<Launch, { kind: 'refused' }>): Promise<void> {
  for (;;) {
    await settleWanted(state);
    const waiting = state.attempts.filter((attempt) => attempt.phase === 'waiting');
    if (waiting.length === 0) return;
    if (launch.kind === 'direct') await runDirect(state, waiting[0] as Attempt, launch.argumentsOf);
    else if (launch.kind === 'pages') await (await pages()).runPage(state, waiting[0] as Attempt, launch.suite);
    else await runHost(state, launch, state.input.suite.batching === 'single' ? waiting.slice(0, 1) : waiting);
    if (state.crashes > crashesMax) {
      for (const attempt of state.attempts)
        attempt.return('runnerDied', `${state.crashes} runner processes died in this batch.`);
    }
  }
}

function takeBack(state: BatchState, refs: readonly AttemptRef[]): void {
  for (const attempt of named(state, refs)) if (attempt.phase === 'waiting') attempt.wanted ??= { kind: 'back' };
  state.steer?.wantedChanged();
}

function cancel(state: BatchState, refs: readonly AttemptRef[] | 'all', reason: string): void {
  const message = reason || 'canceled';
  for (const attempt of refs === 'all' ? state.attempts : named(state, refs)) {
    if (attempt.phase === 'waiting') attempt.wanted = { kind: 'cancel', reason: message };
    if (attempt.phase === 'running') attempt.stop ??= { kind: 'canceled', message };
  }
  state.steer?.wantedChanged();
}

function named(state: BatchState, refs: readonly AttemptRef[]): Attempt[] {
  return state.attempts.filter(({ ref }) =>
    refs.some((wanted) => wanted.task === ref.task && wanted.attempt === ref.attempt),
  );
}

async function refuseAll(state: BatchState, code: string, message: string): Promise<void> {
  for (const attempt of state.attempts) {
    if (attempt.phase === 'waiting')
      await attempt.finish({ trouble: { code, message, class: 'configuration', verdict: 'errored' } });
  }
}

const unfinished = {
  code: 'EXECUTION_FAILED',
  class: 'infrastructure',
  verdict: 'errored',
  message: 'The runner host ended without saying how this file ended.',
} as const;

/** A batch that met a fault of the machine: a full disk is named, the rest is said as it is. */
async function refuseBecause(state: BatchState, error: unknown): Promise<void> {
  const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  const code = isFull ? 'SCRATCH_DISK_FULL' : 'EXECUTION_FAILED';
  for (const attempt of state.attempts) {
    await attempt.finish({
      trouble: {
        code,
        message: `The batch could not be executed: ${String(error)}`,
        class: 'infrastructure',
        verdict: 'errored',
      },
    });
  }
}
