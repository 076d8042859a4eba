// A story of an earlier system that must not come back: work given to hardware that only *scores* well but does not fit. Each row is a
// machine that is better than what is asked in every way but one. It gets nothing, says which part it misses, and the plain
// machine that fits gets the work although it has less of everything.
import type { Gpu, TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { explainTask } from '../scheduling/explain.ts';
import { Lab, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';

const plain: Gpu = {
  vendor: 'nvidia',
  model: 'Tesla T4',
  memoryMiB: 15_360,
  computeCapability: '7.5',
  via: 'nvidia-smi',
};
const giant: Gpu = { ...plain, model: 'NVIDIA H200', memoryMiB: 143_771, computeCapability: '9.0' };
const wanted = 'd.class == "gpu" && d.vendor == "nvidia" && d.memory >= GiB(8) && d.precisions.size() > 0';
const requires = `devices.exists(d, ${wanted}) && cpu.count >= 2 && "avx2" in cpu.isa && declared.licensed == true`;
const able = { cpu: { count: 128, isa: ['avx2', 'avx512f'] }, memory: { totalMiB: 2_000_000 } };

type Almost = { gpus: Gpu[]; profile?: Parameters<typeof profileOf>[0]; declared?: Record<string, boolean> };
const rows: [string, Almost, string][] = [
  ['twice the memory, of another vendor', { gpus: [{ ...giant, vendor: 'amd' }] }, 'has d.vendor == "nvidia"'],
  [
    'eight newest cards, each a MiB short',
    { gpus: Array(8).fill({ ...giant, memoryMiB: 8_191 }) as Gpu[] },
    'GiB(8): there is MiB(8191)',
  ],
  [
    'a card whose memory nobody could measure',
    { gpus: [{ vendor: 'nvidia', via: 'drm' }] },
    'has d.memory >= GiB(8): there is unknown',
  ],
  [
    'the best GPU and a single processor',
    { gpus: [giant], profile: { cpu: { count: 1, isa: ['avx2'] } } },
    'cpu.count is 1, needs >= 2',
  ],
  [
    'the best GPU without the instructions',
    { gpus: [giant], profile: { cpu: { count: 128, isa: ['neon'] } } },
    'cpu.isa lacks "avx2"',
  ],
  [
    'everything but the licence',
    { gpus: [giant], declared: { licensed: false } },
    'declared.licensed is false, needs == true',
  ],
  ['everything, and nobody declared the licence', { gpus: [giant], declared: {} }, 'declared.licensed is not declared'],
];

test.each(rows)(
  '%s: it gets nothing, and says why',
  (_name, { gpus, profile = {}, declared = { licensed: true } }, why) => {
    const lab = new Lab();
    lab.join('almost', {
      slots: 64,
      profile: profileOf({ ...able, gpus, ...profile }),
      profileDigest: 'almost',
      declared,
    });
    lab.submit(tasksOf(3), { suites: [suiteOf({ requires })] });
    expect(lab.held('almost')).toEqual([]);
    const said = explainTask(lab.engine.state, lab.config, 'r-1.0' as TaskId, lab.nowMs);
    expect(said?.reasons.map(({ reason }) => reason).join('; ')).toContain(why);
    // Less of everything, busier, and later: it fits.
    lab.join('plain', {
      slots: 3,
      profile: profileOf({ cpu: { count: 2, isa: ['avx2'] }, memory: { totalMiB: 2048 }, gpus: [plain] }),
      profileDigest: 'plain',
      declared: { licensed: true },
    });
    expect(lab.held('plain')).toHaveLength(3);
    expect(lab.engine.state.workers.get('almost' as WorkerId)?.assignments.size).toBe(0);
  },
);
