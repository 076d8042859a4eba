// The agent's second door, for those who look at a project or a machine and start nothing: the command line's planning and
// `assay doctor`. Apart from index.ts, so that an idle agent does not carry it.
export { diagnose, probeMachine, type ProjectNeed } from './probe/index.ts';
export { probeWithBrowsers } from './probe/page-measurements.ts';
export { usableProcessors } from './probe/usable-processors.ts';
export { platformOfFile, type BrowserArguments } from './runners/browser/arguments.ts';
export { pageArgumentsOf } from './runners/page-arguments.ts';
export type { Platform } from './browsers/hallmark.ts';
export { detectRunners, runnerOf } from './runners/registry.ts';
export type { Detection, Runner } from './runners/runner.ts';
