// A whole fleet as real processes for the system tests: `assay up`, `assay worker`, a project of real test files, and a TCP proxy of
// our own between them. Everything that is started is ended by its pid, and everything written lies under one directory.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, createClient } from '@assay/client';
import type { RunSpec, Suite } from '@assay/protocol';
import { submitRun } from '../project/submit.ts';
import { readReport } from '../report/read.ts';
import type { RunReport } from '../report/model.ts';

const mainPath = fileURLToPath(new URL('../main.mjs', import.meta.url));
const startTimeoutMs = 30_000;

/** Waits until `probe` gives something other than null, with a bound. */
export async function until<Value>(
  what: string,
  probe: () => Promise<Value | null> | Value | null,
  timeoutMs = 60_000,
): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export class FleetUnderTest {
  readonly directory = mkdtempSync(join(tmpdir(), 'assay-system-'));
  readonly #children = new Set<ChildProcess>();
  readonly #proxies: CuttableProxy[] = [];
  #token = '';
  port = 0;
  #coordinator: ChildProcess | null = null;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get client(): Client {
    return createClient({ url: this.url, token: this.#token, retriesMax: 8 });
  }

  /** `assay up` on the same state directory and port as before. */
  async up(more: readonly string[] = []): Promise<ChildProcess> {
    const state = join(this.directory, 'coordinator');
    const child = this.#start(['up', '--state', state, '--port', String(this.port), ...more]);
    await until(
      'the coordinator serves',
      () => {
        const endpoint = readEndpointOf(this.directory);
        if (endpoint === null || endpoint.pid !== child.pid) return null;
        this.port = Number(new URL(endpoint.url).port);
        this.#token = endpoint.token;
        return true;
      },
      startTimeoutMs,
    );
    this.#coordinator = child;
    return child;
  }

  get coordinator(): ChildProcess {
    if (this.#coordinator === null) throw new Error('no coordinator was started');
    return this.#coordinator;
  }

  /** `assay worker`, joined. `url` may be a proxy's. */
  async worker(
    name: string,
    token: string,
    url: string = this.url,
    more: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ChildProcess> {
    const state = join(this.directory, 'workers', name);
    const started = [
      'worker',
      '--join',
      url,
      '--token',
      token,
      '--name',
      name,
      '--slots',
      '1',
      '--state',
      state,
      '--allow-directories',
      ...more,
    ];
    const child = this.#start(started, env);
    await until(
      `worker ${name} joins`,
      async () => {
        const { workers } = await this.client.listWorkers();
        return workers.some((worker) => worker.name === name && (worker.state === 'ready' || worker.state === 'busy'))
          ? true
          : null;
      },
      startTimeoutMs,
    );
    return child;
  }

  /** A stored worker token: it outlives the coordinator's process. */
  async workerToken(): Promise<string> {
    return (await this.client.createToken({ name: 'workers', scopes: ['worker:default'] })).secret;
  }

  async proxy(): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(this.port);
    await proxy.listen();
    this.#proxies.push(proxy);
    return proxy;
  }

  /** A project of node:test files, each with so many cases of so long. */
  project(files: number, cases: number, caseMs: number): string {
    const path = join(this.directory, 'project');
    mkdirSync(join(path, 'test'), { recursive: true });
    for (let file = 0; file < files; file++) {
      const body = Array.from(
        { length: cases },
        (_, index) => `test('case ${index}', () => new Promise((resolve) => setTimeout(resolve, ${caseMs})));`,
      );
      writeFileSync(join(path, 'test', `file-${file}.test.mjs`), `import test from 'node:test';\n${body.join('\n')}\n`);
    }
    return path;
  }

  /** Submits a project's files and returns the run's id. */
  async submit(path: string, files: number, changes: Partial<Suite> = {}): Promise<string> {
    const suite: Suite = {
      name: 'unit',
      runner: 'node:test',
      directory: '',
      arguments: [],
      env: {},
      secrets: [],
      timeoutMs: 60_000,
      noOutputTimeoutMs: 0,
      requires: '',
      retries: 0,
      batching: 'shared',
      ...changes,
    };
    const spec: RunSpec = {
      name: 'system',
      project: 'system',
      priority: 0,
      source: { kind: 'directory', path },
      suites: [suite],
      failFast: false,
      unplaceable: 'wait',
    };
    const tasks = Array.from({ length: files }, (_, file) => ({ suite: 0, target: `test/file-${file}.test.mjs` }));
    return (await submitRun(this.client, spec, tasks)).run;
  }

  async settled(run: string, timeoutMs = 120_000): Promise<RunReport> {
    await until(
      `run ${run} settles`,
      async () => {
        const view = await this.client.readRun(run).catch(() => null);
        return view?.state === 'settled' ? true : null;
      },
      timeoutMs,
    );
    const { journalSeq } = await this.client.health();
    return readReport(this.client, run, journalSeq);
  }

  /** Waits until the run has settled at least `count` tasks and has not settled all. */
  async inTheMiddle(run: string, count: number): Promise<void> {
    await until(`run ${run} has settled ${count} tasks`, async () =>
      (await this.client.readRun(run)).tasks.settled >= count ? true : null,
    );
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies) proxy.close();
    await Promise.all([...this.#children].map((child) => ended(child, 'SIGKILL')));
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #start(args: string[], more: Readonly<Record<string, string>> = {}): ChildProcess {
    const env = { ...process.env, ASSAY_STATE: this.directory, ...more };
    const child = spawn(process.execPath, [mainPath, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }
}

/** What a command prints when it is asked of the fleet, as its owner; throws where it does not exit with 0. */
export async function runAssay(fleet: FleetUnderTest, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [mainPath, ...args], {
    env: { ...process.env, ASSAY_STATE: fleet.directory },
    timeout: 60_000,
  });
  return stdout;
}

/** Sends a signal and waits until the process is gone. */
export function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
    if (signal === 'SIGKILL') child.kill('SIGCONT');
  });
}

function readEndpointOf(directory: string): { url: string; token: string; pid: number } | null {
  try {
    return JSON.parse(readFileSync(join(directory, 'endpoint.json'), 'utf8')) as {
      url: string;
      token: string;
      pid: number;
    };
  } catch {
    return null;
  }
}

/** Passes bytes between a worker and the coordinator until it is cut: then every open connection breaks and new ones are refused. */
export class CuttableProxy {
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  cuts = 0;

  constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => {
      if (this.#isCut) return near.destroy();
      const far = connect(this.#target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from
          .on('error', () => undefined)
          .on('close', () => {
            this.#sockets.delete(from);
            to.destroy();
          });
        from.pipe(to);
      }
      return undefined;
    });
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  cut(): void {
    this.#isCut = true;
    this.cuts += this.#sockets.size > 0 ? 1 : 0;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
