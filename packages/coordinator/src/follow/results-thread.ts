// The results thread: follows the journal into DuckDB and answers questions about it. Why a thread of its own: making rows takes
// time that the loop does not have, and one process may open the file once.
// What always holds: see results-worker.ts; it ends by itself, never inside the database's own code; a question that fails is answered with its named error, never left open.
import { parentPort, workerData } from 'node:worker_threads';
import { AssayError } from '@assay/protocol';
import { openDuckDbResultStore } from '../adapters/results-duckdb/store.ts';
import { analysisOver, noAnalysis } from '../analysis/analysis.ts';
import type { Analysis } from '../ports/analysis.ts';
import type { ResultStore } from '../ports/result-store.ts';
import { yieldToOthers } from './background-thread.ts';
import { JournalFollower } from './journal-follower.ts';
import type { FromResults, ResultsSettings, ToResults } from './results-messages.ts';
import { ResultsWorker } from './results-worker.ts';

if (parentPort === null) throw new Error('results-thread.ts runs as a worker thread');
const port = parentPort;
yieldToOthers();
const settings = workerData as ResultsSettings;
let durableSeq = 0;
let follower: JournalFollower | null = null;
/** Ends the wait that is under way, if any. */
let wakeUp: (() => void) | null = null;

function say(message: FromResults): void {
  port.postMessage(message);
}

/** An idle worker is woken by news, one that gathers by urgent news; one that backs off waits its time out. */
let isIdle = false;
let isWanted = false;
let waitsMs = 0;
const isGathering = (): boolean => waitsMs === settings.gatherMs;
function wait(delayMs: number): Promise<void> {
  if (isWanted && delayMs === settings.gatherMs) {
    isWanted = false;
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    waitsMs = delayMs;
    isIdle = follower !== null && follower.behind() === 0;
    const timer = setTimeout(end, delayMs);
    function end(): void {
      clearTimeout(timer);
      wakeUp = null;
      waitsMs = 0;
      isWanted = false;
      resolve();
    }
    wakeUp = end;
  });
}

/** Over the store that is open. */
let analysis: Analysis = noAnalysis;
const worker = new ResultsWorker({
  openStore: async () => {
    const store = await openDuckDbResultStore({ path: settings.resultsFile });
    analysis = analysisOver(store.rows);
    return store;
  },
  follow: (appliedSeq) => {
    follower = new JournalFollower(settings.journalDirectory, Math.max(appliedSeq + 1, settings.firstSeq));
    follower.wake(durableSeq);
    return follower;
  },
  say,
  wait,
  gatherMs: settings.gatherMs,
});

async function answer(id: number, answered: () => Promise<unknown>): Promise<void> {
  try {
    say({ kind: 'answer', id, value: await answered() });
  } catch (error) {
    const fault =
      error instanceof AssayError ? error : new AssayError('RESULTS_UNAVAILABLE', String(error), undefined, error);
    say({ kind: 'fault', id, body: fault.toBody() });
  }
}

async function ask({ question, argument }: Extract<ToResults, { kind: 'ask' }>): Promise<unknown> {
  const store = await worker.store();
  const asked = store[question].bind(store) as (argument: unknown) => ReturnType<ResultStore[typeof question]>;
  const value = await asked(argument);
  if (question === 'restore') {
    // What the copy lacks is read from the journal again.
    const appliedSeq = await store.appliedSeq();
    follower?.rewind(appliedSeq + 1);
    say({ kind: 'opened', appliedSeq });
    wakeUp?.();
  }
  return value;
}

async function analyse({ question, argument }: Extract<ToResults, { kind: 'analyse' }>): Promise<unknown> {
  await worker.store();
  const asked = analysis[question] as (argument: unknown) => Promise<unknown>;
  return await asked(argument);
}

port.on('message', (message: ToResults) => {
  if (message.kind === 'ask') void answer(message.id, () => ask(message));
  else if (message.kind === 'analyse') void answer(message.id, () => analyse(message));
  else if (message.kind === 'durable') {
    durableSeq = message.seq;
    follower?.wake(durableSeq);
    isWanted ||= message.isUrgent;
    if (isIdle || (isWanted && isGathering())) wakeUp?.();
  } else {
    worker.stop(message.limitMs);
    wakeUp?.();
  }
});

await worker.run();
(follower as JournalFollower | null)?.close();
say({ kind: 'closed' });
port.close();
