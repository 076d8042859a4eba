// Runs the `sh` blocks of every page for real, in order, as somebody would who follows the page: with `assay` on the PATH, in a
// scratch copy of a small project, with a state directory and a home of their own. Tags of a block:
//   exits=N         the exit code that it must have (0 where nothing is said)
//   starts="text"   it stays: started, waited for until it printed the text, and ended by its pid after the page
//   needs="a b"     programs that a machine may lack: the page is then skipped, by name (with ASSAY_REQUIRE_ALL=1 it fails)
//   in=PROJECT      another project than `hello` (see projects below); it stays so for this block alone
// Variables that a block sets are there for the next ones. Port 7420 becomes a free one, so that nothing on this machine is in
// the way, and `--host 0.0.0.0` loopback, so that nothing is opened to a network. A `text output` block is compared with what was printed: its lines must come in order; times, ids and counts that
// differ from machine to machine are equal to each other.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Block, placeOf, readPages, root } from './markdown.ts';

const blockTimeoutMs = 120_000;
const stopGraceMs = 15_000;

const helloFiles: Record<string, string> = {
  'package.json': '{ "name": "hello", "type": "module", "scripts": { "test": "node --test" } }\n',
  'src/add.js': 'export const add = (a, b) => a + b;\n',
  'test/add.test.js': `import assert from 'node:assert';
import test from 'node:test';
import { add } from '../src/add.js';
test('adds', () => assert.equal(add(1, 2), 3));
`,
  'test/subtract.test.js': `import assert from 'node:assert';
import test from 'node:test';
import { add } from '../src/add.js';
test('subtracts', () => assert.equal(add(3, -2), 1));
`,
};

/** A page's scratch directory, its environment and what it left running. */
class Reader {
  directory = '';
  readonly #running: ChildProcess[] = [];
  #port = 0;
  lastOutput = '';

