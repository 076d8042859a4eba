// Starts one child process, keeps what it prints, and says how it ended and how long it took. It exists so that the
// steps of a check can run beside each other without mixing their output.
// What always holds: the promise resolves once, after the child has closed; it never rejects.
import { spawn } from 'node:child_process';

export interface StepResult {
  readonly name: string;
  readonly exit: string;
  readonly isGood: boolean;
  readonly durationMs: number;
  readonly output: string;
}

export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const outputMaxChars = 200_000;

export function runStep(step: Step, cwd: string): Promise<StepResult> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const settle = (exit: string): void => {
      resolve({
        name: step.name,
        exit,
        isGood: exit === '0',
        durationMs: performance.now() - startedMs,
        output: output.trimEnd(),
      });
    };
    const child = spawn(step.command, step.args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-outputMaxChars);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      output += error.message;
      settle('not started');
    });
    child.on('close', (code, signal) => {
      settle(String(code ?? signal));
    });
  });
}
