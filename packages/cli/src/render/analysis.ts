// Analyses as text for a terminal: what was found, how sure it is, and what there was too little of to say anything.
import type { ChangeReport, CulpritReport, FailureReport, FlakeReport, TestName } from '@assay/protocol';
import { plural } from './style.ts';
import { table } from './table.ts';

const controls = /[\u0000-\u001f\u007f-\u009f]+/g;
/** One line without control characters: a test's words cannot steer the terminal. */
const line = (text: string): string => text.replaceAll(controls, ' ');
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const nameOf = ({ target, path, variant }: TestName): string =>
  line([target, ...path].join(' > ') + (variant === '' ? '' : ` [${variant}]`));
const number = (value: number): string => String(Number(value.toPrecision(4)));

export function flakesText({ tests, executionsMin, isCut }: FlakeReport): string {
  if (tests.length === 0) return 'No test failed in these runs.';
  const rows = tests.map((test) => [
    test.verdict === 'tooFew' ? `under ${executionsMin} executions` : test.verdict,
    test.score === null ? '' : percent(test.score),
    `${test.failures} of ${test.executions}`,
    test.rate === null ? '' : `${percent(test.rate.low)} to ${percent(test.rate.high)}`,
    placeText(test.place),
    nameOf(test),
  ]);
  const head = ['verdict', 'a flake with', 'failed', 'fails, if so', 'more on', 'test'];
  return table(head, rows, 0) + cutText(isCut);
}

function placeText(place: FlakeReport['tests'][number]['place']): string {
  if (place === null) return '';
  return [place, ...place.alike].map(({ dimension, value }) => line(`${dimension} ${value}`)).join(' or ');
}

export function changesText({ changes, series, tooFew, throttled, isCut }: ChangeReport): string {
  const judged = series - tooFew;
  const about = `${judged} series judged, ${tooFew} with too few runs, ${throttled} throttled samples left out.`;
  if (changes.length === 0) return `No measurement changed its level: ${about}${cutText(isCut)}`;
  const lines = changes.map((change) => {
    const size =
      change.share === null
        ? ''
        : ` by ${percent(change.share.value)} (${percent(change.share.low)} to ${percent(change.share.high)})`;
    const other =
      change.alsoChanged.length === 0 ? '' : `\n    also another one since: ${line(change.alsoChanged.join(', '))}`;
    const self =
      change.detector === null
        ? ''
        : `\n    the detector on this series: a step of ${percent(change.detector.step)} is found in ${percent(change.detector.recall)} of ${change.detector.rounds} plants, ${change.detector.falseAlarms} false alarms in ${change.detector.judged} values`;
    return (
      `  ${change.verdict}: ${nameOf(change)}, ${line(change.metric)}: ${number(change.before)} to ${number(change.after)} ${line(change.unit)}${size}\n` +
      `    first in ${line(change.at.revision)} (${change.at.run}), p = ${change.p.toExponential(1)}, on ${line(change.hardware)}${other}${self}`
    );
  });
  return `Measurements that changed (${about})\n${lines.join('\n')}${cutText(isCut)}`;
}

const clustersShown = 20;

export function clustersText({ clusters, failures, isCut }: FailureReport): string {
  if (clusters.length === 0) return `No failures in these runs.${cutText(isCut)}`;
  const rows = clusters
    .slice(0, clustersShown)
    .map((cluster) => [
      cluster.inRun ?? '',
      String(cluster.failures),
      String(cluster.tests.length),
      cluster.firstSeen.run,
      cluster.lastSeen.run,
      line(cluster.message).slice(0, 100),
    ]);
  const more = clusters.length > clustersShown ? `\n${clusters.length - clustersShown} more: --json has them.` : '';
  const head = ['in run', 'times', 'tests', 'first in', 'last in', 'failure'];
  return `${plural(failures, 'failure')} of ${plural(clusters.length, 'kind')}\n${table(head, rows, 0)}${more}${cutText(isCut)}`;
}

export function culpritText({ tests }: CulpritReport): string {
  if (tests.length === 0) return 'No failing test of that name in at least two revisions of these runs.';
  return tests
    .map((test) => {
      const sure = `${nameOf(test)}\n  failing became likelier with ${percent(test.changed)}`;
      if (test.changed < 0.5) return `${sure}: no revision is to blame`;
      const where =
        test.between.length === 1
          ? `  since ${line(test.likeliest)} (95 %)`
          : `  since one of ${test.between.length} revisions (95 %), likeliest ${line(test.likeliest)}:\n    ${line(test.between.join(' '))}`;
      return `${sure}\n${where}${test.next === null ? '' : `\n  run next: ${line(test.next)}`}`;
    })
    .join('\n');
}

function cutText(isCut: boolean): string {
  return isCut ? '\nThere was more than one analysis takes: this is of the newest part. Ask for fewer --runs.' : '';
}
