// Circuit health is the first link of the chain: what is on its way to being stopped is given work only where nobody is well.
import type { AttemptOutcome } from '@assay/protocol';
import { expect, test } from 'vitest';
import { explainTask } from '../scheduling/explain.ts';
import { policyNames } from '../scheduling/policy/policy.ts';
import type { PolicyName } from '../scheduling/policy/policy.ts';
import { Lab, only, profileOf, suiteOf } from '../testing/lab.ts';

const broken: Partial<AttemptOutcome> = {
  verdict: 'errored',
  counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  failure: { class: 'infrastructure', code: 'RUNNER_FAILED_TO_START', message: 'as planted' },
  costMs: 900,
};
const kinds = (name: string) => ({ profile: profileOf({ cpu: { model: name } as never }), profileDigest: name });

/** Two workers; of `unwell` the last `failures` attempts were its own fault. Both are free. */
function lived(failures: number, policy: PolicyName, areAlike: boolean): Lab {
  const lab = new Lab({ placement: { policy } });
  lab.join('unwell', areAlike ? {} : kinds('unwell'));
  for (let count = 0; count < failures; count += 1) {
    lab.submit([{ suite: 0, target: `early ${count}` }], { suites: [suiteOf({ retries: 0 })] });
    lab.finish('unwell', lab.held('unwell')[0]!, broken);
    const again = lab.held('unwell')[0];
    if (again !== undefined) lab.finish('unwell', again, { verdict: 'canceled' });
  }
  for (const run of lab.engine.state.runs.values())
    if (run.state.kind !== 'settled') lab.step({ kind: 'cancelRun', run: run.run, actor: 'a', reason: 'enough' });
  expect(lab.held('unwell')).toEqual([]);
  lab.join('well', areAlike ? {} : kinds('well'));
  return lab;
}

const goesTo = (lab: Lab): string => {
  const run = lab.submit([{ suite: 0, target: 'now', expectedMs: 5_000 }]);
  expect(run).toBeDefined();
  return only(lab.journal.at(-1)?.events ?? [], 'tasksAssigned')[0]?.worker ?? 'nobody';
};

test.each(policyNames)('%s: of equal workers the one whose circuit counts failures comes last', (policy) => {
  // Load and turns would choose it: the other has just been given work and is done with it.
  const lab = lived(2, policy, true);
  lab.submit([{ suite: 0, target: 'turn' }]);
  const holder = lab.held('well')[0] === undefined ? 'unwell' : 'well';
  expect(holder).toBe('well');
  lab.finish('well', lab.held('well')[0]!);
  expect(goesTo(lab)).toBe('well');
});

test.each(policyNames)('%s: unlike ones too, and what lost it is said', (policy) => {
  const lab = lived(2, policy, false);
  expect(goesTo(lab)).toBe('well');
  const id = lab.held('well')[0]!.task;
  const said = explainTask(lab.engine.state, lab.config, id, lab.nowMs)?.placement?.rule;
  expect(said).toMatch(/before unwell \(unwell: circuit worker:unwell: 2 of its last 2 failed, 2 in a row\)/);
});

test('where nobody is well, work goes on: a circuit that is closed refuses nothing', () => {
  const lab = lived(2, 'expected-finish', true);
  lab.submit([{ suite: 0, target: 'first', expectedMs: 5_000 }]);
  expect(lab.held('well')).toHaveLength(1);
  expect(goesTo(lab)).toBe('unwell');
});

test('one failure is anybody’s, and what is as old as the window says nothing', () => {
  expect(goesTo(lived(1, 'round-robin', true))).toBe('well');
  const lab = lived(2, 'least-loaded', true);
  lab.wait(3_600_001);
  lab.submit([{ suite: 0, target: 'turn' }]);
  const first = lab.held('well').length > 0 ? 'well' : 'unwell';
  lab.finish(first, lab.held(first)[0]!);
  expect(goesTo(lab)).not.toBe(first);
});
