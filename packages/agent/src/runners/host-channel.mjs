// The half of the runner host that every Node runner shares: control lines in by stdin, events out by an append-only
// report file. It runs under the PROJECT's Node (18 and later) inside the project's own runner, so it is plain
// JavaScript without dependencies.
//
// Down, one JSON object a line: `hello` first ({nonce, reportFile, limits, ...}), then `run` ([{id, target, tmp}]),
// `withdraw` ([id]) and `end`. Up, one JSON object a line, each with the nonce `n` and its kind `e`. Nonce and report
// file come by stdin and not by the environment, so that test code in child processes does not inherit them.
// Around each file a marker line with the nonce is written to stdout and stderr, which is how the agent knows whose
// output it reads. When stdin closes before `end`, the agent is gone: the host kills its own process group.
import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * @typedef {{ id: number, target: string, tmp: string }} Item
 * @typedef {{ nonce: string, reportFile: string, keepMessageChars: number, keepStackChars: number, keepNameChars: number, arguments: string[], mark: string }} Hello
 * @typedef {{ path: string[], status: 'passed' | 'failed' | 'skipped' | 'todo', durationMs: number, failure?: { message: string, stack?: string }, line?: number, runnerRetries?: number }} HostCase
 */

/** The exit code of a host that cannot write its report; the agent then looks at the disk. */
export const reportUnwritableExit = 74;

/** Reads `hello`, then answers the control lines for as long as the host lives. */
export async function openChannel() {
  /** @type {Item[]} */
  const queue = [];
  let hasEnded = false;
  /** @type {Hello | null} */
  let hello = null;
  /** @type {() => void} */
  let wake = () => {};
  /** @type {number} */
  let file = -1;
  let casesOfFile = 0;

  /** @param {Record<string, unknown>} event */
  const emit = (event) => {
    const line = `${JSON.stringify({ n: hello?.nonce, ...event })}\n`;
    try {
      writeAll(file, line);
    } catch (error) {
      process.stderr.write(`assay: the report cannot be written: ${String(error)}\n`);
      process.exit(reportUnwritableExit);
    }
  };

  /** @param {Record<string, any>} message */
  const obey = (message) => {
    if (message.hello) {
      hello = message.hello;
      file = openSync(message.hello.reportFile, 'a');
    }
    if (message.run) queue.push(...message.run);
    if (message.withdraw) {
      const wanted = new Set(message.withdraw);
      const gone = queue.filter((item) => wanted.has(item.id)).map((item) => item.id);
      queue.splice(0, queue.length, ...queue.filter((item) => !wanted.has(item.id)));
      emit({ e: 'withdrawn', ids: gone, asked: message.withdraw });
    }
    if (message.end) hasEnded = true;
    wake();
  };

  readLines(process.stdin, obey, () => {
    // Nobody is left to report to.
    try {
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      process.exit(1);
    }
  });
  while (!hello) await new Promise((resolve) => (wake = () => resolve(undefined)));
  /** @type {Hello} */
  const given = hello;

  return {
    hello: given,
    emit,
    /** The next file to run, or null when there is none and none will come. @returns {Promise<Item | null>} */
    async next() {
      for (;;) {
        const item = queue.shift();
        if (item) return item;
        if (hasEnded) return null;
        await new Promise((resolve) => (wake = () => resolve(undefined)));
      }
    },
    /** Whether another file waits right now. */
    get waiting() {
      return queue.length;
    },
    /** @param {Item} item */
    fileStarted(item) {
      casesOfFile = 0;
      setScratch(item.tmp);
      writeMarker(`\u001e${given.nonce} ${item.id} start\n`);
      emit({ e: 'fileStarted', i: item.id });
    },
    /** @param {Item} item @param {HostCase} hostCase */
    case(item, hostCase) {
      casesOfFile += 1;
      emit({ e: 'case', i: item.id, c: trimmed(hostCase, given) });
    },
    /** @param {Item} item @param {Record<string, unknown>} facts */
    async fileFinished(item, facts) {
      // Two turns of the loop, so that what children wrote before they ended has been read and passed on.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      writeMarker(`\u001e${given.nonce} ${item.id} end\n`);
      emit({ e: 'fileFinished', i: item.id, cases: casesOfFile, ...facts });
    },
    /** Ends the host at once, whatever timers and handles the runner left. @param {number} code */
    close(code) {
      emit({ e: 'hostEnded' });
      closeSync(file);
      process.exit(code);
    },
  };
}

/** @param {unknown} error @param {number} keepChars @returns {{ message: string, stack?: string }} */
export function failureOf(error, keepChars = 1_000_000) {
  /** @type {any} */
  const thrown = error;
  if (thrown === null || (typeof thrown !== 'object' && typeof thrown !== 'function'))
    return { message: String(thrown) };
  const name = typeof thrown.name === 'string' ? thrown.name : '';
  const text = typeof thrown.message === 'string' ? thrown.message : String(thrown.message ?? thrown);
  const message = (name && name !== 'Error' && !text.startsWith(name) ? `${name}: ${text}` : text) || 'failed';
  const stack = typeof thrown.stack === 'string' ? thrown.stack : undefined;
  const diff = typeof thrown.diff === 'string' ? `\n\n${withoutColour(thrown.diff)}` : '';
  return {
    message: withoutColour(message).slice(0, keepChars) + diff.slice(0, keepChars),
    ...(stack ? { stack: withoutColour(stack) } : {}),
  };
}

/** @param {string} text */
function withoutColour(text) {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '');
}

/** @param {HostCase} hostCase @param {Hello} limits @returns {Record<string, unknown>} */
function trimmed(hostCase, limits) {
  const failure = hostCase.failure;
  return {
    ...hostCase,
    path: hostCase.path.slice(0, 50).map((title) => title.slice(0, limits.keepNameChars)),
    ...(failure
      ? {
          failure: {
            message: failure.message.slice(0, limits.keepMessageChars),
            messageCut: Math.max(0, failure.message.length - limits.keepMessageChars),
            ...(failure.stack
              ? {
                  stack: failure.stack.slice(0, limits.keepStackChars),
                  stackCut: Math.max(0, failure.stack.length - limits.keepStackChars),
                }
              : {}),
          },
        }
      : {}),
  };
}

/** @param {string} directory */
function setScratch(directory) {
  process.env['TMPDIR'] = directory;
  process.env['TMP'] = directory;
  process.env['TEMP'] = directory;
}

/** @param {string} marker */
function writeMarker(marker) {
  process.stdout.write(marker);
  process.stderr.write(marker);
}

/** @param {number} fd @param {string} line */
function writeAll(fd, line) {
  const bytes = Buffer.from(line);
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}

/** @param {NodeJS.ReadStream} stream @param {(message: Record<string, any>) => void} onMessage @param {() => void} onEnd */
function readLines(stream, onMessage, onEnd) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) onMessage(JSON.parse(line));
  });
  stream.on('end', onEnd);
  stream.on('error', onEnd);
}
