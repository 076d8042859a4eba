// The coordinator's public door: start one, and make its tokens while none runs. What the simulator and the drill drive is
// imported from the modules themselves.
export { openAuthority, type StoredAuthority } from './adapters/authority-sqlite.ts';
export { isLoopbackHost } from './http/browser-guard.ts';
export { createLog, silentLog, type Log } from './log.ts';
export { adviseCircuits, circuitsDefaults, type Advice, type HistoricAttempt } from '@assay/core';
export { measureRun, policyNames, simulateWhatIf } from '@assay/core';
export type { Measures, Outcome, PolicyName, Recorded } from '@assay/core';
export { CircuitSetting, CoordinatorSettings, DependencySetting } from './settings.ts';
export { startCoordinator, type CoordinatorOptions, type RunningCoordinator } from './main.ts';
