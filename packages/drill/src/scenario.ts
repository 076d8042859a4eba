// A scenario: the faults of a drill one by one, from a file, instead of drawn from a seed. The seed still gives what is not said.
import { AssayError } from '@assay/protocol';
import { z } from 'zod';
import { faultOf } from './faults/registry.ts';

const stepsMax = 1_000;

/** The contents of a scenario file (`assay drill --scenario FILE`), JSON. */
export const Scenario = z.strictObject({
  /** The workers of the fleet; those that a step names have to be among `worker-1` to `worker-N`. */
  workers: z.number().int().min(2).max(50).optional(),
  steps: z
    .array(
      z.strictObject({
        fault: z.string(),
        /** Whom it is done to, of faults that are done to a worker; drawn from the seed where it is not said. */
        worker: z.string().optional(),
        /** Ordinary tasks that are given out with it. */
        tasks: z.number().int().min(0).max(100_000).optional(),
      }),
    )
    .min(1)
    .max(stepsMax),
});
export type Scenario = z.infer<typeof Scenario>;

/** Throws CONFIG_INVALID with the places that are wrong. */
export function readScenario(text: string, path: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AssayError('CONFIG_INVALID', `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = Scenario.safeParse(value);
  const problems = parsed.success
    ? parsed.data.steps.flatMap(({ fault }, index) =>
        faultOf(fault) === undefined ? [`steps.${index}.fault: there is no fault ${fault}`] : [],
      )
    : parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the scenario'}: ${message}`);
  if (!parsed.success || problems.length > 0)
    throw new AssayError('CONFIG_INVALID', `${path}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  return parsed.data;
}
