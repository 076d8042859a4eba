// Which workers satisfy a requirement, and why the others do not: for people who write one. The engine asks the same questions of
// capability classes; here each worker is asked, once and by name.
import type { Profile } from '@assay/protocol';
import { checkRequirement } from './check-requirement.ts';
import { factsOf } from './facts.ts';
import type { DeclaredLabels } from './facts.ts';
import { fit } from './requirement.ts';

export type Offered = {
  readonly name: string;
  readonly pool: string;
  readonly profile: Profile;
  readonly declared: DeclaredLabels;
  /** Of the worker's token. */
  readonly trust?: string | undefined;
};
export type Satisfier = { readonly name: string; readonly fits: boolean; readonly reasons: readonly string[] };
export type Satisfiers =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'ok'; readonly workers: readonly Satisfier[] };

/** In the order in which the workers came. */
export function satisfiersOf(text: string, workers: readonly Offered[]): Satisfiers {
  const checked = checkRequirement(text);
  if (checked.kind === 'refused') return checked;
  return {
    kind: 'ok',
    workers: workers.map(({ name, pool, profile, declared, trust }) => {
      const verdict = fit(checked.requirement, factsOf(pool, profile, declared, trust));
      return { name, fits: verdict.kind === 'fits', reasons: verdict.kind === 'fits' ? [] : verdict.reasons };
    }),
  };
}
