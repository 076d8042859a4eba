// The settings file of `assay worker --checks` and `assay up --checks`: JSON, read once at the start, every key known.
import { readFile } from 'node:fs/promises';
import { AssayError, WorkerSettings } from '@assay/protocol';

/** Throws USAGE, which names the key that is wrong. */
export async function readWorkerSettings(path: string): Promise<WorkerSettings> {
  let given: unknown;
  try {
    given = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new AssayError('USAGE', `The settings ${path} cannot be read: ${String(error)}`);
  }
  const parsed = WorkerSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  throw new AssayError('USAGE', `The settings ${path} are wrong: ${issues.join('; ')}`);
}
