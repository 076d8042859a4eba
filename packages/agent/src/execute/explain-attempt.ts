// What the failure rules say of an attempt that did not pass: the agent's own finding together with all that was seen.
import { explainFailure } from '@assay/protocol';
import type { Explained, Suite } from '@assay/protocol';
import { textOf } from './failed-texts.ts';
import type { FailedTexts } from './failed-texts.ts';
import type { judge, Seen } from './outcome-rules.ts';

type Told = {
  readonly failure: NonNullable<ReturnType<typeof judge>['failure']>;
  readonly seen: Seen;
  readonly suite: Suite;
  readonly failed: FailedTexts;
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** What the kernel wrote meanwhile. */
  readonly kernel: string;
  readonly output: string;
};

export function explain({ failure, seen, suite, failed, exit, kernel, output }: Told): Explained {
  const loose = [...(seen.loadError === null ? [] : [seen.loadError]), ...seen.errors];
  return explainFailure(
    {
      ...failure,
      exit,
      kernel,
      failures: [...failed.texts, ...loose.slice(0, 20).map(textOf)],
      failuresLeftOut: failed.leftOut + Math.max(0, loose.length - 20),
      output,
      usesDevice: usesDevice(suite),
    },
    suite.failureRules,
  );
}

/** Whether a suite asks for more than a processor: then what happens to a device of the machine concerns it. */
export function usesDevice({ requires, claims }: Pick<Suite, 'requires' | 'claims'>): boolean {
  return (claims?.length ?? 0) > 0 || /gpu|npu|tpu|accelerator|devices\b/i.test(requires);
}
