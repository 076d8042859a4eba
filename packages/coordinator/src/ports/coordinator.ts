// The coordinator as its HTTP and WebSocket routes see it: the one door from the network to the engine. Implemented by
// the shell (shell.ts) over the driver; the routes know nothing of the engine, the journal or the adapters.
import type { Input, Reply } from '@assay/core';
import type {
  AdmissionPolicy,
  AgentMessage,
  CalibrationReport,
  CircuitScope,
  CircuitView,
  Explanation,
  Health,
  Hello,
  QuarantineView,
  RecoveryHistory,
  RunRecording,
  RunView,
  TaskId,
  TaskView,
  WorkerView,
} from '@assay/protocol';
import type { Analysis } from './analysis.ts';
import type { LiveFeed } from './live-feed.ts';
import type { ResultQuestions } from './result-store.ts';
import type { WorkerLink } from './worker-link.ts';

/** What live state answers at once, from memory; null where the thing is not live (settled runs are in the results). */
export interface LiveViews {
  run(run: string): RunView | null;
  runs(): RunView[];
  task(task: string): TaskView | null;
  /** Tasks of a live run in order of their index, from `afterIndex` + 1 on. */
  tasks(run: string, afterIndex: number, max: number): TaskView[];
  workers(): WorkerView[];
  worker(worker: string): WorkerView | null;
  explain(task: TaskId): Explanation | null;
  /** Those that stop something first. */
  circuits(): CircuitView[];
  circuit(circuit: string): CircuitView | null;
  /** What a circuit's name stands for, known or not; null where it is no name. */
  circuitScope(circuit: string): CircuitScope | null;
  /** What was learned of the steps of recovery. */
  recovery(): RecoveryHistory;
  /** What the operator laid down, as it is in force. */
  policy(): AdmissionPolicy;
  /** Tests that are set aside, oldest first. */
  quarantines(): QuarantineView[];
  /** How good predictions were, by suite. */
  calibration(): CalibrationReport;
}

export interface Coordinator {
  readonly views: LiveViews;
  readonly feed: LiveFeed;
  readonly results: ResultQuestions;
  /** What the past says, by statistics. RESULTS_UNAVAILABLE where it is not kept. */
  readonly analysis: Analysis;
  /** The time that inputs are stepped at. */
  nowMs(): number;
  /** What the journal holds of a run that is over: read from the disk, beside the loop. */
  recording(run: string): Promise<RunRecording>;
  /** Resolves when the reply's cause is durable; rejects with SHUTTING_DOWN. */
  submit(input: Input): Promise<Reply>;
  /** Resolves when all that the views show now is durable: what is read from them is sent only then. */
  whenDurable(): Promise<void>;
  /** A worker said hello. Resolves with the link's fate; `welcome` and everything after it goes over the link by itself. */
  openLink(
    link: WorkerLink,
    hello: Hello,
    token: string,
    trust: string | null,
  ): Promise<{ kind: 'welcomed' } | { kind: 'refused'; code: string; message: string; isFinal: boolean }>;
  /** Messages of one frame after hello, in order. Returns false where the session is not open any more. */
  receive(session: string, messages: AgentMessage[]): boolean;
  linkClosed(session: string): void;
  /** Bytes or messages that wait to be committed: the reader of a link pauses above the limit. */
  isBusy(): boolean;
  health(): Health;
  stop(): Promise<void>;
}
