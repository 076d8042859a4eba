// Writes what a drill leaves in its output directory: report.md, circuits.html, metrics.json, journal.ndjson; logs/ is there already.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillEnd } from '../run-drill.ts';
import { chartsOf } from './charts.ts';
import { markdownOf } from './markdown.ts';
import { metricsOf } from './metrics.ts';

/** The paths, in the order in which people read them. */
export function writeDrill(end: DrillEnd, outputDir: string, command: string): string[] {
  mkdirSync(outputDir, { recursive: true });
  const metrics = metricsOf(end);
  const files: readonly (readonly [string, string])[] = [
    ['report.md', markdownOf(metrics, command)],
    ['circuits.html', chartsOf(end, metrics)],
    ['metrics.json', `${JSON.stringify(metrics, null, 2)}\n`],
    ['journal.ndjson', end.evidence.entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')],
  ];
  return files.map(([name, text]) => {
    const path = join(outputDir, name);
    writeFileSync(path, text);
    return path;
  });
}
