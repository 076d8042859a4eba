import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { probeOf } from './probe.ts';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  opened.push(server);
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    }),
  );
}
const serve = (listener: RequestListener): Promise<number> => listening(createServer(listener));
const never = new AbortController().signal;

test('an address is well at any status below 400, and says which one it is not well with', async () => {
  const port = await serve((request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end('body');
  });
  for (const status of [200, 204, 302])
    await expect(probeOf({ url: `http://127.0.0.1:${port}/${status}` })(never)).resolves.toBeUndefined();
  for (const status of [404, 503])
    await expect(probeOf({ url: `http://127.0.0.1:${port}/${status}` })(never)).rejects.toThrow(`HTTP ${status}`);
});

test('an address where nothing listens says so, by HTTP and by TCP', async () => {
  const server = createTcpServer((socket) => socket.end());
  const port = await listening(server);
  await expect(probeOf({ url: `tcp://127.0.0.1:${port}` })(never)).resolves.toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  await expect(probeOf({ url: `tcp://127.0.0.1:${port}` })(never)).rejects.toThrow('ECONNREFUSED');
  await expect(probeOf({ url: `http://127.0.0.1:${port}` })(never)).rejects.toThrow('ECONNREFUSED');
});

test('an answer that does not come is given up by signal', async () => {
  const asked = Promise.withResolvers<void>();
  const port = await serve(() => asked.resolve());
  const controller = new AbortController();
  const probe = probeOf({ url: `http://127.0.0.1:${port}` })(controller.signal);
  await asked.promise;
  controller.abort();
  await expect(probe).rejects.toThrow('aborted');
});

test('a command is well with exit code 0, and its last words say why it is not', async () => {
  const run = (script: string) => probeOf({ command: [process.execPath, '-e', script] })(never);
  await expect(run('')).resolves.toBeUndefined();
  await expect(run('console.error("warming up"); console.error("no licence"); process.exit(3)')).rejects.toThrow(
    'exit code 3: no licence',
  );
  await expect(probeOf({ command: ['no-such-program-of-ours'] })(never)).rejects.toThrow('ENOENT');
});

// Windows has no process groups: there only the command itself is ended.
test.skipIf(process.platform === 'win32')('a command that is given up is ended with what it started', async () => {
  const script = `
    const { spawn } = require('node:child_process');
    const inner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    fetch('http://127.0.0.1:' + process.argv[1] + '/' + inner.pid);
    setInterval(() => {}, 1000);`;
  const innerPid = Promise.withResolvers<number>();
  const port = await serve((request, response) => {
    response.end();
    innerPid.resolve(Number(request.url?.slice(1)));
  });
  const controller = new AbortController();
  const probe = probeOf({ command: [process.execPath, '-e', script, String(port)] })(controller.signal);
  const pid = await innerPid.promise;
  controller.abort();
  await expect(probe).rejects.toThrow('SIGKILL');
  const deadline = Date.now() + 5_000;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
