// No fault counts as injected where it was not: for each one, what it does is tried where it can have no effect, and its proof has to
// fail. And where the same thing really happens, the proof is there.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shown } from '../stages/perform-task.ts';
import { UndoStack } from '../undo.ts';
import { DrillFleet } from '../world/fleet.ts';
import { signal } from '../world/processes.ts';
import { DependencyService } from '../world/service.ts';
import type { Act, FleetFault, TaskFault } from './fault.ts';
import { allFaults, faultOf } from './registry.ts';

let directory: string;
let undo: UndoStack;
const children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-proofs-'));
  undo = new UndoStack();
});
afterEach(async () => {
  await undo.all();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A service that is told to fail and does not listen. */
class DeafService extends DependencyService {
  override trouble(): Promise<void> {
    return Promise.resolve();
  }
}

/** A fleet of which nothing runs: no process, no byte on its link. */
async function idle(service: DependencyService): Promise<Act> {
  const fleet = new DrillFleet({
    directory,
    logs: join(directory, 'logs'),
    program: ['true'],
    undo,
    seed: 1,
    signal: new AbortController().signal,
    settings: () => ({}),
    coordinatorEnv: {},
  });
  await service.start();
  undo.add('stop the service', () => service.stop());
  const worker = await fleet.addWorker('worker-1');
  return { fleet, service, undo, marks: directory, signal: fleet.options.signal, random: () => 0.5, worker };
}

function child(code: string): Promise<ChildProcess> {
  const started = spawn(process.execPath, ['-e', `console.log('up'); ${code}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(started);
  return new Promise((resolve) => started.stdout.once('data', () => resolve(started)));
}

const fleetFaults = allFaults.filter((fault): fault is FleetFault => fault.kind === 'fleet');
const taskFaults = allFaults.filter((fault): fault is TaskFault => fault.kind === 'task');

test.each(fleetFaults)('$id is not injected where it has no effect', async (fault) => {
  const act = await idle(new DeafService());
  // What a device fault breaks is not there to be broken.
  if (fault.id === 'device-black-hole') rmSync(act.worker.tool);
  if (fault.id === 'device-check') rmSync(act.worker.directory, { recursive: true });
  await expect(fault.inject(act)).rejects.toThrow();
});

const opposite: Readonly<Record<TaskFault['shows'], string>> = {
  said: 'setInterval(() => {}, 1000)',
  gone: 'setInterval(() => {}, 1000)',
  burning: 'setInterval(() => {}, 1000)',
  idle: 'for (;;);',
};

test.each(taskFaults)('$id is not injected where its process does the opposite', async (fault) => {
  const { pid = 0 } = await child(opposite[fault.shows]);
  const mark = { pid, text: 'nothing happened' };
  await expect(shown(fault, mark, new AbortController().signal, 300)).rejects.toThrow();
});

test('a signal never goes to a group: 0 and less reach nobody', () => {
  expect([signal(0, 'SIGTERM'), signal(-1, 'SIGTERM')]).toEqual([false, false]);
});

const done = (id: string): FleetFault => faultOf(id) as FleetFault;

test('a stopped process is proved by its state, and woken by the undo', async () => {
  const act = await idle(new DependencyService());
  act.worker.child = await child('setInterval(() => {}, 1000)');
  const { proof } = await done('worker-stop').inject(act);
  expect(proof).toMatchObject({ source: `/proc/${act.worker.pid}/stat`, saw: 'state T' });
  expect(undo.open).toContain(`wake process ${act.worker.pid}`);
});

test('a killed process is proved by what waitpid says', async () => {
  const act = await idle(new DependencyService());
  act.worker.child = await child('setInterval(() => {}, 1000)');
  const { proof } = await done('worker-kill').inject(act);
  expect(proof.saw).toMatch(/^state [RSD] before, then ended by SIGKILL$/);
});

test('a service that refuses is proved by a connection of our own, and comes back', async () => {
  const act = await idle(new DependencyService());
  const { proof, undo: back } = await done('dependency-down').inject(act);
  expect(proof.saw).toBe('connect: ECONNREFUSED');
  expect((await back()).saw).toMatch(/^status 200/);
});

test('bytes that a black hole holds back are counted, and arrive after the mending', async () => {
  const act = await idle(new DependencyService());
  const heard: string[] = [];
  const far = await new Promise<Server>((resolve) => {
    const server = createServer((socket) => socket.on('data', (bytes) => heard.push(bytes.toString())));
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
  undo.add('close the far end', () => void far.close());
  const address = far.address();
  act.fleet.port = typeof address === 'object' && address !== null ? address.port : 0;
  const near = connect(act.worker.link.port, '127.0.0.1');
  undo.add('close the near end', () => void near.destroy());
  near.write('before');
  await expect.poll(() => heard.join('')).toBe('before');
  const injecting = done('link-black-hole').inject(act);
  near.write('during');
  expect((await injecting).proof.saw).toBe('6 bytes held back');
  expect(heard.join('')).toBe('before');
  act.worker.link.mend();
  await expect.poll(() => heard.join('')).toBe('beforeduring');
});
