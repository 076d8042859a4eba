// Starts a driver under a shell that outlives this process by a moment: it waits on a pipe from us, and when that closes -
// because we ask, or because we were killed - it kills every process that has the session's directory in its start
// environment (the driver, the browser and what they started, also what left the process group) and removes the directory.
// What always holds: nothing of a session stays, however this process ends. POSIX only; on Windows: not yet.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { signalGroup } from '../execute/process-tree.ts';
import { killLeftovers } from '../slots/leftovers.ts';

// Dash and bash alike. Its own environment does not name the directory, and its own number is spared.
const script = `dir=$1; shift
( TMPDIR=$dir/tmp HOME=$dir/home XDG_CONFIG_HOME=$dir/home XDG_CACHE_HOME=$dir/home "$@" 2>>"$dir/driver.log"; echo "guardian: ended $?" ) &
read -r _
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=0
  if [ -d /proc/self ]; then pids=$(grep -lF "=$dir/" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); else pids=$(pgrep -f "$dir/"); fi
  for pid in $pids; do [ "$pid" = $$ ] || { kill -KILL "$pid" 2>/dev/null && found=1; }; done
  [ $found = 0 ] && break
done
for round in 1 2 3 4 5; do rm -rf "$dir" 2>/dev/null; [ -e "$dir" ] || break; sleep 0.1; done
`;

export type Guarded = {
  /** The session's own directory; its temporary files, home and profile are in it. */
  readonly directory: string;
  /** What the driver has printed on its standard output. */
  said(): string;
  /** Resolves with what ended it, when the driver itself has ended. */
  readonly ended: Promise<string>;
  /** The end of the driver's log. */
  log(): Promise<string>;
  /** Ends everything; resolves when nothing is left. */
  close(): Promise<void>;
};

const closeMs = 10_000;
const saidCharsMax = 64 * 1024;

/** `command` names the driver; arguments may use the directory that is made under `parent`. */
export async function startGuarded(
  parent: string,
  command: (directory: string) => readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Guarded> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const directory = await mkdtemp(path.join(parent, 's-'));
  await Promise.all(['tmp', 'home'].map(async (name) => mkdir(path.join(directory, name), { mode: 0o700 })));
  const child = spawn('/bin/sh', ['-c', script, 'assay-guardian', directory, ...command(directory)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
    env,
  });
  let said = '';
  const isOver = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(String(error)));
    child.once('exit', (code, signal) => resolve(`the guardian ended with ${signal ?? `code ${code}`}`));
  });
  const ended = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-saidCharsMax);
      const end = /guardian: ended (\d+)/.exec(said);
      if (end) resolve(`the driver ended with code ${end[1]}`);
    });
    void isOver.then(resolve);
  });
  child.stdin.on('error', () => {});
  return {
    directory,
    said: () => said,
    ended,
    log: async () => (await readFile(path.join(directory, 'driver.log'), 'utf8').catch(() => '')).slice(-8_000),
    close: async () => endGuarded(child, isOver, directory),
  };
}

async function endGuarded(child: ChildProcess, isOver: Promise<unknown>, directory: string): Promise<void> {
  child.stdin?.end();
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([isOver, new Promise((resolve) => (timer = setTimeout(resolve, closeMs)))]);
  clearTimeout(timer);
  child.stdout?.destroy();
  // The guardian itself may have been killed: then this is done here. The shell around the driver is in its group and tells nothing
  // by its environment; what has left the group tells.
  if (child.exitCode === null && child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  await killLeftovers(directory);
  child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
