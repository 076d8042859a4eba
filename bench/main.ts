// `npm run bench -- NAME [options]`: runs one benchmark in a process of its own. Without a name, or with `list`, says which there are.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(import.meta.dirname).filter((each) => existsSync(join(import.meta.dirname, each, 'main.ts')));

if (name === undefined || name === 'list' || !names.includes(name)) {
  for (const each of names) {
    const [first = ''] = readFileSync(join(import.meta.dirname, each, 'main.ts'), 'utf8').split('\n');
    console.log(`${each.padEnd(16)}${first.replace(/^\/\/ /, '')}`);
  }
  process.exitCode = name === undefined || name === 'list' ? 0 : 2;
} else {
  // Memory is measured after a collection, so the collector is exposed.
  const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, name, 'main.ts'), ...args], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => (process.exitCode = code ?? 1));
}
