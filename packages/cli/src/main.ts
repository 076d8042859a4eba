// The command line's entry: `assay <command>`. One file a command under commands/.
import { Command, CommanderError } from 'commander';
import { productVersion } from '@assay/protocol';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addInspectCommands } from './commands/inspect.ts';
import { addManageCommands } from './commands/manage.ts';
import { addRunCommand } from './commands/run.ts';
import { addFleetCommands } from './commands/up.ts';
import { exitCodes } from './exit-codes.ts';

/** The whole program, also read by the script that writes docs/reference/cli.md. */
export function buildProgram(): Command {
  const program = new Command('assay')
    .description('Runs test suites over a fleet of unlike machines and says, with evidence, whose fault a failure was.')
    .version(productVersion)
    .showHelpAfterError('(assay --help lists the commands)')
    .exitOverride()
    .configureHelp({ sortSubcommands: false });
  addRunCommand(program);
  addInspectCommands(program);
  addManageCommands(program);
  addFleetCommands(program);
  addDoctorCommand(program);
  addDemoCommand(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.passed.code : exitCodes.usage.code;
  }
}

if (import.meta.main) await main(process.argv.slice(2));
