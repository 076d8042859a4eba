// What is happening now: runs, work that waits, workers by state, throughput, failures, circuits that are not closed.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { CircuitView, FeedItem, RunView, WorkerView } from '@assay/protocol';
import { circuitsReading, runsReading, workersReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Figure, Loading, Progress, Section, Time } from '../parts/basic.tsx';
import { useActivity, useTitle } from '../parts/context.ts';
import { casesText, count, countsText, duration, happened, nothing, plural, words } from '../parts/format.ts';
import { Spark } from '../parts/spark.tsx';

const runsShown = 25;
const rateWindow = 60;

export function OverviewPage() {
  useTitle('Overview');
  const runs = useQuery(runsReading);
  const workers = useQuery(workersReading);
  const circuits = useQuery(circuitsReading);
  return (
    <>
      <h1>Overview</h1>
      <Figures runs={runs.data} workers={workers.data} circuits={circuits.data} />
      <div className="columns">
        <div>
          <Section title="Runs">
            {runs.error === null ? <Runs runs={runs.data} /> : <Failure error={runs.error} />}
          </Section>
          <Waiting runs={runs.data ?? []} />
        </div>
        <div>
          <Throughput />
          <Stopped circuits={circuits.data ?? []} />
          <Failures />
          <Happenings />
        </div>
      </div>
    </>
  );
}

function Figures(props: {
  runs: RunView[] | undefined;
  workers: WorkerView[] | undefined;
  circuits: CircuitView[] | undefined;
}) {
  const { runs, workers, circuits } = props;
  const live = runs?.filter(({ state }) => state !== 'settled');
  const sum = (pick: (run: RunView) => number): number | undefined => live?.reduce((all, run) => all + pick(run), 0);
  const present = workers?.filter(({ state }) => state !== 'disconnected' && state !== 'lost');
  const states = tally(workers?.map(({ state }) => state) ?? []);
  const stopped = circuits?.filter(({ state }) => state !== 'closed');
  return (
    <dl className="figures">
      <Figure
        label="Live runs"
        value={count(live?.length)}
        note={live === undefined ? undefined : `${count(sum(({ tasks }) => tasks.running))} tasks running`}
      />
      <Figure label="Waiting tasks" value={count(sum(({ tasks }) => tasks.queued))} note="of live runs" />
      <Figure
        label="Workers"
        value={count(present?.length)}
        note={
          states.length === 0
            ? 'none has joined'
            : states.map(([name, number]) => `${number} ${words(name)}`).join(', ')
        }
      />
      <Figure
        label="Slots in use"
        value={
          present === undefined
            ? nothing
            : `${count(present.reduce((all, { running }) => all + running, 0))} of ${count(present.reduce((all, { slots }) => all + slots, 0))}`
        }
      />
      <Figure
        label="Circuits not closed"
        value={count(stopped?.length)}
        note={circuits === undefined ? undefined : `of ${count(circuits.length)} known`}
      />
    </dl>
  );
}

function tally(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1]);
}

