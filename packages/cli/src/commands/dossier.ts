// `assay dossier RUN TEST`: everything that is known of why a test failed, for who was not there.
import type { Command } from 'commander';
import { connect, type ConnectionOptions } from '../connection.ts';
import { toMarkdown } from '../dossier/markdown.ts';
import { readDossiers } from '../dossier/read.ts';
import { action, addConnectionOptions } from './options.ts';

export function addDossierCommand(program: Command): void {
  addConnectionOptions(
    program.command('dossier').description('Print all that is known of why a test failed, as Markdown.'),
  )
    .argument('<run>', 'the run that it failed in')
    .argument('[test]', 'part of its name, as "file > group > test"; all failed tests without', '')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nWhere it ran and why there, its attempts and whose fault it was, the machine, what ran beside it, the ends of its\nlogs, and one command to run it again there.\n\nExamples:\n  assay dossier r-abc "a.test.ts > adds" > dossier.md\n  assay dossier r-abc --json',
    )
    .action(action(dossier));
}

async function dossier(run: string, words: string, options: ConnectionOptions & { json?: boolean }): Promise<number> {
  const { client } = await connect(options);
  const dossiers = await readDossiers(client, run, words);
  process.stdout.write(options.json ? `${JSON.stringify(dossiers, null, 2)}\n` : dossiers.map(toMarkdown).join('\n'));
  return 0;
}
