// `assay calibration`: how good the coordinator's predictions of durations were, by suite.
import type { Command } from 'commander';
import type { SuiteCalibration } from '@assay/protocol';
import { connect, type ConnectionOptions } from '../connection.ts';
import { table } from '../render/table.ts';
import { action, addConnectionOptions } from './options.ts';

type CalibrationOptions = ConnectionOptions & { json?: boolean };

export function addCalibrationCommand(program: Command): void {
  addConnectionOptions(
    program.command('calibration').description('Say how good predictions of durations were, by suite.'),
  )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nMedian: predicted over actual, below 1.00 where things take longer than was said. Nine of ten predictions are off by\nat most the factor in the last column, either way. Both are kept in steps of about 15 %.\n\nExample:\n  assay calibration',
    )
    .action(action(calibration));
}

async function calibration(options: CalibrationOptions): Promise<number> {
  const { client } = await connect(options);
  const report = await client.calibration();
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${textOf(report.suites)}\n`);
  return 0;
}

function textOf(suites: readonly SuiteCalibration[]): string {
  if (suites.length === 0) return 'No prediction has come true or not yet.';
  const worstFirst = suites.toSorted(
    (a, b) => b.p90Error - a.p90Error || (`${a.project}\n${a.suite}` < `${b.project}\n${b.suite}` ? -1 : 1),
  );
  const rows = worstFirst.map(({ project, suite, tasks, medianRatio, p90Error }) => [
    project,
    suite,
    String(tasks),
    medianRatio.toFixed(2),
    `x ${p90Error.toFixed(2)}`,
  ]);
  return table(['project', 'suite', 'tasks', 'median predicted/actual', 'nine of ten within'], rows, 0);
}
