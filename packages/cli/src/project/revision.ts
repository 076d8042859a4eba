// Which revision of a project runs, as labels of its run: what the history's questions about revisions go by.
// What always holds: a revision is named only where the files are exactly that revision's. Two runs of one name are then runs of the
// same code, so that a test which passes in one and fails in the other is flaky and not changed.
import { askGit } from './git.ts';

/** Far above what git says of a revision; a work tree with more changed files than this holds is changed anyway. */
const limits = { outputBytesMax: 1024 * 1024, limitMs: 10_000 };

/**
 * `revision` (the commit) and `branch` of the work tree. No revision where a file is changed, or is there and neither committed nor
 * ignored; no branch where none is checked out, as in most CI; neither outside git.
 */
export async function revisionLabels(projectDir: string): Promise<Record<string, string>> {
  const [status, revision, branch] = await Promise.all([
    git(projectDir, ['status', '--porcelain', '--no-renames']),
    git(projectDir, ['rev-parse', '--verify', 'HEAD']),
    git(projectDir, ['symbolic-ref', '--short', '--quiet', 'HEAD']),
  ]);
  return {
    ...(status === '' && revision !== null && { revision }),
    ...(revision !== null && branch !== null && { branch }),
  };
}

/** What git says, or null where it fails or there is no git. */
async function git(projectDir: string, question: string[]): Promise<string | null> {
  const answer = await askGit(projectDir, question, limits).catch(() => null);
  return answer === null ? null : answer.trim();
}
