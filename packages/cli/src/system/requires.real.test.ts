// `assay requires` as people use it: without any coordinator, where this machine is measured, and beside a fleet of one worker
// that declares a label.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectUnderTest, type Running } from './assay-process.ts';
import { until } from './fleet-under-test.ts';

let project: ProjectUnderTest;
const running: Running[] = [];

beforeAll(() => {
  project = new ProjectUnderTest({});
});
afterAll(async () => {
  for (const { child, ended } of running.toReversed()) {
    child.kill('SIGTERM');
    await ended;
  }
  project.close();
});

const check = async (expression: string) => project.assay('requires', '--check', expression);

test('without a coordinator the types are checked, and this machine is asked', async () => {
  const sound = await check('devices.exists(d, d.class == "cpu" && d.memory > MiB(64)) && memory.total > GiB(0.1)');
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 worker of this machine') as string });
  const misfit = await check('devices.exists(d, d.class == "tpu" && d.family == "no-such-family")');
  expect(misfit).toMatchObject({ code: 3, stdout: expect.stringContaining('none of the') as string });
  const misspelt = await check('devices.exists(d, d.memry >= GiB(8))');
  expect(misspelt).toMatchObject({ code: 2, stdout: expect.stringContaining('did you mean memory?') as string });
  const bare = await check('memory.total >= 8');
  expect(bare).toMatchObject({ code: 2, stdout: expect.stringContaining('give the number a unit') as string });
});

test('--list prints the vocabulary, and saying neither or both is refused', async () => {
  const { code, stdout } = await project.assay('requires', '--list', '--json');
  expect(code).toBe(0);
  const { devices, fields, units } = JSON.parse(stdout) as Record<string, { field: string }[]>;
  expect(devices?.map(({ field }) => field)).toContain('d.memory');
  expect(fields?.map(({ field }) => field)).toEqual(
    expect.arrayContaining(['cpu.isaGroups', 'declared', 'enforced.pool']),
  );
  expect(units).toHaveLength(2);
  expect(await project.assay('requires')).toMatchObject({ code: 2 });
});

test('beside a coordinator its workers are asked by name, and one worker is shown with who vouches for what', async () => {
  const start = (args: string[], env: NodeJS.ProcessEnv = {}): Running => {
    const started = project.start(args, env);
    running.push(started);
    return started;
  };
  const up = start(['up', '--port', '0', '--quiet']);
  const url = await until(
    'the coordinator says where it is',
    () => up.stderr().match(/http:\/\/[0-9.]+:\d+/)?.[0] ?? null,
  );
  const token = await project.assay('token', 'create', '--scope', 'worker:default', 'trust:gold', '--name', 'lab');
  const lab = ['worker', '--join', url, '--name', 'lab-1', '--slots', '1', '--declare', 'rack=7'];
  const first = start(lab, { ASSAY_TOKEN: token.stdout.trim() });
  await until('the worker has joined', async () =>
    (await project.assay('workers')).stdout.includes('ready') ? true : null,
  );
  const fits = await check('declared.rack == 7 && enforced.pool == "default" && enforced.trust == "gold"');
  expect(fits).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ lab-1') as string });
  // What a worker says of itself is declared, whatever it calls it.
  expect((await check('declared.trust == "gold"')).stdout).toContain('declared.trust is not declared');
  const misfits = await check('declared.rack == 8');
  expect(misfits.code).toBe(3);
  expect(misfits.stdout).toContain('declared.rack is 7, needs == 8');
  const list = JSON.parse((await project.assay('workers', '--json')).stdout) as { worker: string }[];
  const { stdout } = await project.assay('workers', list[0]!.worker);
  expect(stdout).toContain('declared by the operator: rack=7');
  expect(stdout).toContain('enforced by the server: pool=default trust=gold');
  expect(stdout).toContain('cpu:0 ');
  expect(stdout).not.toContain('its profile changed');

  // The machine gets another runtime while the worker is away: the next hello brings the change, in words.
  first.child.kill('SIGTERM');
  await first.ended;
  const tools = join(project.path, 'tools');
  mkdirSync(tools);
  writeFileSync(join(tools, 'go'), '#!/bin/sh\necho go version go1.99.7 linux/amd64\n', { mode: 0o755 });
  start(lab, { ASSAY_TOKEN: token.stdout.trim(), PATH: `${tools}:${process.env['PATH'] ?? ''}` });
  const changed = await until('the change is told', async () => {
    const said = (await project.assay('workers', list[0]!.worker)).stdout;
    return said.includes('its profile changed') ? said : null;
  });
  expect(changed).toContain('runtimes.go.version: 1.99.7');
  expect((await check('runtimes.go.minor == 99')).code).toBe(0);
}, 120_000);
