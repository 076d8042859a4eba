// assay import: results that were made without Assay become a run of their own. All files are read before anything is sent, and the
// run is made in one request: it comes in whole or not at all, and importing the same files again gives the same run.
import { resolve } from 'node:path';
import { AssayError, limit, type ImportRequest } from '@assay/protocol';
import { InvalidArgumentError, type Command } from 'commander';
import { connect, type ConnectionOptions } from '../connection.ts';
import { contentOf } from '../import/content.ts';
import { importFormats, type ImportFormat } from '../import/formats.ts';
import { readReports } from '../import/read-files.ts';
import { action, addConnectionOptions } from './options.ts';

type ImportOptions = ConnectionOptions & {
  project: string;
  name?: string;
  suite?: string;
  format?: ImportFormat;
  label: Record<string, string>;
  base?: string;
  json?: boolean;
};

const examples = `
Examples:
  assay import --project shop --label revision=4f2c1a build/test-results
  assay import --project shop --suite browser playwright-report.json
  assay import --project shop --format go-bench bench.txt

Known formats: ${importFormats.join(', ')}. They are told by the content; Allure results are a directory.`;

export function addImportCommand(program: Command): void {
  addConnectionOptions(
    program.command('import <files...>').description("Take in other tools' reports as a run; twice is the same run."),
  )
    .requiredOption('--project <name>', 'the project whose history it joins')
    .option('--name <name>', 'what the run is called (default: imported, with the formats)')
    .option('--suite <name>', 'the suite that its tests belong to (default: the name of the format)')
    .option('--format <format>', 'the format of all files, where their content does not show it', formatOption)
    .option('--label <name=value>', 'a label: revision, branch, build; may be repeated', labelOption, {})
    .option('--base <dir>', 'directory that absolute names of test files are shortened by (default: this one)')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(action(importFiles));
}

async function importFiles(files: string[], options: ImportOptions): Promise<number> {
  const reports = await readReports(files, options.format ?? null);
  const content = contentOf(reports, {
    project: options.project,
    base: resolve(options.base ?? '.'),
    ...(options.suite === undefined ? {} : { suite: options.suite }),
  });
  const name = options.name ?? `imported ${[...new Set(reports.map(({ format }) => format))].join(', ')}`;
  const request: ImportRequest = { name, labels: options.label, content };
  const bytes = Buffer.byteLength(JSON.stringify(request));
  if (bytes > limit('importBytes'))
    throw new AssayError(
      'IMPORT_TOO_LARGE',
      `the run would be ${bytes} bytes; at most ${limit('importBytes')} are taken: import fewer files at once.`,
    );
  const { client } = await connect(options);
  const accepted = await client.importRun(request);
  const counts = countsOf(request);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...accepted, cases: counts }, null, 2)}\n`);
  else
    process.stdout.write(
      `${accepted.run}: ${accepted.isRepeat ? 'known already, nothing was added' : 'imported'}; ` +
        `${accepted.tasks} files, ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.todo} todo\n`,
    );
  // The command did what it was asked, whatever the tests were: what they were is asked of the run.
  return 0;
}

function countsOf({ content }: ImportRequest): { passed: number; failed: number; skipped: number; todo: number } {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  for (const { cases } of content.tasks) for (const { status } of cases) counts[status] += 1;
  return counts;
}

function formatOption(text: string): ImportFormat {
  const found = importFormats.find((format) => format === text);
  if (found === undefined) throw new InvalidArgumentError(`Known formats: ${importFormats.join(', ')}.`);
  return found;
}

function labelOption(text: string, labels: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...labels, [text.slice(0, at)]: text.slice(at + 1) };
}
