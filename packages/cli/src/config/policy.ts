// The file of `assay up --policy`: JSON in the shape of AdmissionPolicy, read once at the start, every key known.
import { readFile } from 'node:fs/promises';
import { AdmissionPolicy, AssayError } from '@assay/protocol';

/** Throws USAGE, which names the key that is wrong. */
export async function readPolicy(path: string): Promise<AdmissionPolicy> {
  let given: unknown;
  try {
    given = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new AssayError('USAGE', `The policy ${path} cannot be read: ${String(error)}`);
  }
  const parsed = AdmissionPolicy.safeParse(given);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  throw new AssayError('USAGE', `The policy ${path} is wrong: ${issues.join('; ')}`);
}
