// Gates in the engine: what is gated gets no new work, keeps what it has, and says why.
import type { TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { explainTask } from '../../scheduling/explain.ts';
import { kinds, Lab, only, profileOf, suiteOf, tasksOf } from '../../testing/lab.ts';
import { restore, snapshot } from '../snapshot.ts';
import { viewWorker } from '../views.ts';

function flip(lab: Lab, name: string, isShut: boolean, change: { gate?: string; device?: string | null } = {}) {
  return lab.step({
    kind: 'gateFlipped',
    worker: name as WorkerId,
    session: lab.session(name),
    gate: 'heat',
    device: null,
    isShut,
    reason: '97 degrees C',
    ...change,
  });
}

test('a worker whose gate is shut gets no new work, keeps what it runs, and works again when the gate opens', () => {
  const lab = new Lab();
  lab.join('w', { slots: 2 });
  const run = lab.submit(tasksOf(1));
  expect(lab.held('w')).toHaveLength(1);
  flip(lab, 'w', true);
  lab.submit(tasksOf(1));
  expect(lab.held('w')).toHaveLength(1);
  expect(viewWorker(lab.engine.state, 'w' as WorkerId)?.gates).toMatchObject([{ gate: 'heat', device: null }]);
  const said = explainTask(lab.engine.state, lab.config, 'r-2.0' as TaskId, lab.nowMs);
  expect(said?.reasons).toContainEqual({ reason: 'gated by heat: 97 degrees C', workers: 1 });
  lab.start('w', lab.held('w')[0]!);
  lab.finish('w', lab.held('w')[0]!);
  expect(lab.engine.state.runs.get(run)?.state.kind ?? 'gone').not.toBe('active');
  const opened = flip(lab, 'w', false);
  expect(kinds(opened)).toContain('tasksAssigned');
});

test('a device whose gate is shut is not offered, and the worker still is', () => {
  const lab = new Lab();
  lab.join('w', {
    slots: 4,
    profile: profileOf({ gpus: [{ vendor: 'nvidia', memoryMiB: 8192, via: 'nvidia-smi' }] }),
    profileDigest: 'gpu',
  });
  flip(lab, 'w', true, { gate: 'gpuMemory', device: 'gpu:0' });
  lab.submit(tasksOf(1), { suites: [suiteOf({ requires: 'devices.exists(d, d.class == "gpu")' })] });
  lab.submit(tasksOf(1));
  expect(lab.held('w').map(({ task }) => task)).toEqual(['r-2.0']);
  const said = explainTask(lab.engine.state, lab.config, 'r-1.0' as TaskId, lab.nowMs);
  expect(JSON.stringify(said)).toContain('gpu:0 is gated by gpuMemory');
  flip(lab, 'w', false, { gate: 'gpuMemory', device: 'gpu:0' });
  expect(lab.held('w')).toHaveLength(2);
});

test('a flip that is no flip changes nothing, one of an old link is refused, and a new process begins with open gates', () => {
  const lab = new Lab();
  lab.join('w');
  expect(flip(lab, 'w', false)).toEqual([]);
  const old = lab.session('w');
  flip(lab, 'w', true);
  expect(flip(lab, 'w', true)).toEqual([]);
  lab.cut('w');
  lab.join('w');
  expect(lab.engine.state.workers.get('w' as WorkerId)?.health.gates.size).toBe(1);
  lab.step({
    kind: 'gateFlipped',
    worker: 'w' as WorkerId,
    session: old,
    gate: 'x',
    device: null,
    isShut: true,
    reason: '',
  });
  expect(lab.reply.kind).toBe('refused');
  lab.cut('w');
  lab.join('w', { incarnation: 'i2' });
  expect(lab.engine.state.workers.get('w' as WorkerId)?.health.gates.size).toBe(0);
});

test('gates survive a snapshot', () => {
  const lab = new Lab();
  lab.join('w');
  const [event] = only(flip(lab, 'w', true), 'gateFlipped');
  expect(event).toMatchObject({ gate: 'heat', isShut: true });
  const text = snapshot(lab.engine.state);
  const back = restore(text);
  expect(snapshot(back)).toBe(text);
  expect(back.workers.get('w' as WorkerId)?.isSetAside).toBe(true);
});