function Runs({ runs }: { runs: RunView[] | undefined }) {
  if (runs === undefined) return <Loading />;
  if (runs.length === 0)
    return (
      <Empty>
        No run yet. <code>assay run</code> in a project sends one.
      </Empty>
    );
  return (
    <ul className="runs">
      {runs.slice(0, runsShown).map((run) => (
        <li key={run.run}>
          <div className="line">
            <Link to="/runs/$run" params={{ run: run.run }}>
              {run.name}
            </Link>
            <span className="note">{run.project}</span>
            <Badge name={run.verdict ?? run.state} />
            <span className="end">
              <Time atMs={run.submittedAtMs} />
            </span>
          </div>
          <Progress counts={run.tasks} label={`Progress of ${run.name}`} />
          <div className="note">
            {`${countsText(run.tasks)} · cases: ${casesText(run.cases)}`}
            {run.startedAtMs === undefined || run.settledAtMs === undefined
              ? null
              : ` · ${duration(run.settledAtMs - run.startedAtMs)}`}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What waits and why nobody can take it; what merely waits for a free slot is in the figures. */
function Waiting({ runs }: { runs: RunView[] }) {
  const stuck = runs
    .filter(({ state }) => state !== 'settled')
    .flatMap((run) => run.unplaceable.map((why) => ({ run, why })));
  if (stuck.length === 0) return null;
  return (
    <Section title="Work that no worker can do">
      <ul className="plain">
        {stuck.map(({ run, why }) => (
          <li key={`${run.run} ${why.requires}`}>
            <Link to="/runs/$run" params={{ run: run.run }}>
              {run.name}
            </Link>
            : {plural(why.tasks, 'task')}
            {why.requires === '' ? null : (
              <>
                {' '}
                with <code>{why.requires}</code>
              </>
            )}
            <ul>
              {why.reasons.map(({ reason, workers }) => (
                <li key={reason}>
                  {workers === 0 ? '' : `${plural(workers, 'worker')}: `}
                  {reason}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Throughput() {
  const activity = useActivity();
  const seconds = activity.seconds(rateWindow);
  const measuredSeconds = Math.min(rateWindow, Math.floor((Date.now() - activity.sinceMs) / 1_000));
  const rate = (pick: 'cases' | 'tasks'): string =>
    measuredSeconds < 1
      ? nothing
      : (seconds.reduce((sum, second) => sum + second[pick], 0) / measuredSeconds).toFixed(1);
  return (
    <Section title="Throughput" extra={<span className="note">last {measuredSeconds} s, seen by this page</span>}>
      <dl className="figures small">
        <Figure label="Cases" value={`${rate('cases')} /s`} />
        <Figure label="Tasks" value={`${rate('tasks')} /s`} />
      </dl>
      <Spark values={seconds.map(({ cases }) => cases)} label="Cases in each second of the last minute" />
    </Section>
  );
}

function Stopped({ circuits }: { circuits: CircuitView[] }) {
  const stopped = circuits.filter(({ state }) => state !== 'closed').slice(0, 10);
  if (stopped.length === 0) return null;
  return (
    <Section title="Circuits that are not closed">
      <ul className="plain">
        {stopped.map((circuit) => (
          <li key={circuit.circuit}>
            <Badge name={circuit.state} />{' '}
            <Link to="/circuits/$circuit" params={{ circuit: circuit.circuit }}>
              {circuit.label}
            </Link>
            <div className="note">{circuit.reason ?? circuit.cause ?? ''}</div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Failures() {
  const activity = useActivity();
  const failures = activity.failures();
  return (
    <Section
      title="Failed attempts by class"
      extra={
        <span className="note">
          since <Time atMs={activity.sinceMs} />
        </span>
      }
    >
      {failures.length === 0 ? (
        <Empty>None since this page was opened.</Empty>
      ) : (
        <ul className="plain">
          {failures.map(([name, number]) => (
            <li key={name}>
              {name}: {count(number)}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Happenings() {
  const items = useActivity().items();
  return (
    <Section title="What happened">
      {items.length === 0 ? (
        <Empty>Nothing since this page was opened.</Empty>
      ) : (
        <ol className="plain happenings">
          {items.slice(0, 15).map((item, index) => (
            <li key={`${item.atMs} ${item.kind} ${index}`}>
              <Time atMs={item.atMs} /> <Where item={item} />
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

function Where({ item }: { item: FeedItem }) {
  const text = happened(item);
  if ('task' in item)
    return (
      <Link to="/tasks/$task" params={{ task: item.task }}>
        {text}
      </Link>
    );
  if ('run' in item)
    return (
      <Link to="/runs/$run" params={{ run: item.run }}>
        {text}
      </Link>
    );
  if ('worker' in item && item.worker !== null)
    return (
      <Link to="/workers/$worker" params={{ worker: item.worker }}>
        {text}
      </Link>
    );
  return <span>{text}</span>;
}
