// The placement policies that are measured side by side; the first is the default, of which the goals speak.
import { engineDefaults, type EngineConfig } from '../../packages/core/src/index.ts';

export type Policy = { readonly name: string; readonly config: Partial<EngineConfig> };

const names = ['expected-finish', 'least-loaded', 'round-robin', 'cache-affinity'] as const;

export const policies: readonly Policy[] = names.map((policy) => ({ name: policy, config: { placement: { policy } } }));

if (engineDefaults.placement.policy !== names[0])
  throw new Error(`the default policy is ${engineDefaults.placement.policy}, and the goals speak of the default`);
