// Durations as people write them: "90s", "10m", "1h30m", "250ms", or a number of milliseconds.
import { z } from 'zod';

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a written duration, or null where it is not one. */
export function parseDuration(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return null;
  return Math.round(
    parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? Number.NaN), 0),
  );
}

/** A duration in a configuration: a number of milliseconds or a string such as "90s" or "1h30m". */
export const Duration = z.union([z.number().int().min(0), z.string()]).transform((value, context) => {
  const ms = typeof value === 'number' ? value : parseDuration(value);
  if (ms === null)
    context.addIssue({
      code: 'custom',
      message: `"${value}" is not a duration; write 90s, 10m, 1h30m or milliseconds`,
    });
  return ms ?? 0;
});
