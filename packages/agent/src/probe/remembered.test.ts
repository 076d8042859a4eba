import { copyFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from './context.ts';
import type { CommandOutcome } from './context.ts';
import { rememberedRun } from './remembered.ts';

let home: string;
let file: string;
let tool: string;
/** What was really started. */
let started: string[];

const counting = async (command: string, args: string[], timeoutMs: number): Promise<CommandOutcome> => {
  started.push([command, ...args].join(' '));
  return runCommand(command, args, timeoutMs);
};

/** As one start of a command does it: a memory that is read, asked and saved. */
async function ask(command: string, ...args: string[]): Promise<CommandOutcome> {
  const remembered = rememberedRun(counting, file);
  const outcome = await remembered.run(command, args, 10_000);
  await remembered.save();
  return outcome;
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-versions-'));
  file = join(home, 'cache', 'versions.json');
  tool = join(home, 'tool');
  started = [];
  // A program that is no script: this Node itself.
  await copyFile(process.execPath, tool);
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

test('an unchanged program is asked for its version once', async () => {
  const first = await ask(tool, '--version');
  expect(first).toEqual({ kind: 'ok', stdout: `${process.version}\n`, stderr: '' });
  expect(await ask(tool, '--version')).toEqual(first);
  expect(started).toEqual([`${tool} --version`]);
});

test('a program with another time of change, or another size, is asked again', async () => {
  await ask(tool, '--version');
  await utimes(tool, new Date(), new Date(1_700_000_000_000));
  await ask(tool, '--version');
  await writeFile(tool, 'x', { flag: 'a' });
  await utimes(tool, new Date(), new Date(1_700_000_000_000));
  await ask(tool, '--version');
  expect(started).toHaveLength(3);
});

test('a script, any other question and a program that fails are asked every time', async () => {
  const script = join(home, 'script');
  await writeFile(script, '#!/bin/sh\necho 1.0\n', { mode: 0o755 });
  for (let round = 0; round < 2; round += 1) {
    await ask(script, '--version');
    await ask(tool, '-p', '1');
    await ask(tool, 'version');
    await ask(join(home, 'missing'), '--version');
  }
  expect(started).toHaveLength(8);
});

test.each(['not json', '{"x":1}', '[]', ''])('a memory that holds %j is replaced', async (text) => {
  await ask(tool, '--version');
  await writeFile(file, text);
  await ask(tool, '--version');
  await ask(tool, '--version');
  expect(started).toHaveLength(2);
});

test('a memory that cannot be written costs nothing but its use', async () => {
  await writeFile(join(home, 'cache'), 'a file where the folder should be');
  expect((await ask(tool, '--version')).kind).toBe('ok');
  expect((await ask(tool, '--version')).kind).toBe('ok');
  expect(started).toHaveLength(2);
});
