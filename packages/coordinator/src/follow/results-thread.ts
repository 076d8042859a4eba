// The results thread: follows the journal into DuckDB and answers questions about it. Why a thread of its own: making rows takes
// time that the loop does not have, and one process may open the file once.
// What always holds: see results-worker.ts; it ends by itself, never inside the database's own code; a question that fails is answered with its named error, never left open.
import { parentPort, workerData } from 'node:worker_threads';
import { AssayError } from '@assay/protocol';
import { openDuckDbResultStore } from '../adapters/results-duckdb/store.ts';
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

const worker = new ResultsWorker({
  openStore: () => openDuckDbResultStore({ path: settings.resultsFile }),
  follow: (appliedSeq) => {
    follower = new JournalFollower(settings.journalDirectory, Math.max(appliedSeq + 1, settings.firstSeq));
    follower.wake(durableSeq);
    return follower;
  },
  say,
  wait,
  gatherMs: settings.gatherMs,
});

async function answer(message: Extract<ToResults, { kind: 'ask' }>): Promise<void> {
  try {
    const store = await worker.store();
    const ask = store[message.question].bind(store) as (
      argument: unknown,
    ) => ReturnType<ResultStore[typeof message.question]>;
    say({ kind: 'answer', id: message.id, value: await ask(message.argument) });
  } catch (error) {
    const fault =
      error instanceof AssayError ? error : new AssayError('RESULTS_UNAVAILABLE', String(error), undefined, error);
    say({ kind: 'fault', id: message.id, body: fault.toBody() });
  }
}

port.on('message', (message: ToResults) => {
  if (message.kind === 'ask') void answer(message);
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
