// Reads back the report that a command wrote. The file comes from test code and is treated so: bounded size, and its reader refuses
// what is not whole. A file that the command did not write this time is missing.
import { readFile, stat } from 'node:fs/promises';
import type { ReadReport, Reader } from '../../formats/read-case.ts';

export type ReadBack =
  | ReadReport
  | { readonly kind: 'trouble'; readonly code: 'REPORT_MISSING' | 'REPORT_CORRUPT'; readonly reason: string };

const reportBytesMax = 128 * 1024 * 1024;

/** Identifies one writing of the file; null when it is not there. */
export async function reportStamp(file: string): Promise<string | null> {
  return stat(file, { bigint: true }).then(
    (found) => `${found.ino} ${found.mtimeNs} ${found.size}`,
    () => null,
  );
}

/** The cases of the report, if it was written since `before` was taken. */
export async function readBack(file: string, before: string | null, read: Reader): Promise<ReadBack> {
  const stamp = await reportStamp(file);
  if (stamp === null) return trouble('REPORT_MISSING', `The command did not write ${file}.`);
  if (stamp === before)
    return trouble('REPORT_MISSING', `${file} is older than this run: the command did not write it.`);
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > reportBytesMax)
      return trouble('REPORT_CORRUPT', `${file} has ${size} bytes; at most ${reportBytesMax} are read.`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    return trouble('REPORT_CORRUPT', `${file} cannot be read: ${String(error)}`);
  }
  return read(text, file);
}

function trouble(code: 'REPORT_MISSING' | 'REPORT_CORRUPT', reason: string): ReadBack {
  return { kind: 'trouble', code, reason };
}
