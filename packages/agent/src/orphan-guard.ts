// Notices that the process that an agent works for is gone: a worker of a local run must not outlive it, however it ended.

/** Calls `gone` at most once, soon after the process has ended; `clearInterval` of what it returns ends the watch. */
export function guardOrphan(parentPid: number, gone: () => void): NodeJS.Timeout {
  // A real parent that is gone shows at once in our own record, even when its number was given to another process.
  const isChild = process.ppid === parentPid;
  const watch = setInterval(() => {
    if (isChild ? process.ppid === parentPid : isAlive(parentPid)) return;
    clearInterval(watch);
    gone();
  }, 500);
  watch.unref();
  return watch;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
