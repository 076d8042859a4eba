// The one place that starts git. What always holds: git takes no lock that the user's own git may need meanwhile, its answer is
// bounded in size and time, and whether a failure means anything is for the caller to say.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type GitLimits = {
  /** Bytes of answer; a longer one is a failure. */
  outputBytesMax?: number;
  /** Milliseconds until git is ended. */
  limitMs?: number;
};

/** What git answers, as it prints it. Rejects where git fails, is not installed, says too much or takes too long. */
export async function askGit(directory: string, question: string[], limits: GitLimits = {}): Promise<string> {
  const { outputBytesMax = 4 * 1024 * 1024, limitMs = 60_000 } = limits;
  const { stdout } = await run('git', ['--no-optional-locks', ...question], {
    cwd: directory,
    maxBuffer: outputBytesMax,
    timeout: limitMs,
  });
  return stdout;
}
