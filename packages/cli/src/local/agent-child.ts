// Starts one agent as a child process of this one, with its options on standard input, and ends it: SIGTERM first (it finishes
// what runs), SIGKILL after a grace. The child leaves by itself when its parent is gone.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentOptions } from '@assay/agent';

const graceMs = 5_000;
const entry = fileURLToPath(new URL('agent-process.ts', import.meta.resolve('@assay/agent')));

export type AgentChild = {
  name: string;
  pid: number;
  exited: Promise<number | null>;
  stop(): Promise<void>;
  kill(): void;
};

/** Starts the agent; its log goes to `<stateDir>/agent.log`. */
export async function startAgentChild(options: AgentOptions & { name: string; stateDir: string }): Promise<AgentChild> {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const log = createWriteStream(join(options.stateDir, 'agent.log'), { flags: 'a' });
  const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(JSON.stringify({ ...options, parentPid: process.pid }));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
  return {
    name: options.name,
    pid: child.pid ?? -1,
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited.catch(() => null);
      clearTimeout(timer);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
