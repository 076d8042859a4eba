// How a process ended, and why it could not start. Signals are those that the kernel or a fault raises; SIGKILL is left
// out on purpose: it says nothing of who sent it, and the attempt stays `unknown` unless something else explains it.
import type { FailureRule } from './rule.ts';

const row = (
  id: string,
  failureClass: FailureRule['class'],
  code: string,
  exit: NonNullable<FailureRule['exit']>,
  means: string,
  source: string,
): FailureRule => ({ id, class: failureClass, code, reads: 'exit', patterns: [], exit, means, source });
const shell = 'signal(7); a shell adds 128: POSIX Shell, 2.8.2';
const windows = 'Microsoft [MS-ERREF], NTSTATUS';

const startRules: readonly FailureRule[] = [
  {
    id: 'process/library-missing',
    class: 'configuration',
    code: 'LIBRARY_MISSING',
    reads: 'text',
    patterns: [
      'error while loading shared libraries',
      "version `GLIBC_*' not found",
      "version `GLIBCXX_*' not found",
      'cannot open shared object file',
      'Library not loaded:',
    ],
    means: 'A library that the program needs is missing or too old.',
    source: 'glibc elf/dl-load.c, dl-version.c; macOS dyld',
  },
  {
    id: 'process/other-architecture',
    class: 'configuration',
    code: 'BUILT_FOR_OTHER_MACHINE',
    reads: 'text',
    patterns: [
      'Exec format error',
      'cannot execute binary file',
      'Bad CPU type in executable',
      'invalid ELF header',
      'wrong ELF class',
    ],
    means: 'The program was built for another architecture or system.',
    source: 'glibc errlist ENOEXEC; bash execute_cmd.c; macOS; glibc elf/dl-load.c',
  },
  {
    id: 'process/module-missing',
    class: 'configuration',
    code: 'MODULE_MISSING',
    reads: 'text',
    patterns: ['ModuleNotFoundError: No module named', "Cannot find package '"],
    means: 'A dependency is not installed where the test ran.',
    source: 'Node.js errors; CPython Lib/importlib/_bootstrap.py',
  },
];

const exitRules: readonly FailureRule[] = [
  row(
    'process/crashed',
    'test',
    'CRASHED',
    {
      signals: ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGTRAP', 'SIGSYS'],
      codes: [139, 135, 136, 3_221_225_477, 3_221_226_505, 3_221_225_725],
    },
    'The process crashed: an illegal access or a fault.',
    `${shell}; ${windows}`,
  ),
  row(
    'process/aborted',
    'test',
    'ABORTED',
    { signals: ['SIGABRT', 'SIGIOT'], codes: [134] },
    'The process ended itself: an assertion of its runtime or a library.',
    `abort(3); ${shell}`,
  ),
  row(
    'process/illegal-instruction',
    'device',
    'ILLEGAL_INSTRUCTION',
    { signals: ['SIGILL'], codes: [132, 3_221_225_501] },
    'An instruction that this processor does not have: built for another model, or a fault.',
    `${shell}; ${windows}`,
  ),
  row(
    'process/terminated',
    'infrastructure',
    'TERMINATED',
    { signals: ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGPWR'], codes: [143, 129, 3_221_225_786] },
    'Something asked the process to end: a shutdown, a supervisor, or the test itself.',
    `${shell}; ${windows}`,
  ),
  row(
    'process/limit',
    'configuration',
    'RESOURCE_LIMIT',
    { signals: ['SIGXCPU', 'SIGXFSZ'], codes: [152, 153] },
    'A limit on processor time or file size was reached.',
    `setrlimit(2); ${shell}`,
  ),
  row(
    'process/killed',
    'unknown',
    'KILLED',
    { codes: [137] },
    'A process under the command was killed by signal 9; who sent it is not known.',
    shell,
  ),
  row(
    'process/not-found',
    'configuration',
    'COMMAND_NOT_FOUND',
    { codes: [127, 3_221_225_781] },
    'A command or a library of it is not there.',
    `POSIX Shell, 2.8.2; ${windows}`,
  ),
  row(
    'process/not-executable',
    'configuration',
    'COMMAND_NOT_EXECUTABLE',
    { codes: [126] },
    'A command may not be executed.',
    'POSIX Shell, 2.8.2',
  ),
  row(
    'process/timeout',
    'timeout',
    'COMMAND_TIMED_OUT',
    { codes: [124] },
    'timeout(1) ended the command.',
    'GNU coreutils timeout(1)',
  ),
];

export const processRules: readonly FailureRule[] = [...startRules, ...exitRules];
