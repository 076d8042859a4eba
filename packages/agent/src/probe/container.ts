// Which container this process is in, if any, with what was seen.
//
// Markers alone prove nothing: a VM whose disk was made from a container image keeps `/.dockerenv`. On Linux the kernel
// gives its initial namespaces fixed inode numbers (include/linux/proc_ns.h), so a process whose pid, uts and ipc
// namespaces are all initial and whose root is a block device is not in a container, whatever was left lying about.
import type { Profile } from '@assay/protocol';
import { exists, oneLine, readLink, readText } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';

export type Container = NonNullable<Profile['container']>;
type Sign = { kind: string; evidence: string };

/** Inode numbers of the initial namespaces, 0xEFFFFFFC, 0xEFFFFFFE and 0xEFFFFFFF. */
const initialNamespaces = { pid: 4_026_531_836, uts: 4_026_531_838, ipc: 4_026_531_839 };

export async function probeContainer(ctx: ProbeContext): Promise<Probed<Container>> {
  if (ctx.platform === 'darwin')
    return { value: { kind: 'none', evidence: ['macOS has no containers of its own'] }, unknown: [] };
  if (ctx.platform !== 'linux') {
    return { value: undefined, unknown: [{ field: 'container', reason: `no container probe for ${ctx.platform}` }] };
  }
  const signs = await readSigns(ctx);
  const namespaces = await readNamespaces(ctx);
  const root = rootMount((await readText(ctx, '/proc/self/mountinfo')) ?? '');
  if (namespaces.kind === 'initial' && root !== undefined && !isContainerRoot(root.type)) {
    const left = signs.map((sign) => `${sign.evidence}, but the namespaces are the machine's own`);
    const seen = `pid, uts and ipc namespaces are initial, / is ${root.type}`;
    return { value: { kind: 'none', evidence: [seen, ...left].map(cut) }, unknown: [] };
  }
  const evidence = [
    ...signs.map((sign) => sign.evidence),
    ...namespaces.evidence,
    ...(root ? [`/ is ${root.type}`] : []),
  ];
  const kind = signs[0]?.kind;
  if (kind !== undefined) return { value: { kind, evidence: evidence.map(cut) }, unknown: [] };
  // Its own namespaces without a sign of who made them: bwrap, unshare, a sandbox.
  if (namespaces.kind === 'own') return { value: { kind: 'unknown', evidence: evidence.map(cut) }, unknown: [] };
  if (namespaces.kind === 'initial') return { value: { kind: 'none', evidence: evidence.map(cut) }, unknown: [] };
  return {
    value: undefined,
    unknown: [{ field: 'container', reason: 'no marker was found and /proc/self/ns cannot be read' }],
  };
}

/** What names a container, most telling first: Kubernetes runs its containers in another engine, which leaves its marks too. */
async function readSigns(ctx: ProbeContext): Promise<Sign[]> {
  const signs: Sign[] = [];
  if (ctx.env.KUBERNETES_SERVICE_HOST !== undefined)
    signs.push({ kind: 'kubernetes', evidence: 'KUBERNETES_SERVICE_HOST is set' });
  if (await exists(ctx, '/var/run/secrets/kubernetes.io')) {
    signs.push({ kind: 'kubernetes', evidence: '/var/run/secrets/kubernetes.io is there' });
  }
  const manager = (await readText(ctx, '/run/systemd/container'))?.trim() ?? ctx.env.container;
  if (manager)
    signs.push({ kind: managerKind(manager), evidence: `the container manager calls itself ${oneLine(manager)}` });
  if (await exists(ctx, '/run/.containerenv')) signs.push({ kind: 'podman', evidence: '/run/.containerenv is there' });
  if (await exists(ctx, '/.dockerenv')) signs.push({ kind: 'docker', evidence: '/.dockerenv is there' });
  const cgroups = (await readText(ctx, '/proc/self/cgroup')) ?? '';
  const byCgroup = [
    ['kubernetes', /\/kubepods/],
    ['docker', /\/docker[-/][0-9a-f]{12}/],
    ['podman', /\/libpod-[0-9a-f]{12}/],
    ['lxc', /\/lxc(\.payload)?[./]/],
    ['systemd-nspawn', /\/machine\.slice\/systemd-nspawn/],
  ] as const;
  for (const [kind, pattern] of byCgroup)
    if (pattern.test(cgroups)) signs.push({ kind, evidence: `/proc/self/cgroup names ${kind}` });
  return signs;
}

/** The words of systemd's container interface ($container) and of podman and lxc. */
function managerKind(manager: string): string {
  if (['docker', 'podman', 'lxc', 'systemd-nspawn'].includes(manager)) return manager;
  if (manager === 'lxc-libvirt') return 'lxc';
  // podman sets container=oci where its own name is hidden.
  return manager === 'oci' ? 'podman' : 'unknown';
}

type Namespaces = { kind: 'initial' | 'own' | 'unreadable'; evidence: string[] };

async function readNamespaces(ctx: ProbeContext): Promise<Namespaces> {
  const own: string[] = [];
  for (const [name, inode] of Object.entries(initialNamespaces)) {
    const link = await readLink(ctx, `/proc/self/ns/${name}`);
    const found = /\[(\d+)\]$/.exec(link ?? '')?.[1];
    if (found === undefined) return { kind: 'unreadable', evidence: [] };
    if (Number(found) !== inode) own.push(name);
  }
  return own.length === 0
    ? { kind: 'initial', evidence: [] }
    : { kind: 'own', evidence: [`it has its own ${own.join(', ')} namespaces`] };
}

/** Its type only: the device's name differs between equal machines, and a volume may be named after its host. */
function rootMount(mountinfo: string): { type: string } | undefined {
  // The last mount on / is the one in use: an initramfs leaves its own below it.
  const line = mountinfo.split('\n').findLast((entry) => entry.split(' ')[4] === '/');
  const type = line?.split(' - ')[1]?.split(' ')[0];
  return type === undefined ? undefined : { type };
}

/** Layered roots, which a machine of its own rarely has (live systems do: they have initial namespaces and no marker). */
function isContainerRoot(type: string): boolean {
  return type === 'overlay' || type === 'aufs' || type === 'fuse.fuse-overlayfs';
}

function cut(text: string): string {
  return text.slice(0, 300);
}
