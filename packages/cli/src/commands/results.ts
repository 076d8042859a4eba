// assay results: what an administrator does with the store itself, while runs go on.
import { AssayError, BackupName } from '@assay/protocol';
import type { Command } from 'commander';
import { connect, type ConnectionOptions } from '../connection.ts';
import { action, addConnectionOptions } from './options.ts';

type Shared = ConnectionOptions & { json?: boolean };

export function addResultsCommands(program: Command): void {
  const results = program.command('results').description('Back up, restore and erase stored results.');
  addConnectionOptions(results.command('backup <name>').description('Copy the results store under a name.'))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  assay results backup before-upgrade\n\nIt is written to backups/ in the state directory.',
    )
    .action(action(backup));
  addConnectionOptions(
    results.command('restore <name>').description('Put a copy back; later results are read from the journal again.'),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  assay results restore before-upgrade')
    .action(action(restore));
  addConnectionOptions(results.command('erase <project>').description("Forget all of a project's results."))
    .requiredOption('--yes', 'that you mean it: nothing brings them back but a backup')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  assay results erase old-shop --yes')
    .action(action(erase));
}

async function backup(name: string, options: Shared): Promise<number> {
  const { client } = await connect(options);
  const made = await client.backupResults({ name: checked(name) });
  say(options, made, `${made.name}: ${made.bytes} bytes, up to journal entry ${made.appliedSeq}`);
  return 0;
}

async function restore(name: string, options: Shared): Promise<number> {
  const { client } = await connect(options);
  const back = await client.restoreResults({ name: checked(name) });
  say(options, back, `${back.name} is back; entries after ${back.appliedSeq} are read from the journal again`);
  return 0;
}

async function erase(project: string, options: Shared): Promise<number> {
  const { client } = await connect(options);
  const erased = await client.eraseProject({ project });
  say(options, erased, `${project}: erased once the results have reached journal entry ${erased.seq}`);
  return 0;
}

function checked(name: string): string {
  if (BackupName.safeParse(name).success) return name;
  throw new AssayError('USAGE', `"${name}" is no name of a backup: letters, digits, ".", "_" and "-", 80 at most.`);
}

function say(options: Shared, value: unknown, text: string): void {
  process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text}\n`);
}
