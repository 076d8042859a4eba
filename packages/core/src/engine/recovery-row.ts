// The part of a snapshot that recovery remembers. Left out where there is nothing, which is the rule.
import type { WorkerId } from '@assay/protocol';
import type { Outage, RecoveryState, Trouble } from '../recovery/shield.ts';
import type { Suspicion } from '../recovery/suspicion.ts';

export type RecoveryRow = {
  suspicions: [WorkerId, Suspicion[]][];
  troubles: [string, Trouble[]][];
  outages: Outage[];
};

export function recoveryRow({ suspicions, troubles, outages }: RecoveryState): { recovery?: RecoveryRow } {
  if (suspicions.size + troubles.size + outages.size === 0) return {};
  return { recovery: { suspicions: [...suspicions], troubles: [...troubles], outages: [...outages.values()] } };
}

export function restoreRecovery(state: RecoveryState, row: RecoveryRow | undefined): void {
  for (const [worker, entries] of row?.suspicions ?? []) state.suspicions.set(worker, entries);
  for (const [signature, entries] of row?.troubles ?? []) state.troubles.set(signature, entries);
  for (const outage of row?.outages ?? []) state.outages.set(outage.signature, outage);
}
