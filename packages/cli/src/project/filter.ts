// File filters as people type them: part of a path, a directory, a glob. A filter that matches nothing is an error of its own,
// so that a typing mistake never looks like a green run.
import { matchesGlob } from 'node:path';

/** Whether a target (relative, forward slashes) is meant by one of the filters; no filter means all. */
export function isMeant(target: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => matches(target, filter));
}

/** The filters that mean none of the targets. */
export function unmatched(targets: readonly string[], filters: readonly string[]): string[] {
  return filters.filter((filter) => !targets.some((target) => matches(target, filter)));
}

function matches(target: string, filter: string): boolean {
  const plain = filter.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/$/, '');
  if (/[*?[{]/.test(plain)) return matchesGlob(target, plain);
  return target === plain || target.startsWith(`${plain}/`) || target.includes(plain);
}
