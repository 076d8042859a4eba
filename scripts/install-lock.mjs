// Keeps two processes from installing into the same node_modules at once: `npm ci` begins by deleting it.
// The lock is a file made with O_EXCL, "PID@HOST" or "PID,NPM-PID@HOST"; its holder renews the time stamp every few
// seconds, so a holder that was killed is known by its silence (or at once, when its process on this machine is gone).
// The npm that a killed holder leaves behind goes on writing, so it holds the lock too until it has ended.
// What always holds: at most one installation is under way, as long as clocks do not jump by half a minute.
// Plain JavaScript for Node 20: it runs before anything is installed.
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

const renewEveryMs = 3_000;
const silentAfterMs = 30_000;
const pollEveryMs = 200;
const waitAtMostMs = 15 * 60_000;

/** Resolves with the lock: `release()` and `alsoHeldBy(pid)`. `onTimeout(path)` is expected to throw. */
export async function acquireInstallLock(path, { onWait, onTimeout, waitMs = waitAtMostMs }) {
  mkdirSync(dirname(path), { recursive: true });
  const deadlineMs = Date.now() + waitMs;
  let told = false;
  for (;;) {
    if (create(path, holderText())) return hold(path);
    const holder = read(path);
    if (holder !== undefined && isGone(path, holder)) {
      breakLock(path, holder);
      continue;
    }
    if (!told && holder !== undefined) {
      onWait(holder);
      told = true;
    }
    if (Date.now() > deadlineMs) onTimeout(path);
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
}

function hold(path) {
  const renew = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // Somebody removed it by hand, as the message told them to. The installation still ends.
    }
  }, renewEveryMs);
  renew.unref();
  let held = holderText();
  const release = () => {
    clearInterval(renew);
    process.off('exit', release);
    if (read(path) === held) rmSync(path, { force: true });
  };
  process.on('exit', release);
  const alsoHeldBy = (pid) => {
    held = holderText(pid);
    writeFileSync(path, held);
  };
  return { release, alsoHeldBy };
}

function holderText(installerPid) {
  const pids = installerPid === undefined ? process.pid : `${process.pid},${installerPid}`;
  return `${pids}@${hostname()}`;
}

function create(path, text) {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, text);
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isGone(path, holder) {
  const [pids = '', host] = holder.split('@');
  const isSilent = ageMs(path) > silentAfterMs;
  if (host !== hostname()) return isSilent;
  const [pid, installerPid] = pids.split(',').map(Number);
  const isHeld = isRunning(pid) && !isSilent;
  return !isHeld && !(installerPid !== undefined && isRunning(installerPid));
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/**
 * Two waiters may see the same dead holder, and the slower must not delete the lock that the faster has made since:
 * breaking is itself exclusive, and looks again.
 */
function breakLock(path, holder) {
  const breaking = `${path}.breaking`;
  if (!create(breaking, String(process.pid))) {
    if (ageMs(breaking) > silentAfterMs) rmSync(breaking, { force: true });
    return;
  }
  try {
    if (read(path) === holder && isGone(path, holder)) rmSync(path, { force: true });
  } finally {
    rmSync(breaking, { force: true });
  }
}
