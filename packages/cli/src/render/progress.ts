// Live progress of a run from its feed. On a terminal: failures as they happen above a small block that is redrawn (bar, figures,
// what each worker does); elsewhere (CI logs): failures as they happen and one line every ten seconds. Both end with nothing left behind.
import type { Case, CaseCounts, FeedItem, TaskCounts } from '@assay/protocol';
import { cut } from './table.ts';
import { caseName } from '../report/model.ts';
import { duration, type Paint, plural } from './style.ts';

const redrawMs = 100;
const logEveryMs = 10_000;
const barWidth = 24;
const linesMax = 8;

/** What is known of a run from its feed alone. */
export type Progress = {
  total: number;
  isSealed: boolean;
  settled: number;
  verdicts: NonNullable<TaskCounts['verdicts']>;
  cases: CaseCounts;
  /** Running targets by worker. */
  running: Map<string, Map<string, string>>;
  workerNames: Map<string, string>;
};

export function emptyProgress(): Progress {
  return {
    total: 0,
    isSealed: false,
    settled: 0,
    verdicts: {},
    cases: { passed: 0, failed: 0, skipped: 0, todo: 0 },
    running: new Map(),
    workerNames: new Map(),
  };
}

/** Takes one feed item in. */
export function follow(progress: Progress, item: FeedItem): void {
  switch (item.kind) {
    case 'tasksQueued':
      progress.total += item.count;
      progress.isSealed ||= item.sealed;
      break;
    case 'attemptStarted':
      runningOn(progress, item.worker).set(item.task, item.target);
      break;
    case 'casesRecorded':
      for (const { status } of item.cases) progress.cases[status]++;
      break;
    case 'attemptSettled':
      if (item.worker !== null) runningOn(progress, item.worker).delete(item.task);
      break;
    case 'taskSettled':
      progress.settled++;
      progress.verdicts[item.verdict] = (progress.verdicts[item.verdict] ?? 0) + 1;
      break;
    case 'workerJoined':
      progress.workerNames.set(item.worker, item.name);
      break;
    case 'workerLost':
    case 'workerLeft':
      progress.running.delete(item.worker);
      break;
    default:
  }
}

function runningOn(progress: Progress, worker: string): Map<string, string> {
  let running = progress.running.get(worker);
  if (running === undefined) progress.running.set(worker, (running = new Map<string, string>()));
  return running;
}

/** Notices that are printed as they happen, or null. */
export function notice(item: FeedItem, targetOf: (task: string) => string, paint: Paint): string | null {
  switch (item.kind) {
    case 'casesRecorded': {
      const failing = item.cases.filter((testCase: Case) => testCase.status === 'failed');
      return failing.length === 0
        ? null
        : failing
            .map((testCase) => `${paint('red', '✗')} ${targetOf(item.task)} ${paint('dim', '›')} ${caseName(testCase)}`)
            .join('\n');
    }
    case 'attemptSettled': {
      if (item.verdict === 'passed' || item.verdict === 'skipped' || item.verdict === 'canceled') return null;
      if (item.verdict === 'failed' && !item.willRetry && (item.counts?.failed ?? 0) > 0) return null;
      const why =
        item.failure === undefined ? '' : ` ${item.failure.code}: ${item.failure.message.split('\n')[0] ?? ''}`;
      return `${paint(item.willRetry ? 'yellow' : 'red', item.willRetry ? '↻' : '✗')} ${item.target || 'command'} ${item.verdict}${why}${item.willRetry ? ' (runs again)' : ''}`;
    }
    case 'runUnplaceable':
      return `${paint('yellow', '!')} ${plural(item.tasks, 'task')} that no connected worker can do${item.requires === '' ? '' : ` (${item.requires})`}: ${item.reasons.join('; ')}`;
    case 'alternativeOpened':
      return `${paint('yellow', '!')} ${plural(item.tasks, 'task')} waited ${duration(item.waitedMs)}: from now on ${item.requires === '' ? 'any worker' : item.requires} will do`;
    case 'gangRestarted':
      return `${paint('yellow', '↻')} a gang starts again together: ${item.reason}`;
    case 'profileChanged':
      return `${paint('yellow', '!')} the machine of worker ${item.worker} changed: ${item.changes.slice(0, 3).join('; ')}${item.changes.length > 3 ? ` and ${item.changes.length - 3} more` : ''}`;
    case 'workerLost':
      return `${paint('yellow', '!')} worker ${item.worker} was lost with ${plural(item.attempts, 'task')} in hand; they run elsewhere`;
    default:
      return null;
  }
}

/** The block that is redrawn. */
export function renderProgress(progress: Progress, elapsedMs: number, width: number, paint: Paint): string {
  const { total, settled, cases } = progress;
  const filled = total === 0 ? 0 : Math.floor((settled / total) * barWidth);
  const bar = paint('green', '█'.repeat(filled)) + paint('dim', '░'.repeat(barWidth - filled));
  const left =
    settled >= 5 && settled < total ? `, about ${duration((elapsedMs / settled) * (total - settled))} left` : '';
  const failed = cases.failed > 0 ? paint('red', `${cases.failed} failed`) : '0 failed';
  const head = `${bar} ${settled}/${total} files  ${cases.passed} passed, ${failed}, ${cases.skipped + cases.todo} skipped  ${duration(elapsedMs)}${left}`;
  const lines: string[] = [];
  for (const [worker, running] of progress.running) {
    for (const target of running.values())
      lines.push(`  ${paint('cyan', progress.workerNames.get(worker) ?? worker)}  ${target}`);
  }
  const shown = lines.slice(0, linesMax);
  if (lines.length > shown.length) shown.push(paint('dim', `  … and ${lines.length - shown.length} more`));
  return [head, ...shown].map((line) => (width > 0 ? cut(line, width - 1) : line)).join('\n');
}

/** Where progress is shown. `print` is for lines that stay. */
export type ProgressView = { print(text: string): void; update(progress: Progress): void; end(): void };

/** The view that fits the stream. */
export function progressView(stream: NodeJS.WriteStream, paint: Paint, nowMs: () => number): ProgressView {
  return stream.isTTY ? terminalView(stream, paint, nowMs) : logView(stream, nowMs);
}

function terminalView(stream: NodeJS.WriteStream, paint: Paint, nowMs: () => number): ProgressView {
  const startedMs = nowMs();
  let latest: Progress | null = null;
  let drawnLines = 0;
  const clear = (): void => {
    if (drawnLines > 0) stream.write(`\u001b[${drawnLines}A\u001b[0J`);
    drawnLines = 0;
  };
  const draw = (): void => {
    clear();
    if (latest === null) return;
    const text = renderProgress(latest, nowMs() - startedMs, stream.columns, paint);
    stream.write(`${text}\n`);
    drawnLines = text.split('\n').length;
  };
  const timer = setInterval(draw, redrawMs);
  return {
    print: (text) => {
      clear();
      stream.write(`${text}\n`);
      draw();
    },
    update: (progress) => {
      latest = progress;
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

function logView(stream: NodeJS.WriteStream, nowMs: () => number): ProgressView {
  const startedMs = nowMs();
  let lastMs = startedMs;
  return {
    print: (text) => void stream.write(`${text}\n`),
    update: (progress) => {
      if (nowMs() - lastMs < logEveryMs) return;
      lastMs = nowMs();
      const { settled, total, cases } = progress;
      stream.write(
        `${duration(lastMs - startedMs)}: ${settled}/${total} files, ${cases.passed} passed, ${cases.failed} failed\n`,
      );
    },
    end: () => undefined,
  };
}
