// What is wrong with a value that does not match its schema, in words that name the place: `tasks.17.target: ...`.
import type { z } from 'zod';

type Issue = { path: PropertyKey[]; message: string; code?: string | undefined; errors?: Issue[][] };

/** The first `max` issues, most useful first; of a union, the issues of the alternative that came closest. */
export function describeIssues(error: z.ZodError, max = 20): string[] {
  const lines: string[] = [];
  for (const issue of error.issues) {
    if (lines.length >= max) {
      lines.push(`and ${error.issues.length - max} more`);
      break;
    }
    lines.push(...linesOf(issue as Issue, []).map((line) => line.slice(0, 500)));
  }
  return lines;
}

function linesOf(issue: Issue, at: PropertyKey[]): string[] {
  const path = [...at, ...issue.path];
  const closest = issue.code === 'invalid_union' ? closestOf(issue.errors ?? []) : undefined;
  if (closest !== undefined) return closest.flatMap((inner) => linesOf(inner, path));
  return [`${path.length === 0 ? 'body' : path.map(String).join('.')}: ${issue.message}`];
}

function closestOf(alternatives: Issue[][]): Issue[] | undefined {
  return alternatives.filter((issues) => issues.length > 0).toSorted((a, b) => a.length - b.length)[0];
}
