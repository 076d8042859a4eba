// Structured log lines: one JSON object a line, to stderr. Secrets are never passed here; fields whose name says that they
// could hold one are replaced all the same, at any depth.

export type LogDetails = Record<string, unknown>;
export type Log = {
  info(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
};

const secretField = /secret|password|passwd|authorization|credential|cookie|^env$/i;

/** Each line goes to `write` before the call returns, so that the last words of a process that ends are not lost. */
export function createLog(write: (line: string) => void = (line) => void process.stderr.write(line)): Log {
  const say = (level: string, message: string, details: LogDetails = {}): void => {
    const line = JSON.stringify({ at: new Date().toISOString(), level, message, ...details }, (key, value: unknown) => {
      if (secretField.test(key)) return '[masked]';
      if (value instanceof Error)
        return {
          name: value.name,
          message: value.message,
          stack: value.stack,
          ...('code' in value ? { code: value.code } : {}),
        };
      return value;
    });
    write(`${line}\n`);
  };
  return {
    info: (message, details) => say('info', message, details),
    warn: (message, details) => say('warn', message, details),
    error: (message, details) => say('error', message, details),
  };
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
