// Codes that the failure rules give to attempts (protocol/failure-rules), and those of recovery. What is retryable here is
// what another place or another time may cure.
import type { ErrorEntry } from './entry.ts';

const cured = (summary: string, next: string): ErrorEntry => ({ status: 500, retryable: true, summary, next });
const stays = (summary: string, next: string): ErrorEntry => ({ status: 500, retryable: false, summary, next });
const elsewhere = 'It is tried where it tells most whose fault it is; read the diagnosis of the task.';

export const failureErrors = {
  GPU_FELL_OFF_BUS: cured(
    'The GPU does not answer on its bus.',
    'Reset or reboot the machine; look at power, heat and seating.',
  ),
  GPU_MEMORY_ERROR: cured(
    "An uncorrectable error of the GPU's memory.",
    'Reset the device; replace it where it comes again.',
  ),
  GPU_LINK_ERROR: cured('A link of the GPU failed.', 'Reset the device; look at its bridge or cable.'),
  GPU_FIRMWARE_ERROR: cured(
    "The GPU's firmware stopped answering.",
    'Update the driver and firmware, or reset the device.',
  ),
  GPU_DRIVER_ERROR: cured("The GPU's driver reported an error of its own.", 'Try another driver version.'),
  GPU_PROGRAM_FAULT: stays(
    'The program on the device made an illegal access or asserted.',
    'Look for a fault of the program.',
  ),
  GPU_XID: cured('The NVIDIA driver reported an error.', "Look the number up in NVIDIA's list of Xid errors."),
  GPU_RESET: cured('The driver reset the GPU.', elsewhere),
  GPU_HANG: cured('The GPU did not finish in time.', elsewhere),
  MACHINE_CHECK: cured('The processor or its memory reported a hardware error.', 'Look at the memory and the machine.'),
  DISK_IO_ERROR: cured('A disk of the worker fails.', 'Look at the disk.'),
  DEVICE_OUT_OF_MEMORY: cured(
    'An allocation on the device failed.',
    'Require more memory, hold the device alone, or allow a smaller variant.',
  ),
  DEVICE_LOST: cured('The device was lost under the program.', elsewhere),
  DEVICE_MISSING: cured('The device is not there for the program.', "Look at the worker's drivers and permissions."),
  DRIVER_MISMATCH: cured(
    'The driver does not go with its libraries.',
    'Restart the machine, or install versions that go together.',
  ),
  DRIVER_FAILED: cured('A driver could not be loaded or started.', "Look at the worker's drivers."),
  BUILT_FOR_OTHER_DEVICE: stays(
    "The program was not built for this device's architecture.",
    'Build it for this architecture, or require another.',
  ),
  BUILT_FOR_OTHER_MACHINE: stays(
    'The program was built for another architecture or system.',
    'Build it for this one, or require another.',
  ),
  HEAP_LIMIT: stays("The runtime's own heap limit was reached.", 'Raise the limit of the runtime, or look for a leak.'),
  HOST_MEMORY_EXHAUSTED: cured(
    'The machine refused memory or a process.',
    'Require more memory, or fewer slots on that worker.',
  ),
  DISK_FULL: cured('A file system of the worker is full.', 'Free space on the worker.'),
  TOO_MANY_OPEN_FILES: cured('No file handle was left.', 'Look for a leak, or raise the limit of the worker.'),
  BROWSER_DRIVER_MISMATCH: stays('The browser and its driver do not go together.', 'Install versions that do.'),
  BROWSER_MISSING: stays(
    'The browser, its libraries or a display is not there.',
    'Install them on the worker, or require a worker that has them.',
  ),
  BROWSER_GPU_PROCESS_FAILED: cured("The browser's GPU process ended.", elsewhere),
  BROWSER_START_FAILED: cured('The browser did not start.', elsewhere),
  BROWSER_GONE: cured('The browser ended, or its driver lost it.', elsewhere),
  BROWSER_STUCK: cured('The page stopped answering.', elsewhere),
  BROWSER_CRASHED: cured('The browser crashed.', elsewhere),
  SOFTWARE_ADAPTER: stays(
    'A hardware adapter was required, and the page worked on a software one.',
    'Require it of placement too, or allow software.',
  ),
  HALLMARK_MISSING: stays(
    'The pass of a browser test is not shown by its evidence, so it does not count.',
    'Read hallmark.json of the attempt: usually the test never submitted work to the device.',
  ),
  TAB_CRASHED: cured("The page's process ended.", elsewhere),
  CONNECTION_REFUSED: cured(
    'Nothing listens where the test connects to.',
    'Start what the test needs; where many fail alike, look at that one service.',
  ),
  CONNECTION_LOST: cured('The other end cut the connection.', elsewhere),
  CONNECTION_TIMED_OUT: cured('The other end did not answer in time.', elsewhere),
  NAME_NOT_RESOLVED: cured('A name has no address.', "Look at the name and the worker's resolver."),
  NETWORK_UNREACHABLE: cured('The machine has no way to the other end.', "Look at the worker's network."),
  SERVICE_UNAVAILABLE: cured('A service that the test uses cannot serve.', 'Look at that service.'),
  LIBRARY_MISSING: stays(
    'A library is missing or too old.',
    'Install it on the worker, or require a worker that has it.',
  ),
  MODULE_MISSING: stays(
    'A dependency is not installed where the test ran.',
    "Install the project's dependencies, or add them to the bundle's set-up.",
  ),
  CRASHED: stays('The process crashed.', 'Look for a native fault; read the output.'),
  ABORTED: stays('The process ended itself.', 'Read the output for the assertion that failed.'),
  ILLEGAL_INSTRUCTION: stays(
    'An instruction that this processor does not have.',
    'Build for older processors, or require the instruction set.',
  ),
  TERMINATED: cured('Something asked the process to end.', 'Look for a shutdown or a supervisor on the worker.'),
  RESOURCE_LIMIT: stays('A limit on processor time or file size was reached.', 'Raise the limit on the worker.'),
  KILLED: stays('A process under the command was killed.', 'Look at memory, and at who kills processes there.'),
  COMMAND_NOT_FOUND: stays('A command is not there.', 'Install it on the worker, or correct the command.'),
  COMMAND_NOT_EXECUTABLE: stays('A command may not be executed.', 'Correct its permissions.'),
  COMMAND_TIMED_OUT: stays("The command's own time limit ended it.", 'Raise that limit, or find what hangs.'),
  HEDGED: stays(
    'A duplicate of the task was done first, and this attempt was stopped.',
    'Nothing to do: the task has its result.',
  ),
  BLACK_HOLE: cured(
    'A worker ended task after task at once by failing, where its peers do not.',
    'Look at the worker; it gets no work until it is certified or probed.',
  ),
  PASSES_ELSEWHERE: cured('A test failed here and passed on another worker.', elsewhere),
  POISON: stays(
    'The task took down the workers that ran it, and was set aside.',
    'Look at what it does to the machine; run it again by itself on a worker that may be lost.',
  ),
} as const satisfies Record<string, ErrorEntry>;
