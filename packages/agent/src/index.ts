// The agent's public door: for `assay worker`, for local mode, and for tests that start a real one in their process.
export { startAgent } from './main.ts';
export { AgentSettings } from './options.ts';
export type { Agent, AgentEnd, AgentOptions, Say } from './options.ts';
export type { Measured } from './profile-watch.ts';
