// The built-in checks as a process of their own: what they find out about a broken machine must not take the agent with it.
// Plain JavaScript, so that it starts without the type stripper. Usage: built-in-process.mjs cpu|memory|disk DIRECTORY MEBIBYTES
// Prints one line of JSON, {"outcome": "passed"|"failed", "evidence": {...}}, and exits 0 when it could tell.
//
// The answers are published ones, and not what this machine once computed:
//   cpu     the SHA-256 of a million times "a" (FIPS 180-2, appendix B.3); that 2^521-1 is prime and 2^523-1 is not
//           (Robinson 1952), by the Lucas-Lehmer test; the sum of 1/k^2, which is pi^2/6
//   memory  what was written is what is read, in patterns that set every bit both ways and tell every address from its neighbours
//   disk    what was written and synchronized is what is read
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const millionA = 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0';

export function checkCpu() {
  const digest = createHash('sha256').update('a'.repeat(1_000_000)).digest('hex');
  let sum = 0;
  for (let k = 1_000_000; k >= 1; k -= 1) sum += 1 / (k * k);
  // The tail that is left out is within 1/n - 1/n^2 and 1/n.
  const isSumRight = Math.abs(sum + 1e-6 - Math.PI ** 2 / 6) < 1e-11;
  const answers = {
    sha256: digest === millionA,
    M521: isMersennePrime(521n),
    M523: !isMersennePrime(523n),
    sum: isSumRight,
  };
  const wrong = Object.entries(answers).filter(([, isRight]) => !isRight);
  return judged(wrong.length === 0, {
    computed: Object.keys(answers).join(' '),
    ...(wrong.length === 0 ? {} : { message: `wrong answers: ${wrong.map(([name]) => name).join(' ')}` }),
  });
}

function isMersennePrime(p) {
  const m = (1n << p) - 1n;
  let s = 4n;
  for (let i = 0n; i < p - 2n; i += 1n) s = (s * s - 2n) % m;
  return s === 0n;
}

export function checkMemory(mebibytes) {
  const words = new Uint32Array(mebibytes * 2 ** 18);
  let wrong = 0;
  for (const pattern of [0x55555555, 0xaaaaaaaa]) {
    words.fill(pattern);
    for (let at = 0; at < words.length; at += 1) if (words[at] !== pattern) wrong += 1;
  }
  for (let at = 0; at < words.length; at += 1) words[at] = Math.imul(at, 0x9e3779b1);
  for (let at = 0; at < words.length; at += 1) if (words[at] !== Math.imul(at, 0x9e3779b1) >>> 0) wrong += 1;
  return judged(wrong === 0, {
    mebibytes: String(mebibytes),
    wrongWords: String(wrong),
    ...(wrong === 0 ? {} : { message: `${wrong} words were not what was written` }),
  });
}

export function checkDisk(directory, mebibytes) {
  const path = join(directory, `check-${randomBytes(6).toString('hex')}`);
  const content = randomBytes(mebibytes * 2 ** 20);
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      for (let at = 0; at < content.length; at += writeSync(file, content, at));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const isSame = readFileSync(path).equals(content);
    return judged(isSame, {
      mebibytes: String(mebibytes),
      ...(isSame ? {} : { message: 'what was read is not what was written' }),
    });
  } catch (error) {
    return judged(false, { message: `${error.code ?? 'error'}: ${error.message}` });
  } finally {
    try {
      rmSync(path, { force: true });
    } catch {
      // It was never there.
    }
  }
}

function judged(isPassed, evidence) {
  return { outcome: isPassed ? 'passed' : 'failed', evidence };
}

if (process.argv[1] === import.meta.filename) {
  const [name, directory = '.', mebibytes = '32'] = process.argv.slice(2);
  const checks = {
    cpu: () => checkCpu(),
    memory: () => checkMemory(Number(mebibytes)),
    disk: () => checkDisk(directory, Number(mebibytes)),
  };
  process.stdout.write(`${JSON.stringify(checks[name]())}\n`);
}
