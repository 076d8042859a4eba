// Changes of level in what runs measured: one series for each metric of a test on a class of hardware, all judged together.
import {
  discoveries,
  judgeSeries,
  measureDetector,
  relativeShift,
  uniformOf,
  type Judgement,
  type LevelChange,
} from '@assay/core';
import type { ChangeReport, MetricChange } from '@assay/protocol';
import type { SampleRow } from '../ports/analysis.ts';
import { groupBy, testKey, testNameOf } from './by-test.ts';

const falseDiscoveryRate = 0.05;
/** The detector is measured for so many changes of a report: each costs some hundred milliseconds. */
const measuredMax = 10;
const plant = { share: 0.05, before: 20, afterMax: 20, rounds: 25 };

type Point = SampleRow & { value: number };
type Series = { key: string; points: Point[]; judgement: Judgement };

export function changeReportOf(rows: readonly SampleRow[], isCut: boolean): ChangeReport {
  const all = groupBy(rows, (row) => [...testKey(row), row.metric, row.unit, row.direction, row.profileDigest]).map(
    judged,
  );
  const found = discoveries(
    all,
    ({ judgement }) => (judgement.kind === 'tooFew' ? null : judgement.p),
    falseDiscoveryRate,
  );
  const changes = found.flatMap(({ key, points, judgement }) =>
    judgement.kind === 'changed' ? [{ key, points, change: judgement }] : [],
  );
  return {
    changes: changes.map((one, at) => changeOf(one.key, one.points, one.change, at < measuredMax)),
    series: all.length,
    tooFew: all.filter(({ judgement }) => judgement.kind === 'tooFew').length,
    throttled: rows.reduce((sum, { throttled }) => sum + throttled, 0),
    isCut,
  };
}

function judged(rows: readonly SampleRow[]): Series {
  const points = rows.filter((row): row is Point => row.value !== null);
  const [first] = rows as [SampleRow];
  const key = JSON.stringify([...testKey(first), first.metric, first.profileDigest]);
  const judgement = judgeSeries(
    points.map(({ value }) => value),
    uniformOf(key),
  );
  return { key, points, judgement };
}

function changeOf(key: string, points: readonly Point[], change: LevelChange, isMeasured: boolean): MetricChange {
  const first = points[change.at] as Point;
  const { metric, unit, profileDigest, run, revision } = first;
  const share = relativeShift(change);
  const head = points.slice(0, change.at);
  const place = (at: number): string => (points[Math.min(at, points.length - 1)] as Point).run;
  const steady = head.map(({ value }) => value);
  const figures = isMeasured ? measureDetector(steady, plant, uniformOf(`${key} detector`)) : null;
  return {
    ...testNameOf(first),
    metric,
    unit,
    hardware: profileDigest,
    verdict: verdictOf(first.direction, change.shift.value),
    at: { run, revision },
    between:
      change.location === null ? null : { first: place(change.location.first), last: place(change.location.last) },
    before: change.before,
    after: change.after,
    share: share === null ? null : { ...share },
    p: change.p,
    alsoChanged: otherWorkers(head, points.slice(change.at)),
    detector: figures === null ? null : { step: plant.share, ...figures },
  };
}

function verdictOf(direction: SampleRow['direction'], shift: number): MetricChange['verdict'] {
  if (direction === 'none') return 'change';
  return shift > 0 === (direction === 'lower') ? 'regression' : 'improvement';
}

/** The workers after a change where none of them was there before it: then nothing tells the two apart. */
function otherWorkers(before: readonly Point[], after: readonly Point[]): string[] {
  const known = new Set(before.map(({ worker }) => worker));
  const now = [...new Set(after.map(({ worker }) => worker))];
  return now.some((worker) => known.has(worker)) ? [] : now.map((worker) => `worker ${worker}`);
}
