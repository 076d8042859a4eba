// `assay demo` (npm run demo): the whole thing on this machine. A coordinator, three workers whose capabilities are virtual and
// labelled so, the projects under examples/, live progress, what failed and where, and the reports. It ends with 0 only if exactly
// the one planned failure happened: anything else is a fault of this installation, and is said.
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@assay/client';
import { AssayError } from '@assay/protocol';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { SuiteConfig } from '../config/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { type FleetWorker, startLocalFleet } from '../local/fleet.ts';
import { signInLink } from '../local/open-page.ts';
import { stateRoot } from '../local/state-directory.ts';
import { type Plan, planRun } from '../project/plan.ts';
import { submitRun } from '../project/submit.ts';
import type { RunReport } from '../report/model.ts';
import { paintFor } from '../render/style.ts';
import { action } from './options.ts';
import { watchRun } from './watch-run.ts';
import { writeReports } from './write-reports.ts';

const examplesDir = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../examples');
const plannedFailures = ['rounding.test.ts'];

/** Virtual: no probe measured these; the operator (here: the demo) declares them. */
const demoWorkers: FleetWorker[] = [
  { name: 'large (virtual GPU)', slots: 1, declared: { virtual: true, tier: 'large', accelerator: 'virtual-gpu' } },
  { name: 'medium (virtual NPU)', slots: 1, declared: { virtual: true, tier: 'medium', accelerator: 'virtual-npu' } },
  { name: 'small (CPU only)', slots: 1, declared: { virtual: true, tier: 'small', accelerator: 'none' } },
];

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Run the example projects over three local workers with virtual capabilities.')
    .option('--keep', 'leave the coordinator and the workers running until Ctrl-C')
    .option('--output-dir <dir>', 'where the reports go', '.assay/demo')
    .action(action(demo));
}

async function demo(options: { keep?: boolean; outputDir: string }): Promise<number> {
  const paint = paintFor(process.stderr);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const plan = await planExamples(say);
  const fleet = await startLocalFleet({
    stateDir: join(stateRoot(), 'demo'),
    workers: { kind: 'named', list: demoWorkers },
    note: say,
  });
  try {
    say(
      `${paint('bold', 'coordinator')} at ${fleet.url}, three workers whose capabilities are virtual (declared, not measured):`,
    );
    for (const { name, declared } of fleet.workers)
      say(
        `  ${paint('cyan', name.padEnd(22))} ${Object.entries(declared)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ')}`,
      );
    const client = createClient({ url: fleet.url, token: fleet.token });
    const spec = {
      name: 'demo',
      project: 'assay-examples',
      priority: 0,
      source: { kind: 'directory' as const, path: examplesDir },
      suites: plan.suites,
      failFast: false,
      unplaceable: 'settle' as const,
    };
    const { run } = await submitRun(client, spec, plan.tasks);
    const report = await watchRun(client, run, { isQuiet: false, signal: AbortSignal.any([]) });
    const outputDir = resolve(options.outputDir);
    await mkdir(outputDir, { recursive: true });
    const files = {
      junit: join(outputDir, 'junit.xml'),
      ctrf: join(outputDir, 'ctrf.json'),
      markdown: join(outputDir, 'report.md'),
    };
    for (const path of await writeReports(report, files)) say(`wrote ${path}`);
    const code = judge(report, say);
    if (options.keep) {
      say(
        `\nstill running; the dashboard, for one sign-in within a minute: ${await signInLink(client, fleet.url, `/runs/${run}`)}\nCtrl-C ends it. Try, with ASSAY_COORDINATOR=${fleet.url} ASSAY_TOKEN=${fleet.token}:\n  assay workers\n  assay tasks ${run}\n  assay explain ${run}.0`,
      );
      await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve()));
    }
    return code;
  } finally {
    await fleet.stop();
  }
}

/** The plan of the examples; a suite whose runner this machine lacks is left out, and that is said. */
async function planExamples(say: (text: string) => void): Promise<Plan> {
  const { config } = await loadConfig(examplesDir);
  const request = { projectDir: examplesDir, command: [], filters: [], overrides: {}, env: process.env };
  const suites: SuiteConfig[] = [];
  for (const suite of config.suites ?? []) {
    try {
      await planRun({ ...request, config: { ...config, suites: [suite] } });
      suites.push(suite);
    } catch (error) {
      if (!(error instanceof AssayError) || error.code !== 'RUNNER_NOT_INSTALLED') throw error;
      say(`${paintFor(process.stderr)('yellow', 'left out:')} ${suite.name}: ${error.message}`);
    }
  }
  return planRun({ ...request, config: { ...config, suites } });
}

function judge(report: RunReport, say: (text: string) => void): number {
  const paint = paintFor(process.stderr);
  const wrong = report.tasks.filter(({ task, verdict }) => {
    const isPlanned = plannedFailures.some((name) => task.target.endsWith(name));
    return isPlanned ? verdict !== 'failed' : verdict !== 'passed';
  });
  if (wrong.length === 0) {
    say(
      `${paint('green', 'The demo went as planned:')} everything passed but the one failure that is there on purpose.`,
    );
    return exitCodes.passed.code;
  }
  for (const { task, verdict, final } of wrong)
    say(
      `${paint('yellow', 'not as planned:')} ${task.suite} ${task.target}: ${verdict} ${final?.failure?.message.split('\n')[0] ?? ''}`,
    );
  say('What is missing on this machine: assay doctor');
  return exitCodes.failed.code;
}
