// The agent's door for the simulator, which runs these same parts in virtual time: no sockets, no processes, no disk.
export { decodeFrame, encodeFrames } from './link/frames.ts';
export { accountForUnfinished } from './recover.ts';
export { ownOutcome } from './slots/outcomes.ts';
export type { Unfinished } from './slots/ledger.ts';
export { Work } from './slots/work.ts';
export type { WorkOptions } from './slots/work.ts';
export type { Batch, BatchInput, BatchSink } from './execute/execute-batch.ts';
export type { ReportBody, Spool } from './spool/spool.ts';
