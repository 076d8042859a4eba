// A fleet as its people use it: a coordinator that stays, a worker on another state directory that cannot see the project, a run
// that travels as a bundle, and every command that asks or acts.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectUnderTest, type Running, testFile } from './assay-process.ts';
import { until } from './fleet-under-test.ts';

let project: ProjectUnderTest;
const running: Running[] = [];
let url = '';
let env: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  project = new ProjectUnderTest({
    'assay.config.ts':
      "import { defineConfig } from 'assay';\nexport default defineConfig({ suites: [{ runner: 'node:test' }], bundle: { setup: [['node', 'setup.mjs']], exclude: ['private/**'] } });\n",
    'setup.mjs': "import { writeFileSync } from 'node:fs';\nwriteFileSync('made-by-setup', 'yes');\n",
    'private/secret.txt': 'not for the fleet',
    'test/a.test.mjs': testFile({
      'the set-up ran': "assert.ok(existsSync('made-by-setup'));",
      'what is excluded did not come': "assert.ok(!existsSync('private/secret.txt'));",
    }),
    'test/b.test.mjs': testFile({ bad: "assert.fail('on purpose');" }),
  });
  const up = start(['up', '--port', '0', '--quiet']);
  url = await until('the coordinator says where it is', () => up.stderr().match(/http:\/\/[0-9.]+:\d+/)?.[0] ?? null);
  const { stdout } = await project.assay('token', 'create', '--scope', 'worker:default', '--name', 'lab');
  env = { ASSAY_TOKEN: stdout.trim() };
  start(['worker', '--join', url, '--name', 'lab-1', '--slots', '1', '--declare', 'rack=7'], env);
  await until('the worker has joined', async () =>
    (await project.assay('workers')).stdout.includes('ready') ? true : null,
  );
});
afterAll(async () => {
  for (const { child, ended } of running.toReversed()) {
    child.kill('SIGTERM');
    await ended;
  }
  project.close();
});

function start(args: string[], more: NodeJS.ProcessEnv = {}): Running {
  const started = project.start(args, more);
  running.push(started);
  return started;
}

const json = async (...args: string[]): Promise<unknown> => JSON.parse((await project.assay(...args, '--json')).stdout);

test('a run travels as a bundle, is set up once, and is reported, listed and explained', async () => {
  const ran = await project.assay('run', '--coordinator', url);
  // Without --token the run is refused: the endpoint of this user is used only where no coordinator is named.
  expect(ran).toMatchObject({ code: 4, stderr: expect.stringContaining('UNAUTHORIZED') as string });
  const submitToken = (await project.assay('token', 'create', '--scope', 'submit', '--name', 'ci')).stdout.trim();
  const report = (await json(
    'run',
    '--coordinator',
    url,
    '--token',
    submitToken,
    '--name',
    'nightly',
    '--label',
    'branch=main',
  )) as {
    run: string;
    exitCode: number;
    cases: object;
    workers: { name: string }[];
  };
  expect(report).toMatchObject({ exitCode: 1, cases: { passed: 2, failed: 1 }, workers: [{ name: 'lab-1' }] });
  expect(await project.assay('runs')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/failed +2\/2 .*nightly/) as string,
  });
  expect((await project.assay('tasks', report.run, '--verdict', 'failed')).stdout).toContain('b.test.mjs');
  expect((await project.assay('explain', `${report.run}.0`)).stdout).toMatch(/placed on/);
  expect(await project.assay('report', report.run)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('on purpose') as string,
  });
  expect(await project.assay('watch', report.run)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('FAILED') as string,
  });
  expect((await project.assay('report', 'r-nothere')).stderr).toContain('NOT_FOUND');
  expect(
    await json('query', `SELECT status, count(*) FROM cases WHERE run = '${report.run}' GROUP BY 1 ORDER BY 1`),
  ).toMatchObject({
    rows: [
      ['failed', '1'],
      ['passed', '2'],
    ],
    isCut: false,
  });
  expect(await json('analyze', '--run', report.run)).toMatchObject({
    changes: { changes: [], series: 0 },
    failures: { failures: 1, clusters: [{ inRun: 'new', failures: 1 }] },
  });
  expect(await json('flakes')).toMatchObject({ tests: [{ verdict: 'tooFew', score: null, failures: 1 }] });
  expect(await json('bisect', 'no such test')).toEqual({ tests: [] });
  expect(await project.assay('analyze')).toMatchObject({
    stdout: expect.stringContaining('1 failure of 1 kind') as string,
  });
  expect(await project.assay('query', "SELECT * FROM read_text('/etc/passwd')")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('QUERY_REFUSED') as string,
  });
});

test('a run that no worker can do waits and says why; it can be explained and canceled', async () => {
  const waiting = start([
    'run',
    '--requires',
    'declared.rack == 8',
    '--coordinator',
    url,
    '--token',
    await adminToken(),
  ]);
  await until('it says that nobody can do it', () =>
    waiting.stderr().includes('no connected worker can do') ? true : null,
  );
  const [run] = (await json('runs', '--limit', '1')) as { run: string }[];
  expect((await project.assay('explain', `${run?.run}.0`)).stdout).toMatch(/1 worker: .*rack/);
  expect((await project.assay('cancel', run?.run ?? '')).code).toBe(0);
  expect(await waiting.ended).toMatchObject({ code: 5 });
});

test('tokens are listed without their secrets, and a revoked one opens nothing', async () => {
  const secret = await adminToken();
  expect((await project.assay('workers', '--coordinator', url, '--token', secret)).code).toBe(0);
  const [token] = ((await json('token', 'list')) as { token: string; name: string }[])
    .filter(({ name }) => name === 'admin')
    .slice(-1);
  expect((await project.assay('token', 'list')).stdout).not.toContain(secret);
  expect((await project.assay('token', 'revoke', token?.token ?? '')).code).toBe(0);
  expect(await project.assay('workers', '--coordinator', url, '--token', secret)).toMatchObject({ code: 4 });
});

test('a drained worker takes no new work and leaves', async () => {
  const [worker] = (await json('workers')) as { worker: string }[];
  expect((await project.assay('drain', worker?.worker ?? '')).code).toBe(0);
  const agent = running[1];
  expect((await agent?.ended)?.code).toBe(0);
});

test('a port that is taken is refused by name', async () => {
  const port = new URL(url).port;
  const ended = await project.start(['up', '--port', port, '--state', 'another-state']).ended;
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('LISTEN_FAILED') as string });
});

test('beyond loopback without a token is refused by name', async () => {
  const ended = await project.start(['up', '--host', '0.0.0.0', '--port', '0', '--state', 'other-state']).ended;
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('LISTEN_NOT_LOOPBACK') as string });
});

async function adminToken(): Promise<string> {
  return (await project.assay('token', 'create', '--scope', 'admin', '--name', 'admin')).stdout.trim();
}
