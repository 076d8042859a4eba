// What nvidia-smi and the kernel print, as text: the rows are of the documented format, with counters planted in them.
import { expect, test } from 'vitest';
import { checkNvidia } from './nvidia-health.ts';
import type { Ended } from './run-command.ts';

type Prints = { smi: (fields: string[]) => Ended; dmesg?: Ended };

const exited = (stdout: string, code = 0): Ended => ({ kind: 'exited', code, stdout, stderr: '' });
const notThere: Ended = { kind: 'notStarted', reason: 'ENOENT' };
const sound: Record<string, string> = {
  'ecc.errors.uncorrected.volatile.total': '0',
  'retired_pages.pending': '[N/A]',
  'remapped_rows.pending': 'No',
  'remapped_rows.failure': 'No',
  gpu_recovery_action: 'None',
};

/** Rows of `--format=csv,noheader,nounits` for GPUs on buses 3B, 5E, ... with these values. */
function rows(...gpus: Record<string, string>[]): (fields: string[]) => Ended {
  return (fields) => {
    const lines = gpus.map((gpu, index) => {
      const own = { index: String(index), 'pci.bus_id': `00000000:${['3B', '5E'][index]}:00.0`, ...sound, ...gpu };
      return fields.map((field) => own[field as keyof typeof own]).join(', ');
    });
    return exited(`${lines.join('\n')}\n`);
  };
}

function check({ smi, dmesg = exited('') }: Prints) {
  return checkNvidia((command) => {
    if (command[0] === 'dmesg') return Promise.resolve(dmesg);
    return Promise.resolve(smi((command[1] ?? '').replace('--query-gpu=', '').split(',')));
  });
}

test('GPUs without errors have passed, each for itself', async () => {
  const results = await check({ smi: rows({}, {}) });
  expect(results.map(({ device, outcome }) => [device, outcome])).toEqual([
    ['gpu:0', 'passed'],
    ['gpu:1', 'passed'],
  ]);
  // A counter that the GPU does not have says nothing.
  expect(results[0]!.evidence).not.toHaveProperty('retired_pages.pending');
});

test.each([
  ['ecc.errors.uncorrected.volatile.total', '2'],
  ['remapped_rows.failure', 'Yes'],
  ['remapped_rows.pending', 'Yes'],
  ['gpu_recovery_action', 'Reset'],
])('%s = %s fails that GPU and no other', async (field, value) => {
  const results = await check({ smi: rows({}, { [field]: value }) });
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
  expect(results[1]!.evidence.message).toBe(`${field} is ${value}`);
});

test('an Xid that needs a reset fails the GPU on that bus; one of a program does not', async () => {
  const log =
    '[1.0] NVRM: Xid (PCI:0000:5e:00): 79, GPU has fallen off the bus.\n[2.0] NVRM: Xid (PCI:0000:3b:00): 31, pid=7';
  const results = await check({ smi: rows({}, {}), dmesg: exited(log) });
  expect(results.map(({ outcome, evidence }) => [outcome, evidence.xids])).toEqual([
    ['passed', '31'],
    ['failed', '79'],
  ]);
});

test('a kernel log that may not be read is said so, and nothing is concluded from it', async () => {
  const results = await check({ smi: rows({}), dmesg: exited('', 1) });
  expect(results[0]).toMatchObject({ outcome: 'passed', evidence: { xids: 'the kernel log cannot be read' } });
});

test('an older driver is asked again without the fields that it does not know', async () => {
  const smi = (fields: string[]): Ended =>
    fields.includes('gpu_recovery_action')
      ? exited('Field "gpu_recovery_action" is not a valid field to query.\n', 2)
      : rows({})(fields);
  const results = await check({ smi });
  expect(results[0]).toMatchObject({ outcome: 'passed' });
  expect(results[0]!.evidence).not.toHaveProperty('gpu_recovery_action');
});

test('a driver that does not answer has failed; one that has no GPU, or is not there, was not run', async () => {
  const lost = exited('Unable to determine the device handle for GPU0: 0000:3B:00.0: GPU is lost.', 15);
  const outcomes = [];
  for (const ended of [lost, exited('No devices were found\n', 6), notThere])
    outcomes.push((await check({ smi: () => ended }))[0]!.outcome);
  expect(outcomes).toEqual(['failed', 'notRun', 'notRun']);
});
