// The health that NVIDIA's driver itself reports, for each of its GPUs: uncorrected memory errors since the last reboot, rows
// and pages that wait to be taken out of use, the recovery that the driver asks for, and Xid errors in the kernel's log where
// that may be read. A query of counters: it disturbs nothing that runs.
//
// Fields that a driver does not know are left out one by one, and a counter that a GPU does not have ("[N/A]") says nothing.
import type { CheckResult } from '@assay/protocol';
import { evidenceOf, runCommand } from './run-command.ts';
import type { Ended } from './run-command.ts';

export type Run = (command: readonly string[], timeoutMs: number) => Promise<Ended>;

type Health = { readonly index: number; readonly busId: string; readonly values: Readonly<Record<string, string>> };

/** Counters that are 0, and answers that are No or None, on a sound GPU. */
const counters = [
  'ecc.errors.uncorrected.volatile.total',
  'retired_pages.pending',
  'remapped_rows.pending',
  'remapped_rows.failure',
  'gpu_recovery_action',
] as const;
const sound = new Set(['0', 'No', 'None']);
const timeoutMs = 30_000;
/** Xid codes that say that the GPU has to be reset or is gone; others are a program's own doing (NVIDIA, "Xid Errors"). */
const fatalXids = new Set([48, 62, 64, 74, 79, 92, 94, 95, 109, 110, 119, 120, 136, 140, 143, 158]);

/** One result for each GPU, `gpu:N` in nvidia-smi's order; one without a device where there is none to ask. */
export async function checkNvidia(run: Run): Promise<CheckResult[]> {
  const startedMs = performance.now();
  const look = await query(run);
  const durationMs = (): number => performance.now() - startedMs;
  if (look.kind === 'notRun')
    return [{ check: 'nvidia', outcome: 'notRun', evidence: look.evidence, durationMs: durationMs() }];
  if (look.kind === 'failed')
    return [{ check: 'nvidia', outcome: 'failed', evidence: look.evidence, durationMs: durationMs() }];
  const xids = await kernelXids(run);
  return look.gpus.map(({ index, busId, values }) => {
    const wrong = Object.entries(values).filter(([, value]) => !sound.has(value));
    const found = xids === null ? [] : xids.filter((xid) => busId.toLowerCase().endsWith(xid.bus));
    const fatal = found.filter(({ code }) => fatalXids.has(code));
    const troubles = [
      ...wrong.map(([name, value]) => `${name} is ${value}`),
      ...fatal.map(({ code }) => `Xid ${code} in the kernel log`),
    ];
    return {
      check: `nvidia gpu-${index}`,
      device: `gpu:${index}`,
      outcome: troubles.length === 0 ? 'passed' : 'failed',
      evidence: {
        ...values,
        xids: xids === null ? 'the kernel log cannot be read' : found.map(({ code }) => code).join(' ') || 'none',
        ...(troubles.length === 0 ? {} : { message: troubles.join('; ').slice(0, 1_000) }),
      },
      durationMs: durationMs(),
    };
  });
}

type Look =
  | { kind: 'notRun'; evidence: Record<string, string> }
  | { kind: 'failed'; evidence: Record<string, string> }
  | { kind: 'found'; gpus: Health[] };

async function query(run: Run): Promise<Look> {
  let fields: string[] = [...counters];
  for (;;) {
    const ended = await run(
      ['nvidia-smi', `--query-gpu=${['index', 'pci.bus_id', ...fields].join(',')}`, '--format=csv,noheader,nounits'],
      timeoutMs,
    );
    if (ended.kind === 'notStarted') return { kind: 'notRun', evidence: { message: 'nvidia-smi is not installed' } };
    const text = ended.kind === 'exited' ? `${ended.stdout}\n${ended.stderr}` : '';
    if (/No devices were found/.test(text)) return { kind: 'notRun', evidence: { message: 'no NVIDIA GPU is there' } };
    const unknown = /Field "([a-z_.]+)" is not a valid field/i.exec(text)?.[1];
    if (unknown !== undefined && fields.includes(unknown)) {
      fields = fields.filter((field) => field !== unknown);
      continue;
    }
    if (ended.kind !== 'exited' || ended.code !== 0)
      return { kind: 'failed', evidence: { message: 'nvidia-smi does not answer', ...evidenceOf(ended, timeoutMs) } };
    return { kind: 'found', gpus: parse(ended.stdout, fields) };
  }
}

function parse(text: string, fields: readonly string[]): Health[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [index = '', busId = '', ...cells] = line.split(',').map((cell) => cell.trim());
      const values: Record<string, string> = {};
      fields.forEach((field, at) => {
        const cell = cells[at];
        if (cell !== undefined && cell !== '' && !/^\[.*\]$|^N\/A$/.test(cell)) values[field] = cell;
      });
      return { index: Number(index), busId, values };
    })
    .filter(({ index }) => Number.isInteger(index));
}

/** `NVRM: Xid (PCI:0000:3b:00): 79, ...`; null where the log may not be read. */
async function kernelXids(run: Run): Promise<{ bus: string; code: number }[] | null> {
  const ended = await run(['dmesg'], timeoutMs);
  if (ended.kind !== 'exited' || ended.code !== 0) return null;
  return [...ended.stdout.matchAll(/NVRM: Xid \(PCI:([0-9a-f:.]+)\): (\d+)/gi)].map(([, bus = '', code]) => ({
    // The kernel leaves out the function, nvidia-smi prints it: 3b:00 and 00000000:3B:00.0.
    bus: `${bus.toLowerCase().split(':').slice(-2).join(':').replace(/\.\d$/, '')}.0`,
    code: Number(code),
  }));
}

/** As the checker runs it. */
export function nvidiaRun(directory: string, env: Readonly<Record<string, string | undefined>>): Run {
  return (command, limitMs) => runCommand({ command, timeoutMs: limitMs, directory, env });
}
