// The fleet that a drill breaks: a coordinator and workers as processes of the command line that is being drilled, each worker
// behind a link of its own. Everything lies under one directory, and every process has that directory in its environment, by which
// it is found from outside.
// What always holds: whatever is started is written down with its undo before the drill goes on.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '@assay/client';
import type { WorkerView } from '@assay/protocol';
import { randomOf } from '../random.ts';
import type { UndoStack } from '../undo.ts';
import { until } from '../until.ts';
import { isGone, signal } from './processes.ts';
import { FaultyLink } from './proxy.ts';

/** How the command line is started: the program and what comes before the command. */
export type AssayProgram = readonly [program: string, ...args: string[]];

export type FleetOptions = {
  /** Of state, scratch and marks; every process has it in its environment. */
  readonly directory: string;
  readonly logs: string;
  readonly program: AssayProgram;
  readonly undo: UndoStack;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Of the coordinator: `assay up --settings`. */
  readonly settings: () => object;
  /** Set in the coordinator's process, over the drill's own environment. */
  readonly coordinatorEnv: Readonly<Record<string, string>>;
};

const startTimeoutMs = 60_000;

export class DrillWorker {
  readonly name: string;
  readonly directory: string;
  readonly link: FaultyLink;
  child: ChildProcess | null = null;
  /** The id that the coordinator knows; the empty string before it joined. */
  id = '';

