// Live output on its way to those who watch: gathered into few messages, and bounded a second and attempt, so that a test
// that prints without end costs the link next to nothing. What is left out is said in a marker; the whole output comes as
// a blob with the outcome.
import type { AttemptRef, Output } from '@assay/protocol';

export type LiveOutputOptions = {
  /** Characters an attempt may send a second. */
  charsPerSecond?: number;
  /** Characters that an attempt may send at once after a pause. */
  burstChars?: number;
  /** How long output is gathered. */
  gatherMs?: number;
  nowMs: () => number;
  /** False while nobody could be told: what comes then is left out. */
  isWelcome: () => boolean;
  send: (messages: Output[]) => void;
};

type Account = { ref: AttemptRef; credit: number; atMs: number; parts: Output[]; leftOut: number };
type StreamName = Output['stream'];

const messageCharsMax = 16_384;
/** Output that was left out begins again only with this much at once: else there would be more markers than output. */
const resumeChars = 1_024;

export class LiveOutput {
  readonly #options: LiveOutputOptions;
  readonly #rate: number;
  readonly #burst: number;
  readonly #accounts = new Map<string, Account>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LiveOutputOptions) {
    this.#options = options;
    this.#rate = options.charsPerSecond ?? 32_768;
    this.#burst = options.burstChars ?? 65_536;
  }

  add(ref: AttemptRef, stream: StreamName, text: string): void {
    const account = this.#accountOf(ref);
    const taken = Math.min(text.length, Math.floor(account.credit));
    if (account.leftOut > 0 && taken < Math.min(text.length, resumeChars)) {
      account.leftOut += text.length;
      return;
    }
    account.credit -= taken;
    if (taken > 0) this.#mark(account, stream);
    for (let at = 0; at < taken; at += messageCharsMax) {
      this.#keep(account, stream, text.slice(at, Math.min(taken, at + messageCharsMax)).toWellFormed());
    }
    account.leftOut += text.length - taken;
  }

  /** The attempt is over: what is gathered goes out, and its account is closed. */
  end(ref: AttemptRef): void {
    const account = this.#accounts.get(keyOf(ref));
    if (account === undefined) return;
    this.#mark(account, 'stdout');
    this.#accounts.delete(keyOf(ref));
    this.#send(account.parts);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#accounts.clear();
  }

  /** With the credit that time has brought since the last use. */
  #accountOf(ref: AttemptRef): Account {
    const nowMs = this.#options.nowMs();
    let account = this.#accounts.get(keyOf(ref));
    if (account === undefined) {
      account = {
        ref: { task: ref.task, attempt: ref.attempt },
        credit: this.#burst,
        atMs: nowMs,
        parts: [],
        leftOut: 0,
      };
      this.#accounts.set(keyOf(ref), account);
    }
    account.credit = Math.min(this.#burst, account.credit + (Math.max(0, nowMs - account.atMs) * this.#rate) / 1_000);
    account.atMs = nowMs;
    return account;
  }

  #mark(account: Account, stream: StreamName): void {
    if (account.leftOut === 0) return;
    this.#keep(account, stream, `\n[assay: ${account.leftOut} characters of live output left out]\n`);
    account.leftOut = 0;
  }

  #keep(account: Account, stream: StreamName, text: string): void {
    const last = account.parts.at(-1);
    if (last?.stream === stream && last.text.length + text.length <= messageCharsMax) last.text += text;
    else account.parts.push({ kind: 'output', ...account.ref, stream, text });
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.gatherMs ?? 100).unref();
  }

  #flush(): void {
    this.#timer = null;
    const messages: Output[] = [];
    for (const account of this.#accounts.values()) messages.push(...account.parts.splice(0));
    this.#send(messages);
  }

  #send(messages: Output[]): void {
    if (messages.length > 0 && this.#options.isWelcome()) this.#options.send(messages);
  }
}

function keyOf(ref: AttemptRef): string {
  return `${ref.task}#${ref.attempt}`;
}
