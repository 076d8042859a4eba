// What the agent's tests share: a project of shell scripts, assignments of them, and agents as real processes.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Assign, Suite } from '@assay/protocol';
import type { ScriptedCoordinator } from './link/scripted-coordinator.ts';
import type { AgentOptions } from './options.ts';

export const suite: Suite = {
  name: 'shell',
  runner: 'command',
  directory: '',
  arguments: ['sh', '{target}'],
  env: {},
  secrets: [],
  timeoutMs: 60_000,
  noOutputTimeoutMs: 0,
  requires: '',
  retries: 0,
  batching: 'shared',
};

export type AgentLine =
  | { kind: 'ready'; worker: string }
  | { kind: 'note'; text: string }
  | { kind: 'ended'; reason: string; error: { code: string } | null };

/** An agent as a process: what it printed, and how it exited. */
export type AgentChild = { child: ChildProcess; lines: AgentLine[]; exited: Promise<number | null> };

export class TestBench {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), 'assay-agent-')));
  readonly project = join(this.home, 'project');
  readonly #children: AgentChild[] = [];
  #assignments = 0;

  constructor() {
    mkdirSync(this.project);
  }

  /** An assignment of shell scripts, written into the project under the name of their task. */
  assignment(scripts: Record<string, string>, change: Partial<Assign> = {}): Assign {
    this.#assignments += 1;
    const number = this.#assignments;
    for (const [name, script] of Object.entries(scripts)) writeFileSync(join(this.project, `${name}.sh`), script);
    const tasks = Object.keys(scripts).map((name, index) => ({
      task: `r-${number}.${index}`,
      attempt: 1,
      target: `${name}.sh`,
      expectedMs: 10,
    }));
    const source = { kind: 'directory', path: this.project };
    return {
      kind: 'assign',
      assignment: `a-${number}`,
      run: `r-${number}`,
      source,
      suite,
      tasks,
      ...change,
    } as unknown as Assign;
  }

  /** A script that shows that it runs by making `<name>.up`, and waits for `<name>.go`; both are in the home. */
  waiting(name: string): string {
    return `echo $$ > ${join(this.home, `${name}.up`)}; until test -e ${join(this.home, `${name}.go`)}; do sleep 0.02; done; echo done`;
  }

  isUp(name: string): boolean {
    return existsSync(join(this.home, `${name}.up`));
  }

  release(name: string): void {
    writeFileSync(join(this.home, `${name}.go`), '');
  }

  options(coordinator: ScriptedCoordinator, change: Partial<AgentOptions> = {}): AgentOptions {
    const { url, token } = coordinator;
    return { url, token, stateDir: join(this.home, 'state'), slots: 2, allowDirectories: true, ...change };
  }

  spawn(options: AgentOptions): AgentChild {
    const entry = join(import.meta.dirname, 'agent-process.mjs');
    const child = spawn(process.execPath, [entry], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, XDG_CACHE_HOME: join(tmpdir(), 'assay-test-cache') },
    });
    child.stdin.end(JSON.stringify(options));
    const lines: AgentLine[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as AgentLine));
    const made: AgentChild = {
      child,
      lines,
      exited: new Promise((resolve) => child.once('close', (code) => resolve(code))),
    };
    this.#children.push(made);
    return made;
  }

  async clean(): Promise<void> {
    for (const { child, exited } of this.#children) {
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Whether it still runs: an orphan that nobody has reaped yet does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = process.platform === 'linux' ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
