// Admission on real processes: a policy file, a pool, a key that two slots may not hold at once, suites that come after others, a device
// that is told to its tests, a gang, and an explanation that says when and what would help.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectUnderTest, type Running } from './assay-process.ts';
import { until } from './fleet-under-test.ts';

let project: ProjectUnderTest;
const running: Running[] = [];
let url = '';
let submitToken = '';

// Fails where another holds the directory: two at once would.
const exclusive = `import { mkdirSync, rmdirSync } from 'node:fs';
mkdirSync(process.env.LOCK_DIR);
setTimeout(() => rmdirSync(process.env.LOCK_DIR), 150);
`;
// Passes where the other of its gang is there within its patience.
const fellow = `import { existsSync, writeFileSync } from 'node:fs';
const [mine, other] = [process.argv[2], process.argv[2] === 'gang/a.mjs' ? 'gang/b.mjs' : 'gang/a.mjs'];
writeFileSync(process.env.MEET_DIR + '/' + mine.replace('/', '-'), '');
const until = Date.now() + 20_000;
const look = () => {
  if (existsSync(process.env.MEET_DIR + '/' + other.replace('/', '-'))) return;
  if (Date.now() > until) process.exit(1);
  setTimeout(look, 20);
};
look();
`;

beforeAll(async () => {
  project = new ProjectUnderTest({
    'policy.json': JSON.stringify({ pools: { lab: { reserved: true } }, keys: { licence: 1 }, weights: { ci: 2 } }),
    'bad.json': '{"weights": {"ci": 0}}',
    'exclusive.mjs': exclusive,
    'fellow.mjs': fellow,
    'gang/a.mjs': '',
    'gang/b.mjs': '',
    'locked/a.txt': '',
    'locked/b.txt': '',
    'locked/c.txt': '',
  });
  writeFileSync(
    join(project.path, 'assay.config.ts'),
    `import { defineConfig } from 'assay';
const node = process.execPath;
export default defineConfig({
  pool: 'lab',
  bundle: { setup: [] },
  suites: [
    { name: 'build', runner: 'command', command: [node, '-e', 'process.exit(0)'] },
    { name: 'broken', runner: 'command', command: [node, '-e', 'process.exit(1)'] },
    { name: 'locked', runner: 'command', include: ['locked/*.txt'], command: [node, 'exclusive.mjs', '{target}'],
      after: ['build'], concurrency: { licence: 5 }, env: { LOCK_DIR: ${JSON.stringify(join(project.path, 'lock'))} } },
    { name: 'pair', runner: 'command', include: ['gang/*.mjs'], command: [node, 'fellow.mjs', '{target}'],
      gang: { size: 2, spread: 'slots' }, env: { MEET_DIR: ${JSON.stringify(project.path)} } },
    { name: 'device', runner: 'command', claims: [{ device: 'd.class == "cpu"', share: 0.5 }],
      command: [node, '-e', 'process.exit(process.env.ASSAY_DEVICES === "cpu:0" ? 0 : 1)'] },
    { name: 'never', runner: 'command', after: ['broken'], command: [node, '-e', 'process.exit(0)'] },
  ],
});
`,
  );
  const up = start(['up', '--port', '0', '--quiet', '--policy', 'policy.json']);
  url = await until('the coordinator says where it is', () => up.stderr().match(/http:\/\/[0-9.]+:\d+/)?.[0] ?? null);
  const token = async (...args: string[]): Promise<string> =>
    (await project.assay('token', 'create', ...args)).stdout.trim();
  submitToken = await token('--scope', 'submit', '--scope', 'read', '--name', 'ci');
  const labToken = await token('--scope', 'worker:lab', '--name', 'lab');
  start(['worker', '--join', url, '--name', 'lab-1', '--pool', 'lab', '--slots', '3'], { ASSAY_TOKEN: labToken });
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

test('keys, gangs, devices, orders and pools hold on real processes', async () => {
  const ran = await project.assay('run', '--coordinator', url, '--token', submitToken, '--json');
  const report = JSON.parse(ran.stdout) as { run: string };
  const tasks = (await project.assay('tasks', report.run, '--json')).stdout
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as {
          suite: string;
          target: string;
          verdict: string;
          attempts: { failure?: { code: string } }[];
        },
    );
  const verdicts = tasks.map(({ suite, target, verdict }) => `${suite} ${target} ${verdict}`.replace('  ', ' '));
  expect(verdicts.sort()).toEqual([
    'broken failed',
    'build passed',
    'device passed',
    'locked locked/a.txt passed',
    'locked locked/b.txt passed',
    'locked locked/c.txt passed',
    'never skipped',
    'pair gang/a.mjs passed',
    'pair gang/b.mjs passed',
  ]);
  const never = tasks.find(({ suite }) => suite === 'never');
  expect(never?.attempts.at(-1)?.failure?.code).toBe('DEPENDENCY_NOT_PASSED');
});

test('a pool that is reserved takes no run that does not ask for it; the run says so', async () => {
  const other = start(
    ['run', '--coordinator', url, '--token', submitToken, '--pool', 'elsewhere', '--', 'node', '-e', '0'],
    {},
  );
  const run = await until('the run waits', async () => {
    const [first] = JSON.parse((await project.assay('runs', '--json')).stdout) as { run: string; state: string }[];
    return first?.state === 'queued' ? first.run : null;
  });
  const explained = (await project.assay('explain', `${run}.0`)).stdout;
  expect(explained).toContain('1 worker: is of pool "lab", and "elsewhere" is asked for');
  expect(explained).toContain('nothing that is known would let it start by itself');
  expect(explained).toMatch(/could start now if the requirement leaves out the part that lab-1 misses/);
  await project.assay('cancel', run);
  await other.ended;
});

test('a policy that is wrong is refused with the key that is', async () => {
  expect(await project.assay('up', '--port', '0', '--policy', 'bad.json')).toMatchObject({
    stderr: expect.stringContaining('weights.ci') as string,
  });
});
