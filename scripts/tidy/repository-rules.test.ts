import { expect, test } from 'vitest';
import { repositoryRules } from './repository-rules.ts';

function broken(path: string, text: string): string[] {
  return repositoryRules.flatMap((rule) =>
    rule.check({ path, text, code: text }).map((one) => `${rule.name}:${one.line}`),
  );
}

// Put together from parts, so that this file does not break the rule that it tests.
const folder = ['', 'root', 'project'].join('/');
const other = ['', 'work', 'main', 'x.ts'].join('/');
const host = ['https://npm.regi', 'stry.example/a'].join('');

test('a path of one machine is found, on its line', () => {
  expect(broken('README.md', `see\n${folder}\n`)).toEqual(['no-machine-paths:2']);
  expect(broken('a.sh', `cd ${other}`)).toEqual(['no-machine-paths:1']);
});

test("a registry's host is found", () => {
  expect(broken('package-lock.json', `"resolved": "${host}"`)).toEqual(['no-machine-paths:1']);
});

test('paths that only look alike are left alone', () => {
  expect(broken('a.ts', "join(root, 'x'); const p = './work/items'; // ${x}/work/a, net/root/x")).toEqual([]);
});

const manifest = (change: object): string =>
  JSON.stringify({ license: 'Apache-2.0', type: 'module', engines: { node: '>=24' }, ...change });

test.each([
  ['another licence', { license: 'MIT' }],
  ['CommonJS', { type: 'commonjs' }],
  ['an older Node', { engines: { node: '>=20' } }],
  ['a range of versions', { dependencies: { zod: '^4.6.7' } }],
])('a package with %s is found', (_name, change) => {
  expect(broken('packages/agent/package.json', manifest(change))).toEqual(['manifest:1']);
});

test('a package that keeps the rules is left alone, and the root may start on Node 20', () => {
  expect(broken('packages/agent/package.json', manifest({ dependencies: { a: '1.5.6-r.1' } }))).toEqual([]);
  expect(broken('package.json', manifest({ engines: { node: '>=20' } }))).toEqual([]);
  expect(broken('package.json', manifest({}))).toEqual(['manifest:1']);
});
