// The command line's entry: `assay <command>`. One file a command (or a family of small ones) under commands/. Only the file of
// the command that was called is loaded, so that each starts quickly and a worker stays small; help loads all.
import { Command, CommanderError } from 'commander';
import { productVersion } from '@assay/protocol';
import { exitCodes } from './exit-codes.ts';

type AddCommands = (program: Command) => void;

const families: { readonly names: readonly string[]; readonly load: () => Promise<AddCommands> }[] = [
  { names: ['run'], load: async () => (await import('./commands/run.ts')).addRunCommand },
  {
    names: ['runs', 'tasks', 'workers', 'explain', 'report'],
    load: async () => (await import('./commands/inspect.ts')).addInspectCommands,
  },
  {
    names: ['watch', 'cancel', 'drain', 'token'],
    load: async () => (await import('./commands/manage.ts')).addManageCommands,
  },
  {
    names: ['quarantine', 'maintenance', 'release', 'certify', 'recovery'],
    load: async () => (await import('./commands/condition.ts')).addConditionCommands,
  },
  { names: ['dossier'], load: async () => (await import('./commands/dossier.ts')).addDossierCommand },
  { names: ['mcp'], load: async () => (await import('./commands/mcp.ts')).addMcpCommand },
  { names: ['import'], load: async () => (await import('./commands/import.ts')).addImportCommand },
  { names: ['results'], load: async () => (await import('./commands/results.ts')).addResultsCommands },
  { names: ['calibration'], load: async () => (await import('./commands/calibration.ts')).addCalibrationCommand },
  {
    names: ['flakes', 'analyze', 'bisect'],
    load: async () => (await import('./commands/analyze.ts')).addAnalyzeCommands,
  },
  { names: ['query'], load: async () => (await import('./commands/query.ts')).addQueryCommand },
  { names: ['what-if'], load: async () => (await import('./commands/what-if.ts')).addWhatIfCommand },
  { names: ['circuits'], load: async () => (await import('./commands/circuits.ts')).addCircuitsCommand },
  { names: ['up'], load: async () => (await import('./commands/up.ts')).addUpCommand },
  { names: ['worker'], load: async () => (await import('./commands/worker.ts')).addWorkerCommand },
  { names: ['requires'], load: async () => (await import('./commands/requires.ts')).addRequiresCommand },
  { names: ['doctor'], load: async () => (await import('./commands/doctor.ts')).addDoctorCommand },
  { names: ['browsers'], load: async () => (await import('./commands/browsers.ts')).addBrowsersCommand },
  {
    names: ['conformance'],
    load: async () => (await import('./commands/conformance.ts')).addConformanceCommand,
  },
  { names: ['drill'], load: async () => (await import('./commands/drill.ts')).addDrillCommand },
  { names: ['demo'], load: async () => (await import('./commands/demo.ts')).addDemoCommand },
];

/** The whole program, or what the command that was called needs of it; also read by the script that writes docs/reference/cli.md. */
export async function buildProgram(called?: string): Promise<Command> {
  const program = new Command('assay')
    .description('Runs test suites over a fleet of unlike machines and says, with evidence, whose fault a failure was.')
    .version(productVersion)
    .showHelpAfterError('(assay --help lists the commands)')
    .exitOverride();
  const wanted = families.filter(({ names }) => called !== undefined && names.includes(called));
  for (const { load } of wanted.length > 0 ? wanted : families) (await load())(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  try {
    const program = await buildProgram(argv[0]);
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.passed.code : exitCodes.usage.code;
  }
}

if (import.meta.main) await main(process.argv.slice(2));
