// The coordinator's door for the simulator, which drives these same parts in virtual time: no sockets, no threads, no files.
export { steadyClock } from './adapters/clock-system.ts';
export { createMemoryResultStore } from './adapters/results-memory.ts';
export { createMemoryFeed } from './feed/live-feed.ts';
export { ResultsWorker } from './follow/results-worker.ts';
export type { EntrySource, ResultsNews } from './follow/results-worker.ts';
export { withOwnDigest, withOwnDigests } from './http/profile-digest.ts';
export { readFrame } from './http/worker-frame.ts';
export type { Clock } from './ports/clock.ts';
export type { Journal, JournalEntry, StoredSnapshot } from './ports/journal.ts';
export type { FeedDelivery } from './ports/live-feed.ts';
export type { ResultStore } from './ports/result-store.ts';
export type { WorkerLink } from './ports/worker-link.ts';
export { recoverState } from './recovery.ts';
export { createShell } from './shell.ts';
export type { Shell } from './shell.ts';
