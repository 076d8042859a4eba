// The command line as a user calls it: a process with arguments, an exit code and what it printed. And a small project to call it on.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const mainPath = fileURLToPath(new URL('../main.mjs', import.meta.url));

export type Ended = { code: number | null; stdout: string; stderr: string };
export type Running = { child: ChildProcess; ended: Promise<Ended>; stderr(): string };

/** A directory with a project's files and a state directory of its own beside it; removed by `close`. */
export class ProjectUnderTest {
  readonly #root = mkdtempSync(join(tmpdir(), 'assay-cli-'));
  readonly path = join(this.#root, 'project');

  constructor(files: Record<string, string>) {
    for (const [name, text] of Object.entries({
      'package.json': '{"name":"under-test","type":"module","scripts":{"test":"node --test"}}',
      ...files,
    })) {
      const path = join(this.path, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  /** Starts `assay` in the project. */
  start(args: string[], env: NodeJS.ProcessEnv = {}): Running {
    return this.startProgram(process.execPath, [mainPath, ...args], this.path, env);
  }

  /** Starts a program with the project's own state directory and without a coordinator, as `start` does. */
  startProgram(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Running {
    const clean = { ...this.environment(), ...env };
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: clean });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
    return { child, ended, stderr: () => stderr };
  }

  /** Our own environment, with the project's state directory and without a coordinator or token of who runs the test. */
  environment(): Record<string, string> {
    const inherited = Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    return {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      ASSAY_STATE: join(this.#root, 'state'),
      ASSAY_COORDINATOR: '',
      ASSAY_TOKEN: '',
      NO_COLOR: '1',
    };
  }

  assay(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A node:test file whose tests do what their bodies say. */
export function testFile(tests: Record<string, string>): string {
  const body = Object.entries(tests).map(([name, code]) => `test(${JSON.stringify(name)}, async () => { ${code} });`);
  return [
    "import assert from 'node:assert/strict';",
    "import { existsSync, writeFileSync } from 'node:fs';",
    "import test from 'node:test';",
    'const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));',
    ...body,
  ].join('\n');
}
