// The placement policies that are measured side by side; the first is the default, of which the goals speak.
import type { EngineConfig } from '../../packages/core/src/index.ts';

export type Policy = { readonly name: string; readonly config: Partial<EngineConfig> };

export const policies: readonly Policy[] = [{ name: 'default', config: {} }];
