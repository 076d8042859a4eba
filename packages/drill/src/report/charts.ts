// circuits.html: what happened over time, as one page of plain SVG that needs nothing from outside: faults with the time they were
// held, circuits with their states, workers with their attempts. Every bar says what it is when pointed at, and in words beside colour.
import type { DrillEnd } from '../run-drill.ts';
import type { DrillMetrics } from './metrics.ts';
import { style } from './charts-style.ts';

type Bar = { readonly fromMs: number; readonly toMs: number; readonly kind: string; readonly title: string };
type Lane = { readonly label: string; readonly bars: readonly Bar[] };
type Group = { readonly title: string; readonly about: string; readonly lanes: readonly Lane[] };

const width = 1_120;
const labelWidth = 210;
const laneHeight = 24;
const barHeight = 16;

export function chartsOf(end: DrillEnd, metrics: DrillMetrics): string {
  const groups = [faults(metrics), circuits(metrics), workers(end, metrics)];
  const title = `Drill, seed ${metrics.plan.seed}: ${metrics.verdict}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(countsOf(metrics))} Point at a bar to read what it is; the journal's sequence numbers stand in report.md.</p>
${groups.map((group) => drawn(group, metrics)).join('\n')}
</main>
</body>
</html>
`;
}

function countsOf({ checks, startedAtMs, endedAtMs }: DrillMetrics): string {
  const count = (state: string): number => checks.filter((check) => check.state === state).length;
  const seconds = Math.round((endedAtMs - startedAtMs) / 1_000);
  return `${count('held')} checks held, ${count('broken')} broken, ${count('notEvaluated')} not evaluated, in ${seconds} s.`;
}

function faults({ faults: steps }: DrillMetrics): Group {
  return {
    title: 'Faults',
    about: 'from the making of the fault to the proof that it was taken back',
    lanes: steps.map(({ step, fault, worker, injectedAtMs, injected, undone, startedAtMs, endedAtMs }) => {
      const isReal = injectedAtMs !== null && injected !== null;
      const whole = {
        fromMs: startedAtMs,
        toMs: endedAtMs,
        kind: 'span',
        title: `step ${step}, until all its work was done`,
      };
      const held: Bar = {
        fromMs: injectedAtMs ?? startedAtMs,
        toMs: undone?.atMs ?? endedAtMs,
        kind: isReal ? 'fault' : 'none',
        title: isReal ? `${fault}: ${injected.source}: ${injected.saw}` : `${fault}: not injected`,
      };
      return {
        label: `${step}. ${fault}${worker === null ? '' : ` (${worker})`}`,
        bars: isReal ? [whole, held] : [whole],
      };
    }),
  };
}

function circuits({ circuits: moves, endedAtMs, startedAtMs }: DrillMetrics): Group {
  const names = [...new Set(moves.map(({ circuit }) => circuit))];
  const lanes = names.map((name) => {
    const own = moves.filter(({ circuit }) => circuit === name);
    const first = { fromMs: startedAtMs, toMs: own[0]?.atMs ?? endedAtMs, kind: 'closed', title: `${name}: closed` };
    const bars = own.map(({ atMs, to, cause, seq }, index) => ({
      fromMs: atMs,
      toMs: own[index + 1]?.atMs ?? endedAtMs,
      kind: to,
      title: `${name}: ${to}, ${cause} (seq ${seq})`,
    }));
    return { label: name, bars: [first, ...bars] };
  });
  return { title: 'Circuits', about: 'those that moved; all others stayed closed', lanes };
}

function workers({ evidence: { history, tasks } }: DrillEnd, { endedAtMs }: DrillMetrics): Group {
  const lanes = [...history.workers.values()].map(({ worker, name }) => ({
    label: name,
    bars: [...history.tasks.values()].flatMap((story) =>
      [...story.attempts.values()]
        .filter((one) => one.worker === worker)
        .map((one): Bar => {
          const settled = one.settled[0];
          const over = settled ?? one.returned[0];
          const verdict = settled?.event.verdict ?? 'never started, given back';
          return {
            fromMs: one.started[0]?.atMs ?? one.assigned.atMs,
            toMs: over?.atMs ?? endedAtMs,
            kind: settled === undefined ? 'span' : verdict === 'passed' || verdict === 'lost' ? verdict : 'failed',
            title: `${tasks[story.index]?.target ?? story.target}, attempt ${one.attempt}: ${verdict}`,
          };
        }),
    ),
  }));
  return { title: 'Workers', about: 'attempts, from their start to their end', lanes };
}

const legends: Readonly<Record<string, readonly (readonly [kind: string, words: string])[]>> = {
  Faults: [
    ['fault', 'held'],
    ['span', 'its step'],
  ],
  Circuits: [
    ['closed', 'closed'],
    ['open', 'open'],
    ['halfOpen', 'half-open'],
  ],
  Workers: [
    ['passed', 'passed'],
    ['failed', 'failed, errored or timed out'],
    ['lost', 'lost'],
    ['span', 'never started'],
  ],
};

function drawn({ title, about, lanes }: Group, { startedAtMs, endedAtMs }: DrillMetrics): string {
  const x = (atMs: number): number =>
    labelWidth + ((atMs - startedAtMs) / Math.max(1, endedAtMs - startedAtMs)) * (width - labelWidth - 10);
  const height = lanes.length * laneHeight + 26;
  const legend = (legends[title] ?? [])
    .map(([kind, words]) => `<span class="key"><i class="${kind}"></i>${words}</span>`)
    .join('');
  const body =
    lanes.length === 0
      ? '<p>None.</p>'
      : `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`${title}: ${about}`)}">${axis(endedAtMs - startedAtMs, height, x, startedAtMs)}${lanes.map((lane, index) => drawnLane(lane, index, x)).join('')}</svg>`;
  return `<section><h2>${title}</h2><p class="about">${escaped(about)} ${legend}</p><div class="scroll">${body}</div></section>`;
}

function drawnLane({ label, bars }: Lane, index: number, x: (atMs: number) => number): string {
  const top = index * laneHeight;
  const shown = label.length > 32 ? `${label.slice(0, 30)}…` : label;
  const rects = bars.map(({ fromMs, toMs, kind, title }) => {
    const left = x(fromMs);
    const wide = Math.max(2, x(toMs) - left);
    const inset = kind === 'span' ? 5 : 0;
    return `<rect class="${kind}" x="${left.toFixed(1)}" y="${top + 4 + inset}" width="${wide.toFixed(1)}" height="${barHeight - 2 * inset}" rx="2"><title>${escaped(title)}</title></rect>`;
  });
  return `<text x="${labelWidth - 8}" y="${top + 16}" text-anchor="end">${escaped(shown)}<title>${escaped(label)}</title></text>${rects.join('')}`;
}

/** Steps of 1, 2 or 5 seconds or ten times that, so that at most about ten lines stand. */
function axis(spanMs: number, height: number, x: (atMs: number) => number, startMs: number): string {
  const rough = spanMs / 10;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const stepMs = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? spanMs;
  const lines: string[] = [];
  for (let atMs = 0; atMs <= spanMs; atMs += stepMs) {
    const left = x(startMs + atMs).toFixed(1);
    lines.push(
      `<line class="grid" x1="${left}" x2="${left}" y1="0" y2="${height - 20}"/><text class="tick" x="${left}" y="${height - 6}" text-anchor="middle">${Number((atMs / 1_000).toFixed(1))} s</text>`,
    );
  }
  return lines.join('');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
