// The engine's settings: its defaults, what whoever starts the coordinator gives, and the circuits of the settings file.
import { engineDefaults, settingsProblem, type BreakerSettings, type EngineConfig } from '@assay/core';
import { AssayError, circuitScopeKinds } from '@assay/protocol';
import type { CoordinatorSettings } from './settings.ts';

/** Throws CONFIG_INVALID for circuits that could never work, such as a longest open period below the first. */
export function engineConfigOf(
  given: Partial<EngineConfig> = {},
  circuits: CoordinatorSettings['circuits'] = {},
): EngineConfig {
  const config: EngineConfig = { ...engineDefaults, ...given };
  const breakers = { ...config.circuits.breakers };
  for (const kind of circuitScopeKinds) {
    const set = circuits[kind];
    if (set === undefined) continue;
    const merged: { -readonly [Key in keyof BreakerSettings]: BreakerSettings[Key] } = { ...breakers[kind] };
    if (set.consecutiveFailures !== undefined) merged.consecutiveFailures = set.consecutiveFailures;
    if (set.failureRate !== undefined) merged.failureRate = set.failureRate;
    if (set.volumeMin !== undefined) merged.volumeMin = set.volumeMin;
    if (set.openMs !== undefined) {
      merged.openMs = set.openMs;
      merged.openMaxMs = Math.max(set.openMs, merged.openMaxMs);
    }
    if (set.openMaxMs !== undefined) merged.openMaxMs = set.openMaxMs;
    const problem = settingsProblem(merged);
    if (problem !== null) throw new AssayError('CONFIG_INVALID', `circuits.${kind}: ${problem}`);
    breakers[kind] = merged;
  }
  return { ...config, circuits: { ...config.circuits, breakers } };
}
