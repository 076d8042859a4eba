// The settings file of a coordinator (`assay up --settings FILE`): JSON, checked against the schema before anything starts.
import { readFileSync } from 'node:fs';
import { CoordinatorSettings } from '@assay/coordinator';
import { AssayError } from '@assay/protocol';

/** The settings in a file; CONFIG_UNREADABLE and CONFIG_INVALID say what is wrong with it, and where. */
export function loadCoordinatorSettings(path: string): CoordinatorSettings {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AssayError('CONFIG_UNREADABLE', `${path}: ${why}`, undefined, error);
  }
  const parsed = CoordinatorSettings.safeParse(value);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the settings'}: ${message}`);
  throw new AssayError('CONFIG_INVALID', `${path}:\n${details.map((detail) => `  ${detail}`).join('\n')}`, details);
}
