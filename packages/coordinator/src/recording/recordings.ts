// Recordings of runs on request: one thread at a time, and few that wait, so that whoever asks often takes nothing from the fleet.
import type { RunRecording } from '@assay/protocol';
import type { RecordingTask } from './read-recording.ts';
import { startThread } from '../start-thread.ts';

export type RecordingsOptions = {
  journalDirectory: string;
  snapshotDirectory: string;
  durableSeq: () => number;
  tasksMax?: number;
  bytesMax?: number;
};

const waitingMax = 4;
const tasksMaxDefault = 50_000;
const bytesMaxDefault = 1024 * 1024 * 1024;

export function createRecordings(options: RecordingsOptions): (run: string) => Promise<RunRecording> {
  const { journalDirectory, snapshotDirectory, durableSeq } = options;
  const { tasksMax = tasksMaxDefault, bytesMax = bytesMaxDefault } = options;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (run) => {
    if (waiting >= waitingMax)
      return Promise.resolve({ kind: 'absent', reason: `${waitingMax} recordings are being read; ask again later` });
    waiting += 1;
    const mine = last.then(() =>
      runThread({ journalDirectory, snapshotDirectory, run, throughSeq: durableSeq(), tasksMax, bytesMax }),
    );
    last = mine
      .catch(() => undefined)
      .finally(() => {
        waiting -= 1;
      });
    return mine;
  };
}

function runThread(workerData: RecordingTask): Promise<RunRecording> {
  return new Promise((resolve, reject) => {
    const worker = startThread(new URL('recording-thread.ts', import.meta.url), { workerData, name: 'recording' });
    let found: RunRecording | null = null;
    worker.on('message', (message: RunRecording) => {
      found = message;
    });
    worker.on('error', reject);
    worker.on('exit', () =>
      found === null ? reject(new Error('the recording thread ended without a word')) : resolve(found),
    );
  });
}
