import type { CircuitScope, WorkerId } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { circuitIdOf, scopeOfCircuit } from './scope.ts';

const worker = fc.stringMatching(/^w-[a-z0-9]{1,10}$/) as fc.Arbitrary<WorkerId>;
const project = fc.stringMatching(/^(@[a-z-]{1,8}\/)?[a-z][a-z0-9.:-]{0,12}$/);
const suite = fc.stringMatching(/^[a-z][a-z0-9 ./:-]{0,20}$/);
const device = fc.constantFrom('gpu:0', 'gpu:12', 'npu');
const classId = fc.stringMatching(/^c[0-9a-z]{1,12}$/);

const scopes: fc.Arbitrary<CircuitScope> = fc.oneof(
  fc.record({ kind: fc.constant('worker' as const), worker }),
  fc.record({ kind: fc.constant('device' as const), worker, device }),
  fc.record({ kind: fc.constant('class' as const), class: classId }),
  fc.record({ kind: fc.constant('task' as const), project, suite }),
  fc.record({ kind: fc.constant('workerTask' as const), worker, project, suite }),
  fc.record({ kind: fc.constant('classTask' as const), class: classId, project, suite }),
  fc.record({ kind: fc.constant('dependency' as const), dependency: fc.stringMatching(/^[a-z][a-z0-9.:-]{0,20}$/) }),
);

test('safety: the id of a scope names that scope', () => {
  fc.assert(
    fc.property(scopes, (scope) => {
      expect(scopeOfCircuit(circuitIdOf(scope))).toEqual(scope);
    }),
  );
});

test('what names no scope is none', () => {
  for (const id of ['', 'worker', 'worker:', 'device:w-1', 'task:shop', 'galaxy:m31', 'worker:w-1:more'])
    expect(scopeOfCircuit(id)).toBeNull();
});
