// The thread that reads one recording and ends: a long journal takes seconds, and the loop must not wait for it.
import { parentPort, workerData } from 'node:worker_threads';
import { yieldToOthers } from '../follow/background-thread.ts';
import { readRecording, type RecordingTask } from './read-recording.ts';

if (parentPort === null) throw new Error('recording-thread.ts runs as a worker thread');
yieldToOthers();
parentPort.postMessage(readRecording(workerData as RecordingTask));
