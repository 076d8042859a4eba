// A dossier as Markdown, to be read from top to bottom: what failed, whether it is new, whose fault it was, where it ran and why there,
// what ran beside it, what it wrote, and how to run it again. Foreign text is fenced or quoted, so that it cannot change the page.
import type { AttemptView, WorkerView } from '@assay/protocol';
import { inWords } from '../commands/condition.ts';
import { duration } from '../render/style.ts';
import { faultText } from '../report/attribution.ts';
import { cell, fence, inline } from '../report/markdown.ts';
import { historyText, quarantineText } from '../report/standing.ts';
import type { Dossier, Log, Neighbour } from './read.ts';

const time = (ms: number | null | undefined): string =>
  ms === undefined || ms === null ? '' : new Date(ms).toISOString();

export function toMarkdown(dossier: Dossier): string {
  const { run, task, target, suite, path, variant, verdict, message, stack } = dossier;
  const name = [target === '' ? suite : target, ...(path ?? [])].join(' > ');
  const sections = [
    `# ${inline(name)}`,
    `${verdict ?? 'not settled'} in run \`${run.run}\` (${inline(run.name)}, project ${inline(run.project)}), task \`${task}\`, suite ${inline(suite)}${variant === null ? '' : `, as ${inline(variant)}`}.`,
    standing(dossier),
    `## What it said\n\n${fence(stack ?? message)}`,
    attempts(dossier.attempts),
    hardware(dossier.hardware, dossier.hallmark),
    neighbours(dossier.neighbours, dossier.hardware),
    ...dossier.logs.map(log),
    artefacts(dossier),
    `## Run it again there\n\n${dossier.again === null ? 'The hardware is not known any more.' : fence(dossier.again)}`,
  ];
  return sections.filter((section) => section !== '').join('\n\n') + '\n';
}

function standing({ history, quarantined, diagnosis }: Dossier): string {
  return [
    ...(history === null ? [] : [`- ${inline(historyText(history))}`]),
    ...(quarantined === null ? [] : [`- In quarantine: ${inline(quarantineText(quarantined))}`]),
    ...(diagnosis === null ? [] : [`- Fault: ${inline(faultText(diagnosis))}. ${inline(diagnosis.summary)}`]),
  ].join('\n');
}

function attempts(all: readonly AttemptView[]): string {
  if (all.length === 0) return '';
  const rows = all.map(({ attempt, workerName, verdict, failure, costMs, startedAtMs, placement }) => {
    const why =
      placement === undefined
        ? ''
        : `${placement.rule}: ${placement.fittingWorkers} workers fit, ${placement.freeWorkers} had a free slot, predicted ${duration(placement.expectedMs)}`;
    const said = failure === undefined ? (verdict ?? '') : `${verdict}: ${failure.code} (${failure.class})`;
    return `| ${attempt} | ${cell(workerName ?? '')} | ${cell(said)} | ${costMs === undefined ? '' : duration(costMs)} | ${time(startedAtMs)} | ${cell(why)} |`;
  });
  return [
    '## Attempts',
    '',
    '| attempt | worker | ended | cost | started | why there |',
    '|--:|---|---|--:|---|---|',
    ...rows,
  ].join('\n');
}

function hardware(worker: WorkerView | null, hallmark: string | null): string {
  if (worker === null) return '## Hardware\n\nThe worker is gone: nothing is known of it now.';
  const { profile } = worker;
  const lines = [
    `- ${inline(worker.name)} (\`${worker.worker}\`), pool ${inline(worker.pool)}, ${worker.state}`,
    ...(profile === undefined
      ? []
      : [
          `- ${inline([profile.os.name ?? profile.os.family, profile.os.version, profile.os.arch].filter(Boolean).join(' '))}; ${inline(profile.cpu.model ?? 'processor not known')}`,
          ...(profile.gpus ?? []).map(
            (gpu) => `- GPU: ${inline([gpu.vendor, gpu.model, gpu.driver].filter(Boolean).join(' '))}`,
          ),
          ...profile.browsers.map(({ name, version }) => `- browser: ${inline(`${name} ${version}`)}`),
        ]),
    ...(hallmark === null ? [] : [`- ran on: ${inline(hallmark)}`]),
    ...(worker.condition === undefined ? [] : [`- condition now: ${inline(inWords(worker.condition))}`]),
    ...(worker.devices ?? []).map(({ device, condition }) => `- ${inline(device)}: ${inline(inWords(condition))}`),
    ...(worker.circuits ?? []).map(({ circuit, state }) => `- circuit ${inline(circuit)}: ${state}`),
    `- profile \`${worker.profileDigest}\``,
  ];
  return ['## Hardware, as it is now', '', ...lines].join('\n');
}

function neighbours(all: readonly Neighbour[], worker: WorkerView | null): string {
  if (all.length === 0) return '';
  const rows = all.map(
    ({ label, verdict, startedAtMs }) => `| ${time(startedAtMs)} | ${cell(label)} | ${verdict ?? 'running'} |`,
  );
  return [
    `## What ran beside it on ${inline(worker?.name ?? 'the same worker')}`,
    '',
    '| started | file | ended |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

function log({ attempt, name, bytes, truncatedBytes, tail, digest }: Log): string {
  const head = `## The end of ${inline(name)} of attempt ${attempt} (${bytes} bytes${truncatedBytes > 0 ? `, ${truncatedBytes} left out` : ''}, \`${digest}\`)`;
  return `${head}\n\n${tail === null ? 'Not to be had: it is gone, too large, or no text.' : fence(tail)}`;
}

function artefacts({ artefacts: all }: Dossier): string {
  if (all.length === 0) return '';
  const rows = all.map(
    ({ name, bytes, digest, says }) => `| ${cell(name)} | ${bytes} | \`${digest}\` | ${cell(says ?? '')} |`,
  );
  return ['## Artefacts', '', '| name | bytes | digest | says |', '|---|--:|---|---|', ...rows].join('\n');
}
