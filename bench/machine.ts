// What every benchmark says about where it ran, and where its figures are written: bench/results/<name>.json (not kept in git).
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';

export type Machine = {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  commit: string;
  /** Load of the last minute when the benchmark began: above nothing, somebody else was working too. */
  loadBefore: number;
  at: string;
};

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    commit: commitOf(),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    at: new Date().toISOString(),
  };
}

export function printMachine(machine: Machine): void {
  const { cpu, cores, memoryGiB, system, node, commit, loadBefore, at } = machine;
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}`);
  console.log(`commit ${commit}, ${at}, load of the last minute before: ${loadBefore}`);
}

/** Writes the figures beside the others and says where. */
export function writeResults(name: string, figures: object): void {
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
  console.log(`written: bench/results/${name}.json`);
}

function commitOf(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, {
        cwd: import.meta.dirname,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
