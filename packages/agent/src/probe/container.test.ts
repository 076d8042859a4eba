import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { probeContainer } from './container.ts';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';

async function containerOf(name: string, env: Record<string, string> = {}) {
  const root = writeTree(fixtureText(name));
  try {
    return await probeContainer(machineAt(root, { env }));
  } finally {
    rmSync(root, { recursive: true });
  }
}

test.each([
  ['container-docker.tree', {}, 'docker'],
  ['container-podman.tree', {}, 'podman'],
  ['container-nspawn.tree', {}, 'systemd-nspawn'],
  ['container-docker.tree', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'kubernetes'],
  ['container-sandbox.tree', {}, 'unknown'],
  ['container-sandbox.tree', { container: 'lxc' }, 'lxc'],
  ['container-vm-from-image.tree', {}, 'none'],
])('%s with %j is %s', async (name, env, kind) => {
  const { value, unknown } = await containerOf(name, env);
  expect(unknown).toEqual([]);
  expect(value?.kind).toBe(kind);
  expect(value?.evidence.length).toBeGreaterThan(0);
});

test('a marker that the namespaces contradict is told as evidence, and not believed', async () => {
  const { value } = await containerOf('container-vm-from-image.tree');
  expect(value?.evidence).toEqual([
    'pid, uts and ipc namespaces are initial, / is ext4',
    "/.dockerenv is there, but the namespaces are the machine's own",
  ]);
});

test('without markers and without readable namespaces the answer is unknown', async () => {
  const { value, unknown } = await containerOf('cgroup-v2-nested.tree');
  expect(value).toBeUndefined();
  expect(unknown).toEqual([{ field: 'container', reason: 'no marker was found and /proc/self/ns cannot be read' }]);
});