  async prepare(): Promise<void> {
    this.directory = mkdtempSync(join(tmpdir(), 'assay-docs-'));
    this.#port = await freePort();
    for (const [path, text] of Object.entries(helloFiles)) {
      const file = join(this.directory, 'hello', path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
    }
    const storefront = join(this.directory, 'storefront');
    cpSync(join(root, 'examples/storefront'), storefront, {
      recursive: true,
      filter: (source) => !source.includes('node_modules'),
    });
    symlinkSync(join(root, 'node_modules'), join(storefront, 'node_modules'), 'junction');
    mkdirSync(join(this.directory, 'bin'));
    const assay = join(this.directory, 'bin', 'assay');
    writeFileSync(assay, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/assay.mjs')}' "$@"\n`);
    chmodSync(assay, 0o755);
  }

  async run(block: Block): Promise<void> {
    const child = this.#start(block);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const wanted = block.tags.get('starts');
    if (wanted !== undefined) {
      this.#running.push(child);
      await Promise.race([
        printed(child, () => output, wanted),
        closed.then((code) => Promise.reject(new Error(`${placeOf(block)} ended with ${code}:\n${output}`))),
      ]);
      return;
    }
    const timer = setTimeout(() => endGroup(child, 'SIGKILL'), blockTimeoutMs);
    const code = await closed;
    clearTimeout(timer);
    this.lastOutput = output;
    expect(code, `${placeOf(block)} printed:\n${output}`).toBe(Number(block.tags.get('exits') ?? 0));
  }

  #start(block: Block): ChildProcess {
    const saved = join(this.directory, 'variables');
    const script = `if [ -f '${saved}' ]; then . '${saved}'; fi\nset -e\n${this.adapted(block.text)}\nexport -p > '${saved}'\n`;
    const stays = block.tags.has('starts');
    return spawn(
      'sh',
      ['-c', stays ? `if [ -f '${saved}' ]; then . '${saved}'; fi\n${this.adapted(block.text)}` : script],
      {
        cwd: this.#cwdOf(block),
        env: this.#environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
  }

  /** The block as it is run here: a free port in the place of 7420, and never open to a network. */
  adapted(text: string): string {
    return text.replaceAll('7420', String(this.#port)).replaceAll('--host 0.0.0.0', '--host 127.0.0.1');
  }

  #cwdOf(block: Block): string {
    const project = block.tags.get('in') ?? 'hello';
    return project === 'checkout' ? root : join(this.directory, project);
  }

  #environment(): NodeJS.ProcessEnv {
    const ours = /^(ASSAY_|VITEST|NODE_OPTIONS$|npm_)/;
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    const home = join(this.directory, 'home');
    mkdirSync(home, { recursive: true });
    return {
      ...env,
      HOME: home,
      npm_config_prefix: join(this.directory, 'npm'),
      ASSAY_STATE: join(this.directory, 'state'),
      PATH: [join(this.directory, 'bin'), process.env.PATH].join(delimiter),
      NO_COLOR: '1',
    };
  }

  compare(block: Block): void {
    const missing = missingLines(this.adapted(block.text), this.lastOutput);
    expect({ block: placeOf(block), missing, printed: this.lastOutput }).toMatchObject({ missing: [] });
  }

  async close(): Promise<void> {
    for (const child of this.#running.toReversed()) await endAndWait(child);
    if (this.directory !== '') rmSync(this.directory, { recursive: true, force: true });
  }
}

async function printed(child: ChildProcess, output: () => string, wanted: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`"${wanted}" was not printed:\n${output()}`)), blockTimeoutMs);
    const look = (): void => {
      if (!output().includes(wanted)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
  });
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It is gone.
  }
}

async function endAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  const timer = setTimeout(() => endGroup(child, 'SIGKILL'), stopGraceMs);
  endGroup(child, 'SIGTERM');
  await closed;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** Output with what differs from one machine and run to the next taken out. */
function settledText(text: string): string[] {
  return stripVTControlCharacters(text)
    .replaceAll(/\b([rwt])-[a-z0-9]{10}\b/g, '$1-ID')
    .replaceAll(/assay_[A-Za-z0-9_-]{20,}/g, 'SECRET')
    .replaceAll(/\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d)?/g, 'DATE')
    .replaceAll(/\b[\d.,]+ (?:ms|s|min|MiB|KiB)\b/g, 'AMOUNT')
    .replaceAll(/\b\d+ workers?\b/g, 'WORKERS')
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');
}

/** The lines of the page that were not printed in their order; a line `…` stands for anything. */
function missingLines(shown: string, real: string): string[] {
  const lines = settledText(real);
  let from = 0;
  return settledText(shown).filter((line) => {
    if (line === '…') return false;
    const at = lines.indexOf(line, from);
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

function isOnPath(program: string): boolean {
  return (
    program === '' || (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
  );
}

const isRun = ({ language, tags }: Block): boolean =>
  !tags.has('skip') && (language === 'sh' || (language === 'text' && tags.has('output')));

// The blocks are for a POSIX shell: Windows has none of its own.
for (const { path, blocks } of process.platform === 'win32' ? [] : readPages()) {
  const ours = blocks.filter(isRun);
  if (ours.length === 0) continue;
  const missing = ours.flatMap(({ tags }) => (tags.get('needs') ?? '').split(' ')).filter((name) => !isOnPath(name));
  const isSkipped = missing.length > 0 && process.env.ASSAY_REQUIRE_ALL !== '1';
  // A page is one story: without a program that one block needs, those after it mean nothing.
  describe.skipIf(isSkipped)(isSkipped ? `${path} (not here: ${missing.join(', ')})` : path, () => {
    const reader = new Reader();
    beforeAll(() => reader.prepare());
    afterAll(() => reader.close(), 60_000);
    test.each(ours.map((block) => [placeOf(block), block.text.split('\n')[0], block] as const))(
      '%s: %s',
      (_place, _text, block) => (block.language === 'sh' ? reader.run(block) : reader.compare(block)),
      2 * blockTimeoutMs,
    );
  });
}

test('output is compared by its lines in order, without times and ids', () => {
  const real = 'PASSED  hello  r-54jdmqapir\n  files   2 passed\n  time    2.1 s on 2 workers, 1.0 s of work\n';
  expect(missingLines('PASSED  hello  r-aaaaaaaaaa\n…\n  time    900 ms on 1 worker, 12 ms of work', real)).toEqual([]);
  expect(missingLines('files 3 passed\nPASSED hello r-aaaaaaaaaa', real)).toEqual(['files 3 passed']);
  expect(missingLines('files 2 passed\nPASSED hello r-aaaaaaaaaa', real)).toEqual(['PASSED hello r-ID']);
});
