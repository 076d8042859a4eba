// `assay doctor`: what this machine offers, what the project at hand needs and lacks, each with the remedy. Everything shown was
// measured just now; what could not be measured is called unknown.
import { resolve } from 'node:path';
import { detectRunners, diagnose, probeMachine, type ProjectNeed } from '@assay/agent/inspect';
import type { Command } from 'commander';
import type { Profile } from '@assay/protocol';
import { exitCodes } from '../exit-codes.ts';
import { paintFor } from '../render/style.ts';
import { action } from './options.ts';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Say what this machine offers, and what the project needs and lacks.')
    .option('--project <dir>', 'the project', '.')
    .option('--json', 'print JSON')
    .action(action(doctor));
}

async function doctor(options: { project: string; json?: boolean }): Promise<number> {
  const projectDir = resolve(options.project);
  const { profile, digest } = await probeMachine();
  const detected = await detectRunners(projectDir);
  const findings = diagnose(profile, detected.flatMap(needsOf));
  if (options.json) process.stdout.write(`${JSON.stringify({ digest, profile, detected, findings }, null, 2)}\n`);
  else {
    const paint = paintFor(process.stdout);
    const print = (text: string): void => void process.stdout.write(`${text}\n`);
    print(paint('bold', 'This machine'));
    for (const [what, value] of offers(profile)) print(`  ${what.padEnd(10)} ${value}`);
    print(paint('bold', `\nThe project in ${projectDir}`));
    if (detected.length === 0) print('  no test runner recognised; assay run -- <command> runs any command');
    for (const { runner, version, why } of detected)
      print(`  ${runner}${version === null ? '' : ` ${version}`}: ${why}`);
    const marks = { ok: paint('green', '✓'), missing: paint('red', '✗'), unknown: paint('yellow', '?') };
    if (findings.length > 0) print(paint('bold', '\nFindings'));
    for (const { kind, what, remedy } of findings)
      print(`  ${marks[kind]} ${what}${remedy === '' ? '' : `\n      ${remedy}`}`);
  }
  return findings.some(({ kind }) => kind === 'missing') ? exitCodes.failed.code : exitCodes.passed.code;
}

type Detected = { runner: string; version: string | null };

function needsOf({ runner, version }: Detected): ProjectNeed[] {
  switch (runner) {
    case 'vitest':
      return [
        { kind: 'runtime', name: 'node' },
        {
          kind: 'projectRunner',
          name: 'vitest',
          ...(version === null ? {} : { versionFound: version }),
          install: 'npm install',
        },
      ];
    case 'node:test':
      return [{ kind: 'runtime', name: 'node' }];
    case 'pytest':
      return [
        { kind: 'runtime', name: 'python' },
        { kind: 'runner', name: 'pytest' },
      ];
    default:
      return [];
  }
}

function offers(profile: Profile): [string, string][] {
  const { os, cpu, memory, cgroup, container, gpus, runtimes, runners: installed, browsers } = profile;
  const known = (value: string | number | undefined): string => (value === undefined ? 'unknown' : String(value));
  const versions = (tools: Record<string, { version: string }>): string =>
    Object.entries(tools)
      .map(([name, { version }]) => `${name} ${version}`)
      .join(', ') || 'none found';
  return [
    ['system', `${known(os.name ?? os.family)} ${known(os.version)} ${os.arch}`],
    ['cpu', `${known(cpu.model)}, ${known(cpu.count)} usable${cpu.isa === undefined ? '' : ` (${cpu.isa.join(' ')})`}`],
    [
      'memory',
      `${known(memory.totalMiB)} MiB${memory.limitMiB === undefined || memory.limitMiB === memory.totalMiB ? '' : `, limited to ${memory.limitMiB} MiB`}`,
    ],
    [
      'limits',
      cgroup === undefined
        ? 'unknown'
        : `cgroup ${cgroup.version}, ${cgroup.cpuQuotaCores ?? 'no'} CPU quota, ${cgroup.memoryLimitMiB ?? 'no'} memory limit`,
    ],
    ['container', container?.kind ?? 'unknown'],
    [
      'gpus',
      gpus === undefined
        ? 'unknown'
        : gpus.map((gpu) => `${gpu.vendor} ${gpu.model ?? ''} ${gpu.memoryMiB ?? '?'} MiB`).join(', ') || 'none',
    ],
    ['runtimes', versions(runtimes)],
    ['runners', versions(installed)],
    [
      'browsers',
      browsers.map(({ name, channel, version }) => [name, channel, version].filter(Boolean).join(' ')).join(', ') ||
        'none found',
    ],
  ];
}
