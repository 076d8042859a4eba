// Resident memory of an idle agent: a real agent process, connected to a real server, its first measurement of the machine
// done, after a while of heartbeats. Prints what the system counts (VmRSS), and its part that is not shared with other
// processes. Linux only. Run: node bench/agent-memory/main.ts [seconds]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedCoordinator } from '../../packages/agent/src/link/scripted-coordinator.ts';

const boundMiB = 90;
const seconds = Number(process.argv[2] ?? 20);

function residentOf(pid: number): { totalMiB: number; anonymousMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  return { totalMiB: field('VmRSS'), anonymousMiB: field('RssAnon') };
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('this measurement reads /proc and needs Linux');
  const stateDir = mkdtempSync(join(tmpdir(), 'assay-agent-memory-'));
  const coordinator = await ScriptedCoordinator.start();
  const entry = join(import.meta.dirname, '../../packages/agent/src/agent-process.mjs');
  const child = spawn(process.execPath, ['--max-semi-space-size=2', entry], { stdio: ['pipe', 'ignore', 'inherit'] });
  try {
    child.stdin.end(JSON.stringify({ url: coordinator.url, token: coordinator.token, stateDir }));
    await coordinator.until('hello', () => coordinator.hellos.length === 1, 60_000);
    const samples: { totalMiB: number; anonymousMiB: number }[] = [];
    for (let second = 1; second <= seconds; second += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      samples.push(residentOf(child.pid!));
    }
    const last = samples.at(-1)!;
    const highest = Math.max(...samples.map((sample) => sample.totalMiB));
    console.log(
      `idle agent, Node ${process.version}, after ${seconds} s: ${last.totalMiB.toFixed(1)} MiB resident, of it ${last.anonymousMiB.toFixed(1)} MiB its own`,
    );
    console.log(
      `highest of ${samples.length} samples: ${highest.toFixed(1)} MiB; goal at most ${boundMiB} MiB: ${highest <= boundMiB ? 'met' : 'NOT met'}`,
    );
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    await coordinator.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

await main();