  constructor(name: string, directory: string, link: FaultyLink) {
    this.name = name;
    this.directory = directory;
    this.link = link;
    for (const part of ['tmp', 'bin', 'state']) mkdirSync(join(directory, part), { recursive: true });
    writeFileSync(this.tool, '#!/bin/sh\nsleep 0.3\necho "tool: $1 done"\n', { mode: 0o755 });
    writeFileSync(this.checks, JSON.stringify({ builtIn: [], checks: [this.#rigCheck()] }));
  }

  /** The toolchain of the suite `tool`: each worker has its own. */
  get tool(): string {
    return join(this.directory, 'bin', 'drill-tool');
  }
  get checks(): string {
    return join(this.directory, 'checks.json');
  }
  /** While this file is there, the worker's declared device `rig` fails its check. */
  get rigIsBroken(): string {
    return join(this.directory, 'rig-is-broken');
  }
  get tmp(): string {
    return join(this.directory, 'tmp');
  }
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  #rigCheck(): object {
    return { name: 'rig answers', device: 'rig', command: ['test', '!', '-e', this.rigIsBroken], everyMs: 500 };
  }
}

export class DrillFleet {
  readonly options: FleetOptions;
  readonly workers: DrillWorker[] = [];
  readonly stateDir: string;
  coordinator: ChildProcess | null = null;
  port = 0;
  #token = '';
  #workerToken = '';
  #client: Client | null = null;

  constructor(options: FleetOptions) {
    this.options = options;
    this.stateDir = join(options.directory, 'coordinator');
    for (const part of ['workers', 'coordinator', 'tmp']) mkdirSync(join(options.directory, part), { recursive: true });
    mkdirSync(options.logs, { recursive: true });
  }

  get client(): Client {
    if (this.#client === null) throw new Error('the coordinator was not started');
    return this.#client;
  }

  /** Of the links: what must not be open any more at the end. */
  readonly ports: number[] = [];

  get coordinatorPid(): number {
    return this.coordinator?.pid ?? 0;
  }

  /** Starts the coordinator on the same state directory and port as before. */
  async up(): Promise<void> {
    const settings = join(this.options.directory, 'settings.json');
    writeFileSync(settings, JSON.stringify(this.options.settings()));
    const child = this.#start(
      'coordinator',
      ['up', '--state', this.stateDir, '--port', String(this.port), '--settings', settings],
      { ...this.options.coordinatorEnv, TMPDIR: join(this.options.directory, 'tmp') },
    );
    this.coordinator = child;
    await until(
      'the coordinator serves',
      () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`the coordinator ended: ${this.logOf('coordinator').slice(-2_000)}`);
        const endpoint = this.#readEndpoint();
        if (endpoint === null || endpoint.pid !== child.pid) return null;
        this.port = Number(new URL(endpoint.url).port);
        this.#token = endpoint.token;
        return true;
      },
      { timeoutMs: startTimeoutMs, signal: this.options.signal },
    );
    this.#client = createClient({ url: `http://127.0.0.1:${this.port}`, token: this.#token, retriesMax: 8 });
    if (this.#workerToken === '')
      this.#workerToken = (await this.client.createToken({ name: 'drill', scopes: ['worker:default'] })).secret;
  }

  /** Throws where the coordinator's process is over: nothing that is waited for can come any more. */
  assertServing(): void {
    const { coordinator } = this;
    if (coordinator === null || coordinator.exitCode !== null || coordinator.signalCode !== null)
      throw new Error('the coordinator is gone');
  }

  /** Makes a worker that is not started yet. */
  async addWorker(name: string): Promise<DrillWorker> {
    const random = randomOf(this.options.seed, `link of ${name}`);
    const link = new FaultyLink(
      () => this.port,
      () => random.next(),
    );
    await link.listen();
    this.ports.push(link.port);
    this.options.undo.add(`close the link of ${name}`, () => link.close());
    const worker = new DrillWorker(name, join(this.options.directory, 'workers', name), link);
    this.workers.push(worker);
    return worker;
  }

  /** Starts a worker's process (again) without waiting for it to join. */
  startWorker(worker: DrillWorker): ChildProcess {
    const path = process.env['ASSAY_USER_PATH'] ?? process.env['PATH'] ?? '';
    const own = join(worker.directory, 'bin');
    worker.child = this.#start(
      worker.name,
      [
        ...['worker', '--join', `http://127.0.0.1:${worker.link.port}`, '--name', worker.name, '--slots', '1'],
        ...['--state', join(worker.directory, 'state'), '--allow-directories', '--no-gates'],
        ...['--checks', worker.checks, '--declare', `drill=${worker.name}`, 'rig=virtual'],
      ],
      {
        ASSAY_TOKEN: this.#workerToken,
        TMPDIR: worker.tmp,
        PATH: `${own}:${process.env['PATH'] ?? ''}`,
        ASSAY_USER_PATH: `${own}:${path}`,
      },
    );
    return worker.child;
  }

  async joined(worker: DrillWorker): Promise<void> {
    const view = await until(
      `${worker.name} joins`,
      async () => {
        const found = await this.viewOf(worker);
        return found !== null && (found.state === 'ready' || found.state === 'busy') ? found : null;
      },
      { timeoutMs: startTimeoutMs, signal: this.options.signal },
    );
    worker.id = view.worker;
  }

  async viewOf(worker: DrillWorker): Promise<WorkerView | null> {
    const listed = await this.client.listWorkers().catch(() => null);
    return listed?.workers.find(({ name }) => name === worker.name) ?? null;
  }

  logOf(name: string): string {
    try {
      return readFileSync(join(this.options.logs, `${name}.log`), 'utf8');
    } catch {
      return '';
    }
  }

  /** Ends a process nicely, and by force where that does not help. */
  async end(child: ChildProcess | null, first: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const pid = child?.pid;
    if (pid === undefined || isGone(pid)) return;
    signal(pid, 'SIGCONT');
    signal(pid, first);
    try {
      await until(`process ${pid} ends`, () => (isGone(pid) ? true : null), { timeoutMs: 15_000 });
    } catch {
      signal(pid, 'SIGKILL');
      await until(`process ${pid} ends by SIGKILL`, () => (isGone(pid) ? true : null), { timeoutMs: 10_000 });
    }
  }

  #start(name: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const [program, ...before] = this.options.program;
    const log = openSync(join(this.options.logs, `${name}.log`), 'a');
    const child = spawn(program, [...before, ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ASSAY_STATE: this.options.directory, ...env },
    });
    closeSync(log);
    child.on('error', () => undefined);
    this.options.undo.add(`end ${name} (process ${child.pid ?? 0})`, () => this.end(child));
    return child;
  }

  #readEndpoint(): { url: string; token: string; pid: number } | null {
    try {
      const text = readFileSync(join(this.options.directory, 'endpoint.json'), 'utf8');
      return JSON.parse(text) as { url: string; token: string; pid: number };
    } catch {
      return null;
    }
  }
}
