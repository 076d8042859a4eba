// For a test: moves itself into the memory control group that it is given, runs one command through the real door, and prints
// the outcome as JSON. A process of its own, so that the limit concerns nothing else.
import { writeFileSync } from 'node:fs';
import { recordBatch } from './recorded-batch.ts';

const [procsFile = '', script = ''] = process.argv.slice(2);
writeFileSync(procsFile, String(process.pid));
const { byTarget } = await recordBatch('command', [''], {
  projectDir: process.cwd(),
  suite: { arguments: ['sh', '-c', script] },
});
process.stdout.write(`${JSON.stringify(byTarget['']?.outcome)}\n`);
