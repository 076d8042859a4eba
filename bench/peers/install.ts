// The peers' packages, installed on demand from their own lock file: no user of Assay needs them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Installs what the package.json of `directory` names and is missing; a reason where that fails. Install scripts are not run. */
export function installPeers(directory = import.meta.dirname): string | null {
  const { dependencies } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  if (Object.keys(dependencies).every((name) => existsSync(join(directory, 'node_modules', name)))) return null;
  const folder = relative(process.cwd(), directory);
  console.log(`installing the peers (${join(folder, 'package-lock.json')})`);
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return null;
  } catch (error) {
    return `npm could not install ${folder}: ${String(error).split('\n')[0]}`;
  }
}

export function peerVersion(name: string, directory = import.meta.dirname): string {
  return (
    JSON.parse(readFileSync(join(directory, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }
  ).version;
}
