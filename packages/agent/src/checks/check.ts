// One check: a command of the operator's, or one that is built in. Whatever happens is a result; it never rejects.
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { BuiltInCheck, CheckOutcome, CheckResult, CheckSpec } from '@assay/protocol';
import { checkNvidia, nvidiaRun } from './nvidia-health.ts';
import { evidenceOf, runCommand } from './run-command.ts';
import type { Ended } from './run-command.ts';

/** Where checks run. */
export type CheckPlace = {
  /** Of the agent's scratch: what a check writes is written where tests write. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type Check = {
  readonly name: string;
  /** Null for the worker as a whole. */
  readonly device: string | null;
  /** It finds out itself which devices there are, and has a result for each. */
  readonly isOfManyDevices: boolean;
  readonly everyMs: number;
  readonly during: 'idle' | 'always';
  run(place: CheckPlace): Promise<CheckResult[]>;
};

export function commandCheck(spec: CheckSpec): Check {
  const device = spec.device ?? null;
  return {
    name: spec.name,
    device,
    isOfManyDevices: false,
    everyMs: spec.everyMs,
    during: spec.during ?? (device === null ? 'idle' : 'always'),
    run: async ({ directory, env }) => {
      const startedMs = performance.now();
      const ended = await runCommand({ command: spec.command, timeoutMs: spec.timeoutMs, directory, env });
      const { outcome, evidence } = judge(spec, ended);
      const about = device === null ? {} : { device };
      return [{ check: spec.name, ...about, outcome, evidence, durationMs: performance.now() - startedMs }];
    },
  };
}

function judge(spec: CheckSpec, ended: Ended): { outcome: CheckOutcome; evidence: Record<string, string> } {
  const evidence = evidenceOf(ended, spec.timeoutMs);
  // A check that is not there has measured nothing, and must not stop a machine that may be well.
  if (ended.kind === 'notStarted') return { outcome: 'notRun', evidence };
  if (ended.kind !== 'exited' || ended.code !== 0) return { outcome: 'failed', evidence };
  if (spec.expects === undefined || ended.stdout.includes(spec.expects)) return { outcome: 'passed', evidence };
  return { outcome: 'failed', evidence: { ...evidence, message: `its output has no ${JSON.stringify(spec.expects)}` } };
}

const builtInTimeoutMs = 60_000;
const program = join(import.meta.dirname, 'built-in-process.mjs');

export function builtInCheck(name: BuiltInCheck, everyMs: number): Check {
  if (name === 'nvidia')
    return {
      name,
      device: null,
      isOfManyDevices: true,
      everyMs,
      // It reads counters.
      during: 'always',
      run: ({ directory, env }) => checkNvidia(nvidiaRun(directory, env)),
    };
  return {
    name,
    device: null,
    isOfManyDevices: false,
    everyMs,
    during: 'idle',
    run: async ({ directory, env }) => {
      const startedMs = performance.now();
      const command = [process.execPath, program, name, directory, String(mebibytesOf(name))];
      const ended = await runCommand({ command, timeoutMs: builtInTimeoutMs, directory, env });
      return [{ check: name, ...readBuiltIn(ended), durationMs: performance.now() - startedMs }];
    },
  };
}

/** A bounded part: it finds a machine that is broken, and does not replace a memory test. */
function mebibytesOf(name: BuiltInCheck): number {
  if (name === 'disk') return 4;
  const usable = process.constrainedMemory() || totalmem();
  return Math.max(1, Math.min(32, Math.floor(Math.min(usable, totalmem()) / 2 ** 20 / 16)));
}

function readBuiltIn(ended: Ended): Pick<CheckResult, 'outcome' | 'evidence'> {
  const evidence = evidenceOf(ended, builtInTimeoutMs);
  if (ended.kind === 'notStarted') return { outcome: 'notRun', evidence };
  if (ended.kind !== 'exited' || ended.code !== 0) return { outcome: 'failed', evidence };
  try {
    return JSON.parse(ended.stdout) as Pick<CheckResult, 'outcome' | 'evidence'>;
  } catch {
    return { outcome: 'failed', evidence: { ...evidence, message: 'it ended without a result' } };
  }
}
