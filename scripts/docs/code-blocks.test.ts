// Every code block of the documents is checked, and this file says how:
//   sh      run for real by code-blocks.real.test.ts (`exits=N`, `starts="text"`, `in=PROJECT`)
//   text    with `output`: compared there with what the block above it printed
//   ts      with `config`: loaded as an assay.config.ts is
//   json    parsed
//   cel     each line is a requirement that the static check takes
// A block that cannot be run says why with skip="…", and stands in the list below: it cannot grow unnoticed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkRequirement } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Block, parsePage, placeOf, readPages, root } from './markdown.ts';

const pages = readPages();
// Generated pages have a test of their own, which compares them with their source.
const blocks = pages.filter(({ isGenerated }) => !isGenerated).flatMap((page) => page.blocks);
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'assay-docs-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const notRun: readonly string[] = [
  'ARCHITECTURE.md: text: a drawing',
  'ARCHITECTURE.md: text: a listing',
  'README.md: sh: packages/cli/src/system/demo.real.test.ts runs it',
  'README.md: sh: the test suite does not start itself',
  'docs/explain/statistics.md: sh: a history of runs',
  'docs/operate/fleet.md: ini: a systemd unit for a machine of yours',
  'docs/reference/results.md: text: a drawing',
];

test('the blocks that are not run are these, and each says why', () => {
  const skipped = blocks.filter(({ tags }) => tags.has('skip'));
  expect(skipped.map((block) => `${block.page}: ${block.language}: ${block.tags.get('skip')}`)).toEqual(notRun);
});

function howChecked({ language, tags }: Block): string | null {
  if (tags.has('skip')) return tags.get('skip') === '' ? null : 'listed';
  if (language === 'sh') return 'run';
  if (language === 'text' && tags.has('output')) return 'compared';
  if (language === 'ts' && tags.has('config')) return 'loaded';
  if (language === 'json') return 'parsed';
  if (language === 'cel') return 'checked';
  if (language === 'sql') return 'asked, in sql-blocks.test.ts';
  return null;
}

test('every block says how it is checked', () => {
  expect(blocks.filter((block) => howChecked(block) === null).map(placeOf)).toEqual([]);
  expect(blocks.length).toBeGreaterThan(20);
});

test('output stands below the block that prints it', () => {
  const orphans = blocks.filter((block, index) => {
    const before = blocks[index - 1];
    return (
      block.tags.has('output') && (before?.page !== block.page || before.language !== 'sh' || before.tags.has('skip'))
    );
  });
  expect(orphans.map(placeOf)).toEqual([]);
});

/** By the product's own loader in a process of its own: its module hooks do not reach into vitest. */
function loadedInNode(path: string): string {
  const load = pathToFileURL(join(root, 'packages/cli/src/config/load.ts')).href;
  const script = `const { loadConfig } = await import(${JSON.stringify(load)});
    process.stdout.write(JSON.stringify((await loadConfig('.', ${JSON.stringify(path)})).config));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

const configs = blocks.filter(({ language, tags }) => language === 'ts' && tags.has('config'));
test.each(configs.map((block) => [placeOf(block), block] as const))(
  'the configuration at %s is valid',
  (place, block) => {
    const path = join(scratch, `${place.replaceAll(/\W/g, '-')}.config.ts`);
    writeFileSync(path, block.text);
    expect(loadedInNode(path)).toMatch(/"(?:suites|bundle|coordinator)":/);
  },
);

const requirements = blocks.filter(({ language }) => language === 'cel');
test.each(
  requirements.flatMap((block) =>
    block.text
      .trim()
      .split('\n')
      .map((line) => [placeOf(block), line] as const),
  ),
)('the requirement at %s is one: %s', (_, line) => {
  expect(checkRequirement(line)).toMatchObject({ kind: 'ok' });
});

const documents = blocks.filter(({ language }) => language === 'json');
test.each(documents.map((block) => [placeOf(block), block] as const))('the JSON at %s is JSON', (_, block) => {
  expect(JSON.parse(block.text)).toBeTypeOf('object');
});

test('tags are read: words, values and quoted values', () => {
  const { blocks: found } = parsePage('x.md', '# A\n```sh exits=1 in=b skip="two machines" word\nls\n```\n');
  expect(found).toMatchObject([{ page: 'x.md', line: 2, language: 'sh', text: 'ls' }]);
  expect([...(found[0]?.tags ?? [])]).toEqual([
    ['exits', '1'],
    ['in', 'b'],
    ['skip', 'two machines'],
    ['word', ''],
  ]);
});
