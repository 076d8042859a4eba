// Starts the servers that peers need, from what is installed (Debian: redis-server, postgresql), in a scratch directory and on
// loopback only, and ends them by their own process. `null` with a reason where one is not installed: then no ratio is printed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export type Server = { url: string; about: string; stop(): Promise<void> };

/** A benchmark that is ended takes its servers along. */
const started = new Set<ChildProcess>();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    for (const child of started) child.kill('SIGKILL');
    process.exit(1);
  });

/** Redis with its append-only file on, flushed every second: what BullMQ's documentation asks for. */
export async function startRedis(directory: string): Promise<Server | string> {
  if (process.env.ASSAY_BENCH_REDIS) return given(process.env.ASSAY_BENCH_REDIS);
  const binary = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find(existsSync);
  if (binary === undefined)
    return 'redis-server is not installed (Debian: redis-server), and ASSAY_BENCH_REDIS names none';
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ];
  const child = spawn(binary, options, { stdio: 'ignore' });
  started.add(child);
  await listening(port);
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).match(/v=([\d.]+)/)?.[1] ?? '?';
  return {
    url: `redis://127.0.0.1:${port}`,
    about: `Redis ${version}, append-only file, fsync every second`,
    stop: () => end(child, 'SIGTERM'),
  };
}

/** PostgreSQL with its default durability (synchronous_commit on). */
export async function startPostgres(directory: string): Promise<Server | string> {
  if (process.env.ASSAY_BENCH_POSTGRES) return given(process.env.ASSAY_BENCH_POSTGRES);
  const root = '/usr/lib/postgresql';
  const version = existsSync(root)
    ? readdirSync(root).find((each) => existsSync(join(root, each, 'bin/postgres')))
    : undefined;
  if (version === undefined)
    return 'PostgreSQL is not installed (Debian: postgresql), and ASSAY_BENCH_POSTGRES names none';
  const bin = join(root, version, 'bin');
  const data = join(directory, 'data');
  mkdirSync(data, { recursive: true });
  const user = postgresUser();
  if (user !== null) for (const path of [directory, data]) chownSync(path, user.uid, user.gid);
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'assay', '--auth=trust', '-E', 'UTF8'], {
    ...as,
    cwd: directory,
    stdio: 'ignore',
  });
  const port = await freePort();
  const settings = [
    'shared_buffers=512MB',
    'max_wal_size=2GB',
    'max_connections=100',
    `unix_socket_directories=${directory}`,
    'listen_addresses=127.0.0.1',
  ];
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...as, cwd: directory, stdio: 'ignore' },
  );
  started.add(child);
  await listening(port);
  const url = `postgres://assay@127.0.0.1:${port}/postgres`;
  await untilAccepting(join(bin, 'pg_isready'), port);
  return { url, about: `PostgreSQL ${version}, synchronous_commit on`, stop: () => end(child, 'SIGINT') };
}

function given(url: string): Server {
  return {
    url,
    about: `${new URL(url).protocol.replace(':', '')} server given by the environment`,
    stop: () => Promise.resolve(),
  };
}

/** PostgreSQL refuses to run as root: its own system user is used then. */
function postgresUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function listening(port: number): Promise<void> {
  const { connect } = await import('node:net');
  for (let attempt = 0; attempt < 400; attempt++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
      setTimeout(() => socket.destroy(), 200).unref();
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port} after 20 s`);
}

async function untilAccepting(pgIsReady: string, port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      execFileSync(pgIsReady, ['-q', '-h', '127.0.0.1', '-p', String(port)]);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('PostgreSQL does not accept connections after 20 s');
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => {
      started.delete(child);
      resolve();
    });
    child.kill(signal);
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
  });
}
