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

export type LiveOutput = {
  add(ref: AttemptRef, stream: 'stdout' | 'stderr', text: string): void;
  /** The attempt is over: what is gathered goes out, and its account is closed. */
  end(ref: AttemptRef): void;
  close(): void;
};

type Account = { ref: AttemptRef; credit: number; atMs: number; parts: Output[]; leftOut: number };

const messageCharsMax = 16_384;

export function createLiveOutput(options: LiveOutputOptions): LiveOutput {
  const rate = options.charsPerSecond ?? 32_768;
  const burst = options.burstChars ?? 65_536;
  const accounts = new Map<string, Account>();
  let timer: NodeJS.Timeout | null = null;

  const flush = (): void => {
    timer = null;
    const messages: Output[] = [];
    for (const account of accounts.values()) {
      messages.push(...account.parts);
      account.parts = [];
    }
    if (messages.length > 0 && options.isWelcome()) options.send(messages);
  };
  const keep = (account: Account, stream: 'stdout' | 'stderr', text: string): void => {
    const last = account.parts.at(-1);
    if (last?.stream === stream && last.text.length + text.length <= messageCharsMax) last.text += text;
    else account.parts.push({ kind: 'output', ...account.ref, stream, text });
    timer ??= setTimeout(flush, options.gatherMs ?? 100);
    timer.unref();
  };
  const mark = (account: Account, stream: 'stdout' | 'stderr'): void => {
    if (account.leftOut === 0) return;
    keep(account, stream, `\n[assay: ${account.leftOut} characters of live output left out]\n`);
    account.leftOut = 0;
  };
  return {
    add(ref, stream, text) {
      const key = `${ref.task}#${ref.attempt}`;
      const nowMs = options.nowMs();
      let account = accounts.get(key);
      if (account === undefined) {
        account = { ref: { task: ref.task, attempt: ref.attempt }, credit: burst, atMs: nowMs, parts: [], leftOut: 0 };
        accounts.set(key, account);
      }
      account.credit = Math.min(burst, account.credit + (Math.max(0, nowMs - account.atMs) * rate) / 1_000);
      account.atMs = nowMs;
      const taken = Math.min(text.length, Math.floor(account.credit));
      account.credit -= taken;
      // A few characters at a time would be markers more than output.
      if (account.leftOut > 0 && taken < Math.min(text.length, 1_024)) {
        account.credit += taken;
        account.leftOut += text.length;
        return;
      }
      if (taken > 0) mark(account, stream);
      for (let at = 0; at < taken; at += messageCharsMax) {
        keep(account, stream, text.slice(at, Math.min(taken, at + messageCharsMax)).toWellFormed());
      }
      account.leftOut += text.length - taken;
    },
    end(ref) {
      const key = `${ref.task}#${ref.attempt}`;
      const account = accounts.get(key);
      if (account === undefined) return;
      mark(account, 'stdout');
      accounts.delete(key);
      if (account.parts.length > 0 && options.isWelcome()) options.send(account.parts);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      accounts.clear();
    },
  };
}
