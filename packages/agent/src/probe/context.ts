// What a probe may touch: files under a root, an environment, and short commands. Nothing in this folder reads a file or
// starts a process in any other way, so that every probe runs on a recorded tree and recorded tool output as it does here.
//
// What always holds of a command: no shell, no stdin, a time-out, a cap on output, its own process group that is killed as
// a whole, and a working directory in which nobody leaves a `json.py`. A probe's answer is a value or a reason, never a throw.
import { spawn } from 'node:child_process';
import { access, constants, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { hostname, release } from 'node:os';
import { delimiter, join, parse } from 'node:path';
import type { UnknownField } from '@assay/protocol';

export type CommandOutcome =
  | { kind: 'ok'; stdout: string; stderr: string }
  | { kind: 'missing' }
  | { kind: 'failed'; code: number | null; stdout: string; stderr: string }
  | { kind: 'timedOut' };

export type ProbeContext = {
  /** Prefix of every absolute path that is read: "/" on a real machine, a fixture tree in a test. */
  root: string;
  platform: NodeJS.Platform;
  /** As `process.arch` names it. */
  arch: string;
  env: Record<string, string | undefined>;
  hostname: string;
  /** The kernel's release as the system call reports it; Linux trees override it by `/proc/sys/kernel/osrelease`. */
  kernel: string;
  /** The Node that runs this agent: certainly on this machine, even when none is on PATH. */
  node: { path: string; version: string };
  commandTimeoutMs: number;
  run(command: string, args: string[], timeoutMs: number): Promise<CommandOutcome>;
};

/** What one probe found: a value, or nothing, and in either case what it could not find out. */
export type Probed<Value> = { value: Value | undefined; unknown: UnknownField[] };

/** Longer than any of the tools needs when idle (a loaded machine must not change its profile), short enough to start with. */
const defaultCommandTimeoutMs = 5_000;
const outputBytesMax = 1024 * 1024;
const fileBytesMax = 1024 * 1024;

/** This machine, for real. */
export function thisMachine(overrides: Partial<ProbeContext> = {}): ProbeContext {
  return {
    root: '/',
    platform: process.platform,
    arch: process.arch,
    env: process.env,
    hostname: hostname(),
    kernel: release(),
    node: { path: process.execPath, version: process.versions.node },
    commandTimeoutMs: defaultCommandTimeoutMs,
    run: runCommand,
    ...overrides,
  };
}

export function runCommand(command: string, args: string[], timeoutMs: number): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const isPosix = process.platform !== 'win32';
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: isPosix,
      windowsHide: true,
      cwd: parse(process.execPath).root,
      // A version question must not download a toolchain, and must be answered in English.
      env: { ...process.env, LC_ALL: 'C', LANGUAGE: '', RUSTUP_AUTO_INSTALL: '0', GOTOOLCHAIN: 'local' },
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let bytes = 0;
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
    const killGroup = () => {
      try {
        if (isPosix && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // It had ended already.
      }
    };
    const settle = (outcome: CommandOutcome) => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      killGroup();
      settle({ kind: 'timedOut' });
    }, timeoutMs);
    const take = (chunks: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= outputBytesMax) return void chunks.push(chunk);
      killGroup();
      settle({ kind: 'failed', code: null, stdout: '', stderr: `printed more than ${outputBytesMax} bytes` });
    };
    child.stdout.on('data', take(stdout));
    child.stderr.on('data', take(stderr));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return settle({ kind: 'missing' });
      settle({ kind: 'failed', code: null, stdout: '', stderr: error.message });
    });
    // `close` and not `exit`: the output is complete. A grandchild that keeps the pipe open runs into the time-out.
    child.on('close', (code) => {
      if (code === 0) return settle({ kind: 'ok', stdout: text(stdout), stderr: text(stderr) });
      settle({ kind: 'failed', code, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

/** The text of a file under the root, or undefined when it is not there or not readable. At most 1 MiB. */
export async function readText(ctx: ProbeContext, path: string): Promise<string | undefined> {
  try {
    const file = await open(join(ctx.root, path), 'r');
    try {
      // Files under /proc and /sys report size 0, so the size says nothing about what can be read.
      const chunks: Buffer[] = [];
      for (let total = 0; total < fileBytesMax;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536, null);
        if (bytesRead === 0) break;
        chunks.push(buffer.subarray(0, bytesRead));
        total += bytesRead;
      }
      return Buffer.concat(chunks).toString('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** The names in a folder under the root, sorted; undefined when there is no such folder. */
export async function listFolder(ctx: ProbeContext, path: string): Promise<string[] | undefined> {
  try {
    return (await readdir(join(ctx.root, path))).sort();
  } catch {
    return undefined;
  }
}

export async function readLink(ctx: ProbeContext, path: string): Promise<string | undefined> {
  try {
    return await readlink(join(ctx.root, path));
  } catch {
    return undefined;
  }
}

/** Where a path leads in the end, or the path itself when it leads nowhere. */
export async function realPath(ctx: ProbeContext, path: string): Promise<string> {
  return realpath(join(ctx.root, path)).catch(() => path);
}

export async function exists(ctx: ProbeContext, path: string): Promise<boolean> {
  try {
    await access(join(ctx.root, path));
    return true;
  } catch {
    return false;
  }
}

/** The first executable of that name on PATH, as its path without the root. */
export async function findOnPath(ctx: ProbeContext, name: string): Promise<string | undefined> {
  const isWindows = ctx.platform === 'win32';
  const suffixes = isWindows ? (ctx.env.PATHEXT ?? '.EXE;.CMD;.BAT;.COM').split(';') : [''];
  const folders = (ctx.env.PATH ?? ctx.env.Path ?? '').split(isWindows ? ';' : delimiter);
  for (const folder of folders) {
    // A relative entry means another folder for every process: it is not the machine's.
    if (isWindows ? !/^[A-Za-z]:\\/.test(folder) : !folder.startsWith('/')) continue;
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix);
      try {
        const real = isWindows ? path : join(ctx.root, path);
        await access(real, constants.X_OK);
        if ((await stat(real)).isFile()) return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/** Why a command gave no answer, in one line that fits an `unknown` entry. */
export function failureReason(command: string, outcome: CommandOutcome, timeoutMs: number): string {
  switch (outcome.kind) {
    case 'ok':
      return `${command} printed nothing that could be read: ${oneLine(outcome.stdout || outcome.stderr) || '(nothing)'}`;
    case 'missing':
      return `${command} is not installed`;
    case 'timedOut':
      return `${command} did not answer within ${timeoutMs} ms`;
    case 'failed': {
      const said = oneLine(outcome.stderr.trim() || outcome.stdout);
      return `${command} ${outcome.code === null ? 'was stopped' : `exited ${outcome.code}`}${said ? `: ${said}` : ''}`;
    }
  }
}

/** A text cut to one line of at most 300 characters. */
export function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length <= 300 ? line : `${line.slice(0, 297)}...`;
}

/** The first version number in a text, with its first parts as numbers; undefined when there is none. */
export function parseVersion(text: string): { version: string; major: number; minor?: number } | undefined {
  const found = /(\d{1,9})(?:\.(\d{1,9}))?(?:[.\w+~-]*\w)?/.exec(text);
  if (!found) return undefined;
  const minor = found[2] === undefined ? {} : { minor: Number(found[2]) };
  return { version: found[0].slice(0, 200), major: Number(found[1]), ...minor };
}
