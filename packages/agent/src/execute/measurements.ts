// Measurements of a case as they come from a host or a report, made into what the protocol takes. They come from test code and are
// read with suspicion: one that has no finite value, no name or no unit is damage, and so is more than the limits allow.
import { Measurement, limit } from '@assay/protocol';
import { z } from 'zod';
import { vitestMeasurements } from '../formats/tinybench.ts';
import type { Masker } from './mask.ts';

const Measurements = z.array(Measurement).max(limit('measurementsPerCase'));

/** The measurements of a raw case: undefined where it has none, null where they are damaged. */
export function measurementsOf(
  raw: { readonly measurements?: unknown; readonly benchmarks?: unknown },
  masker: Masker,
): Measurement[] | undefined | null {
  // Vitest's own results travel as they are: its host is plain JavaScript.
  const given = raw.benchmarks === undefined ? raw.measurements : vitestMeasurements(raw.benchmarks);
  if (given === undefined) return undefined;
  const parsed = Measurements.safeParse(given);
  if (!parsed.success) return null;
  if (parsed.data.length === 0) return undefined;
  const masked = parsed.data.map((one) => maskedOf(one, masker));
  return charsOf(masked) > limit('measurementCharsPerCase') ? null : masked;
}

/** About how many characters they are as JSON. */
export function charsOf(measurements: readonly Measurement[] | undefined): number {
  let chars = 0;
  for (const { metric, unit, covariates } of measurements ?? []) {
    chars += 70 + metric.length + unit.length;
    for (const [name, value] of Object.entries(covariates ?? {}))
      chars += 6 + name.length + (typeof value === 'string' ? value.length : 20);
  }
  return chars;
}

function maskedOf(one: Measurement, masker: Masker): Measurement {
  const covariates = one.covariates && {
    covariates: Object.fromEntries(
      Object.entries(one.covariates).map(([name, value]) => [
        name,
        typeof value === 'string' ? masker.mask(value).slice(0, 100) : value,
      ]),
    ),
  };
  return {
    ...one,
    metric: masker.mask(one.metric).slice(0, 200),
    unit: masker.mask(one.unit).slice(0, 50),
    ...covariates,
  };
}
