// The peers' packages, installed on demand from their own lock file: no user of Assay needs them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = import.meta.dirname;

/** Installs them where they are missing; a reason where that fails. Install scripts are not run. */
export function installPeers(): string | null {
  if (existsSync(join(directory, 'node_modules/bullmq')) && existsSync(join(directory, 'node_modules/graphile-worker')))
    return null;
  console.log('installing the peers (bench/peers/package-lock.json)');
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return null;
  } catch (error) {
    return `npm could not install bench/peers: ${String(error).split('\n')[0]}`;
  }
}

export function peerVersion(name: string): string {
  return (
    JSON.parse(readFileSync(join(directory, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }
  ).version;
}
