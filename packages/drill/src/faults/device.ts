// Device faults: a worker that fails everything at once, a check that starts to fail and recovers. The device `rig` is a declared
// one: what is drilled is what Assay does about a device that its own check finds broken, not the accelerator itself.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { until } from '../until.ts';
import { type Act, type FleetFault, type Injected, type Proof, proof } from './fault.ts';

/** The toolchain is held open for writing: Linux then refuses to start it (ETXTBSY), and every task fails at once. */
async function blackHole(act: Act): Promise<Injected> {
  const { tool, name } = act.worker;
  const handle = openSync(tool, 'r+');
  const release = act.undo.add(`close the toolchain of ${name}`, () => closeSync(handle));
  const attempt = spawnSync(tool, ['probe']);
  const code = (attempt.error as NodeJS.ErrnoException | undefined)?.code ?? `exit code ${attempt.status ?? 'none'}`;
  if (code !== 'ETXTBSY') {
    await release();
    throw new Error(`the toolchain still starts: ${code}`);
  }
  const undo = async (): Promise<Proof> => {
    await release();
    const again = spawnSync(tool, ['probe']);
    if (again.status !== 0) throw new Error(`the toolchain does not start again: ${String(again.error)}`);
    return proof(`execve of ${tool}`, 'starts, exit code 0');
  };
  return { proof: proof(`execve of ${tool}`, code), undo };
}

async function failingCheck(act: Act): Promise<Injected> {
  const { rigIsBroken, name } = act.worker;
  const mend = act.undo.add(`mend the rig of ${name}`, () => rmSync(rigIsBroken, { force: true }));
  writeFileSync(rigIsBroken, '');
  const check = (): number | null => spawnSync('test', ['!', '-e', rigIsBroken]).status;
  const status = check();
  if (status !== 1) throw new Error(`its check still passes: exit code ${status ?? 'none'}`);
  const undo = async (): Promise<Proof> => {
    await mend();
    const after = check();
    await until(
      `the rig of ${name} is ready again`,
      async () => {
        const view = await act.fleet.client.readWorker(act.worker.id).catch(() => null);
        const rig = view?.devices?.find(({ device }) => device === 'rig');
        return rig?.condition.kind === 'ready' ? true : null;
      },
      { timeoutMs: 60_000, signal: act.signal, everyMs: 100 },
    );
    return proof(`the check of the rig of ${name}`, `exit code ${after ?? 'none'}`);
  };
  return { proof: proof(`the check of the rig of ${name}`, `exit code ${status}`), undo };
}

export const deviceFaults: readonly FleetFault[] = [
  {
    kind: 'fleet',
    id: 'device-black-hole',
    brings: 12,
    bringsAfter: 9,
    family: 'device',
    title: 'a worker becomes a black hole: its toolchain cannot be started, every task fails at once',
    work: 'tool',
    effect: { kind: 'circuit', scope: 'worker', withinMs: 20_000 },
    holdMs: 300,
    needsWork: false,
    whyNot: () =>
      process.platform === 'linux' ? null : 'only Linux refuses to start a program that is open for writing',
    inject: blackHole,
  },
  {
    kind: 'fleet',
    id: 'device-check',
    brings: 2,
    bringsAfter: 2,
    family: 'device',
    title: 'the check of a declared device starts to fail, and recovers',
    work: 'rig',
    effect: { kind: 'quarantined', withinMs: 30_000 },
    holdMs: 300,
    needsWork: false,
    inject: failingCheck,
  },
];
