// The vocabulary and wire contract of Assay: schemas, ids, limits and the error catalogue. No behaviour, no I/O.
export * from './admission-policy.ts';
export * from './accelerator-ids.ts';
export * from './api.ts';
export * from './checks.ts';
export * from './circuits.ts';
export * from './errors.ts';
export * from './failure-rules/index.ts';
export * from './feed.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './profile.ts';
export * from './readings.ts';
export * from './results.ts';
export * from './submission.ts';
export * from './vendors.ts';
export * from './version.ts';
export * from './worker-wire.ts';
