// For tests: a `.tree` file of fixtures/probe written out as a real folder, and a context whose root is that folder, so
// that the probes read real files and start real (small) programs. The format is described in fixtures/probe/README.md.
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { thisMachine, runCommand } from './context.ts';
import type { ProbeContext } from './context.ts';

const folder = join(import.meta.dirname, '../../fixtures/probe');

export function fixtureText(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** Writes a tree to a new temporary folder, which the caller removes, and gives the folder's path. */
export function writeTree(text: string): string {
  const root = mkdtempSync(join(tmpdir(), 'assay-probe-'));
  const [, ...sections] = text.split(/^-- (.+) --\n/m);
  for (let index = 0; index + 1 < sections.length; index += 2) {
    const [path = '', target] = (sections[index] ?? '').split(' -> ');
    const content = sections[index + 1] ?? '';
    const place = join(root, path);
    mkdirSync(path.endsWith('/') ? place : dirname(place), { recursive: true });
    if (target !== undefined) symlinkSync(target, place);
    else if (!path.endsWith('/')) writeFileSync(place, content, { mode: content.startsWith('#!') ? 0o755 : 0o644 });
  }
  return root;
}

/** A machine that has nothing but the tree: programs are looked for under its root, in `/bin`, and started there. */
export function machineAt(root: string, overrides: Partial<ProbeContext> = {}): ProbeContext {
  return thisMachine({
    root,
    platform: 'linux',
    arch: 'x64',
    env: { PATH: '/bin' },
    hostname: 'fixture',
    kernel: '6.1.0',
    node: { path: '/opt/assay/node', version: '24.21.0' },
    run: (command, args, timeoutMs) => runCommand(join(root, command), args, timeoutMs),
    ...overrides,
  });
}
