// Where local state lives: the user's state directory by the conventions of each system, one directory a project, so that the
// second run of a project knows the first one's durations.
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** The root of all local state. `ASSAY_STATE` overrides it. */
export function stateRoot(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.ASSAY_STATE) return env.ASSAY_STATE;
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'assay');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'assay');
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'assay');
}

/** One project's state: its directory's name for people, and a digest of its real path to tell two of one name apart. */
export function projectStateDirectory(projectDir: string): string {
  const real = realpathSync(projectDir);
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 12);
  const name = basename(real).replace(/[^A-Za-z0-9._-]/g, '_') || 'root';
  return join(stateRoot(), 'projects', `${name}-${digest}`);
}
