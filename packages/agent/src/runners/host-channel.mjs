// The half of the runner host that every Node runner shares: control lines in by stdin, events out by an append-only
// report file. It runs under the PROJECT's Node (18 and later) inside the project's own runner, so it is plain
// JavaScript without dependencies.
//
// Down, one JSON object a line: `hello` first ({nonce, reportFile, limits, ...}), then `run` ([{id, target, tmp}]),
// `withdraw` ([id]) and `end`; without `end` it says `hostIdle` and waits for the next `run`. Up, one JSON object a line,
// each with the nonce `n` and its kind `e`. Nonce and report file come by stdin and not by the environment, so that test
// code in child processes does not inherit them.
// Around each file a marker line with the nonce is written to stdout and stderr, which is how the agent knows whose
// output it reads. When stdin closes before `end`, the agent is gone: the host kills its own process group.
import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * @typedef {{ id: number, target: string, tmp: string }} Item
 * @typedef {{ nonce: string, reportFile: string, keepMessageChars: number, keepStackChars: number, keepNameChars: number, arguments: string[], mark: string }} Hello
 * @typedef {{ path: string[], status: 'passed' | 'failed' | 'skipped' | 'todo', durationMs: number, failure?: { message: string, stack?: string }, line?: number, runnerRetries?: number, benchmarks?: unknown }} HostCase
 */

/** The exit code of a host that cannot write its report; the agent then looks at the disk. */
export const reportUnwritableExit = 74;

/** The files to run, filled and thinned by control lines while the host works. */
class FileQueue {
  /** @type {Item[]} */
  #items = [];
  #hasEnded = false;
  /** @type {() => void} */
  #wake = () => {};
  /** Called when there is nothing to do until more comes. */
  onIdle = () => {};

  /** @param {Item[]} items */
  add(items) {
    this.#items.push(...items);
    this.#wake();
  }

  end() {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Takes items out that have not started; the ids of those that were still there. @param {number[]} ids */
  withdraw(ids) {
    const wanted = new Set(ids);
    const gone = this.#items.filter((item) => wanted.has(item.id)).map((item) => item.id);
    this.#items = this.#items.filter((item) => !wanted.has(item.id));
    return gone;
  }

  /** The next file, or null when there is none and none will come. @returns {Promise<Item | null>} */
  async next() {
    for (;;) {
      const item = this.#items.shift();
      if (item) return item;
      if (this.#hasEnded) return null;
      this.onIdle();
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
  }

  /** Up to `count` more that already wait and that `fits` accepts, from the front. @param {number} count @param {(item: Item) => boolean} fits */
  more(count, fits) {
    /** @type {Item[]} */
    const taken = [];
    while (taken.length < count && this.#items[0] && fits(this.#items[0]))
      taken.push(/** @type {Item} */ (this.#items.shift()));
    return taken;
  }
}

/** What the host says: events into the report file, markers around each file's output. */
class Channel {
  /** @param {Hello} hello */
  constructor(hello) {
    this.hello = hello;
    this.queue = new FileQueue();
    this.file = openSync(hello.reportFile, 'a');
    /** @type {Map<number, number>} */
    this.cases = new Map();
    this.queue.onIdle = () => this.emit({ e: 'hostIdle', rssMiB: residentMiB() });
  }

  /** The runner is loaded and takes files. @param {string} version */
  ready(version) {
    this.emit({ e: 'hostReady', version, startupMs: performance.now(), rssMiB: residentMiB() });
  }

  /** @param {Record<string, unknown>} event */
  emit(event) {
    const line = `${JSON.stringify({ n: this.hello.nonce, ...event })}\n`;
    try {
      writeAll(this.file, line);
    } catch (error) {
      process.stderr.write(`assay: the report cannot be written: ${String(error)}\n`);
      process.exit(reportUnwritableExit);
    }
  }

  /** @param {Item} item */
  fileStarted(item) {
    this.cases.set(item.id, 0);
    this.#mark(item, 'start');
    this.emit({ e: 'fileStarted', i: item.id });
  }

  /** @param {Item} item @param {HostCase} hostCase */
  case(item, hostCase) {
    this.cases.set(item.id, (this.cases.get(item.id) ?? 0) + 1);
    this.emit({ e: 'case', i: item.id, c: trimmed(hostCase, this.hello) });
  }

  /** Output of the file in progress; awaited, so that a file that prints much waits for whoever reads. @param {'stdout' | 'stderr'} stream @param {string} text */
  async output(stream, text) {
    if (!process[stream].write(text)) await new Promise((resolve) => process[stream].once('drain', resolve));
  }

  /** `facts.marked` says that what the file left running carries its mark. @param {Item} item @param {Record<string, unknown>} facts */
  fileFinished(item, facts) {
    this.#mark(item, 'end');
    this.emit({ e: 'fileFinished', i: item.id, cases: this.cases.get(item.id) ?? 0, ...facts });
    this.cases.delete(item.id);
  }

  /** Ends the host, whatever timers and handles the runner left, once its output is out. @param {number} code @returns {Promise<never>} */
  async close(code) {
    this.emit({ e: 'hostEnded' });
    closeSync(this.file);
    // Pipes are written asynchronously when they are full, and process.exit would drop what waits.
    await Promise.all(
      [process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))),
    );
    return process.exit(code);
  }

  /** @param {Item} item @param {'start' | 'end'} what */
  #mark(item, what) {
    const marker = `\u001e${this.hello.nonce} ${item.id} ${what}\n`;
    process.stdout.write(marker);
    process.stderr.write(marker);
  }
}

/** Reads `hello`, then answers the control lines for as long as the host lives. @returns {Promise<Channel>} */
export async function openChannel() {
  return new Promise((resolve) => {
    /** @type {Channel | null} */
    let channel = null;
    /** @param {Record<string, any>} message */
    const obey = (message) => {
      if (message.hello) resolve((channel = new Channel(message.hello)));
      if (!channel) return;
      if (message.run) channel.queue.add(message.run);
      if (message.withdraw) channel.emit({ e: 'withdrawn', ids: channel.queue.withdraw(message.withdraw) });
      if (message.end) channel.queue.end();
    };
    readLines(process.stdin, obey, dieWithTheAgent);
  });
}

/** Two turns of the loop: what children wrote before they ended has then been read and passed on. */
export async function outputPassedOn() {
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

function residentMiB() {
  return Math.round(process.memoryUsage.rss() / 2 ** 20);
}

/** Nobody is left to report to. */
function dieWithTheAgent() {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.exit(1);
  }
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
