// Two failing runs of a real project: what is new and known, the dossier of the failure, and the protocol server as a model's host
// starts it, through the protocol's official client.
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectUnderTest, testFile } from './assay-process.ts';

let project: ProjectUnderTest;
type Report = { run: string; failures: { new: number; known: number }; files: { cases: { history: unknown }[] }[] };
const runs: Report[] = [];

beforeAll(async () => {
  project = new ProjectUnderTest({
    'a.test.mjs': testFile({ sound: '', broken: "assert.equal(1, 2, 'one is not two');" }),
    'b.test.mjs': testFile({ other: '' }),
  });
  for (let at = 0; at < 2; at += 1) {
    const { code, stdout } = await project.assay('run', '--workers', '1', '--json');
    expect(code).toBe(1);
    runs.push(JSON.parse(stdout) as Report);
  }
});
afterAll(() => project.close());

test('a failure is new in the first run and known in the second', () => {
  expect(runs.map(({ failures }) => failures)).toEqual([
    { new: 1, known: 0 },
    { new: 0, known: 1 },
  ]);
});

test('the dossier says what failed, where and why there, what ran beside it, and how to run it again there', async () => {
  const { run } = runs[1] as Report;
  const { code, stdout } = await project.assay('dossier', run, 'a.test.mjs > broken');
  expect(code).toBe(0);
  for (const said of [
    '# a.test.mjs',
    'one is not two',
    'known: failed so 1 time before',
    '## Attempts',
    'workers fit',
    '| b.test.mjs | passed |',
    'assay run a.test.mjs --requires',
  ])
    expect(stdout).toContain(said);
  const [dossier] = JSON.parse((await project.assay('dossier', run, 'broken', '--json')).stdout);
  expect(dossier).toMatchObject({ path: ['broken'], verdict: 'failed', history: { seen: 'known', earlier: 1 } });
  expect(await project.assay('dossier', run, 'sound')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('NOT_FOUND') as string,
  });
});

test('a model reads runs, dossiers and queries, a refused query is an answer, and nothing writes', async () => {
  const main = fileURLToPath(new URL('../main.mjs', import.meta.url));
  const started = { command: process.execPath, args: [main, 'mcp'], cwd: project.path, env: project.environment() };
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport(started));
  try {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['list_runs', 'read_run', 'read_dossier', 'query']);
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    const ask = async (name: string, args: Record<string, unknown>): Promise<{ isError: boolean; text: string }> => {
      const answer = await client.callTool({ name, arguments: args });
      const [content] = answer.content as { text: string }[];
      return { isError: answer.isError === true, text: content?.text ?? '' };
    };
    const { run } = runs[0] as Report;
    expect((await ask('list_runs', {})).text).toContain(run);
    expect(JSON.parse((await ask('read_run', { run })).text)).toMatchObject({ run, verdict: 'failed' });
    expect((await ask('read_dossier', { run, test: 'broken' })).text).toContain('one is not two');
    const asked = await ask('query', { sql: "SELECT count(*) AS n FROM cases WHERE status = 'failed'" });
    expect(JSON.parse(asked.text)).toMatchObject({ rows: [['2']] });
    expect(await ask('query', { sql: 'DELETE FROM cases' })).toMatchObject({ isError: true });
    expect(await ask('read_run', { run: 'r-none' })).toMatchObject({ isError: true });
  } finally {
    await client.close();
  }
});
