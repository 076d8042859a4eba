import * as protocol from '@assay/protocol';
import type { RunId, TaskId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { indexOf, runIdOf, taskIdOf } from './ids.ts';

test('task ids are made and read as the protocol says', () => {
  for (const run of ['r-1', 'r-a.b', 'r-0.9.'] as RunId[]) {
    for (const index of [0, 7, 123_456]) {
      const id = protocol.taskIdOf(run, index);
      expect(taskIdOf(run, index)).toBe(id);
      expect(runIdOf(id)).toBe(protocol.runIdOf(id));
      expect(indexOf(id)).toBe(index);
    }
  }
  expect(indexOf('r-1.x' as TaskId)).toBeNaN();
});
