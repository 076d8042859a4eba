// Executes one task as one process: the `command` runner. Its result is its exit code, or the JUnit report that it was
// said to write, and the two must agree.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { benchmarkReaders } from '../formats/benchmarks.ts';
import { parseJUnit } from '../formats/junit.ts';
import { readBack, reportStamp } from '../runners/command/read-back.ts';
import type { Attempt, AttemptEnd } from './attempt.ts';
import type { BatchState } from './batch-state.ts';
import { oomKills, scratchFreeBytes } from './machine-evidence.ts';
import { caseOf } from './host-events.ts';
import { batchMark, killMarked, signalGroup } from './process-tree.ts';
import { settleWanted } from './settle-wanted.ts';
import { watchAttempt } from './watch-attempt.ts';

type Exit = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly spawnError: NodeJS.ErrnoException | null;
};

/** How long output may lag behind the end of the process. */
const outputLagMs = 2_000;

export async function runDirect(
  state: BatchState,
  attempt: Attempt,
  argumentsOf: (target: string) => readonly string[],
): Promise<void> {
  const { input } = state;
  const { suite } = input;
  const cwd = path.join(path.resolve(input.projectDir), suite.directory);
  const reported = suite.junit ?? suite.benchmark?.file;
  const reportFile = reported === undefined ? null : path.join(cwd, reported);
  await mkdir(attempt.scratch, { recursive: true });
  const before = reportFile === null ? null : await reportStamp(reportFile);
  const oomBefore = await oomKills();
  attempt.start();
  const [command = '', ...args] = argumentsOf(attempt.task.target);
  const mark = `${path.basename(state.directory)}.t${attempt.index}`;
  const { exit, leftovers } = await execute(state, attempt, { command, args, cwd, mark });
  const evidence: Record<string, string> = leftovers > 0 ? { leftoverProcesses: String(leftovers) } : {};
  const base = { exit: { code: exit.code, signal: exit.signal } };
  if (exit.spawnError) {
    const isMissing = exit.spawnError.code === 'ENOENT' || exit.spawnError.code === 'EACCES';
    const message = isMissing
      ? `${command} cannot be run in ${cwd}: install it on the worker, or correct the command.`
      : `${command} could not be started: ${String(exit.spawnError)}`;
    const trouble = {
      code: isMissing ? 'RUNNER_NOT_INSTALLED' : 'EXECUTION_FAILED',
      class: isMissing ? 'configuration' : 'infrastructure',
      verdict: 'errored',
      message,
    } as const;
    return attempt.finish({ trouble, evidence });
  }
  if (exit.signal !== null) {
    const oomAfter = await oomKills();
    const killed = oomBefore === null || oomAfter === null ? null : oomAfter - oomBefore;
    const died = attempt.stop ? null : { message: '', exitCode: exit.code, signal: exit.signal };
    return attempt.finish({
      ...base,
      died,
      evidence,
      oomKills: killed,
      scratchFreeBytes: await scratchFreeBytes(input.scratchDir),
    });
  }
  return attempt.finish({
    ...base,
    ...(await resultOf(state, attempt, { exit, reportFile, before, evidence, name: [command, ...args].join(' ') })),
  });
}

async function resultOf(
  state: BatchState,
  attempt: Attempt,
  ran: { exit: Exit; reportFile: string | null; before: string | null; evidence: Record<string, string>; name: string },
): Promise<AttemptEnd> {
  const code = ran.exit.code ?? -1;
  if (attempt.stop) return { evidence: ran.evidence };
  if (ran.reportFile === null) {
    const durationMs = Math.max(0, state.input.nowMs() - attempt.startedAtMs);
    const failure = { message: `exit code ${code}`, stack: attempt.lastWords() };
    const found = caseOf(
      { path: [ran.name], status: code === 0 ? 'passed' : 'failed', durationMs, ...(code === 0 ? {} : { failure }) },
      state.masker,
    );
    if (found) attempt.addCase(found);
    return { evidence: ran.evidence };
  }
  const { benchmark } = state.input.suite;
  const read = benchmark === undefined ? parseJUnit : benchmarkReaders[benchmark.format];
  const report = await readBack(ran.reportFile, ran.before, read);
  if (report.kind === 'trouble') {
    return {
      evidence: ran.evidence,
      trouble: {
        code: report.code,
        class: 'test',
        verdict: 'errored',
        message: `${report.reason} The command ended with exit code ${code}.`,
      },
    };
  }
  for (const raw of report.cases) {
    const found = caseOf(raw, state.masker);
    if (found === null) attempt.corrupt = `a case of ${ran.reportFile} breaks the limits of measurements`;
    else if (!attempt.addCase(found)) {
      attempt.stop = { kind: 'tooManyCases', message: 'The report has more cases than the limit.' };
      break;
    }
  }
  if (code !== 0 && attempt.counts.failed === 0 && attempt.casesSeen > 0) {
    const message = `The command ended with exit code ${code}, but its report has no failing case.`;
    return {
      evidence: ran.evidence,
      trouble: { code: 'RUNNER_EXIT_MISMATCH', class: 'test', verdict: 'errored', message },
    };
  }
  const isContradicted = code === 0 && attempt.counts.failed > 0;
  return {
    evidence: isContradicted
      ? { ...ran.evidence, exitCode: 'The command ended with exit code 0 although its report has failing cases.' }
      : ran.evidence,
  };
}

async function execute(
  state: BatchState,
  attempt: Attempt,
  start: { command: string; args: readonly string[]; cwd: string; mark: string },
): Promise<{ exit: Exit; leftovers: number }> {
  const tmp = attempt.scratch;
  const child = spawn(start.command, start.args, {
    cwd: start.cwd,
    env: { ...state.env, TMPDIR: tmp, TMP: tmp, TEMP: tmp, [batchMark]: start.mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  child.stdout.on('data', (chunk: Buffer) => attempt.output('stdout', chunk));
  child.stderr.on('data', (chunk: Buffer) => attempt.output('stderr', chunk));
  const flush = setInterval(() => attempt.flush(), 1_000);
  let killTimer: NodeJS.Timeout | undefined;
  const kill = (): void => {
    const { pid } = child;
    if (pid === undefined || killTimer) return;
    signalGroup(pid, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), state.killGraceMs);
  };
  const watch = watchAttempt(state.input, attempt, kill);
  state.steer = {
    wantedChanged: () => {
      if (attempt.stop) kill();
      // Nobody but this batch has the attempts after this one: they are given back now, and not when this one ends.
      void settleWanted(state);
    },
  };
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exit = await new Promise<Exit>((resolve) => {
    child.once('error', (error) => child.pid === undefined && resolve({ code: null, signal: null, spawnError: error }));
    child.once('exit', (code, signal) => resolve({ code, signal, spawnError: null }));
  });
  watch.stop();
  clearInterval(flush);
  clearTimeout(killTimer);
  state.steer = null;
  const leftovers = child.pid === undefined ? 0 : await killMarked(batchMark, start.mark, () => false, 'new');
  if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  let lag: NodeJS.Timeout | undefined;
  if (exit.spawnError === null)
    await Promise.race([closed, new Promise<void>((resolve) => (lag = setTimeout(resolve, outputLagMs)))]);
  clearTimeout(lag);
  child.stdout.destroy();
  child.stderr.destroy();
  return { exit, leftovers };
}
