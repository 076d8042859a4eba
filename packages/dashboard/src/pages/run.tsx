// One run: how far it is, its cases as they come, its tasks, and what may be done about it.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { RunView } from '@assay/protocol';
import { client } from '../connection.ts';
import { runReading } from '../live/readings.ts';
import { ReasonButton } from '../parts/reason-button.tsx';
import { Badge, Failure, Figure, Loading, Progress, Section, Time } from '../parts/basic.tsx';
import { useMay, useTitle } from '../parts/context.ts';
import { casesText, count, countsText, duration, nothing, plural } from '../parts/format.ts';
import { CaseTable } from './run-cases.tsx';
import { TaskTable } from './run-tasks.tsx';

const Timeline = lazy(async () => ({ default: (await import('./run-timeline.tsx')).Timeline }));
const tabs = { cases: 'Cases', tasks: 'Tasks', timeline: 'Timeline' } as const;

export function RunPage() {
  const { run: id } = useParams({ from: '/runs/$run' });
  const { tab = 'cases' } = useSearch({ from: '/runs/$run' });
  const navigate = useNavigate({ from: '/runs/$run' });
  const { data: run, error } = useQuery(runReading(id));
  useTitle(run?.name ?? id);
  if (error !== null)
    return (
      <>
        <h1>Run {id}</h1>
        <Failure error={error} />
      </>
    );
  if (run === undefined) return <Loading />;
  return (
    <>
      <Head run={run} />
      <Figures run={run} />
      <Unplaceable run={run} />
      <div className="tabs" role="group" aria-label="What to show of the run">
        {Object.entries(tabs).map(([key, name]) => (
          <button
            key={key}
            type="button"
            aria-pressed={tab === key}
            onClick={() => void navigate({ search: (old) => ({ ...old, tab: key as keyof typeof tabs }) })}
          >
            {name}
          </button>
        ))}
      </div>
      {tab === 'cases' ? <CaseTable run={id} /> : null}
      {tab === 'tasks' ? <TaskTable run={id} /> : null}
      {tab === 'timeline' ? (
        <Suspense fallback={<Loading />}>
          <Timeline run={id} />
        </Suspense>
      ) : null}
    </>
  );
}

function Head({ run }: { run: RunView }) {
  const may = useMay('submit');
  return (
    <div className="head">
      <h1>
        {run.name} <Badge name={run.verdict ?? run.state} />
      </h1>
      <p className="note">
        <code>{run.run}</code> · {run.project} · by {run.submitter} · submitted <Time atMs={run.submittedAtMs} />
        {run.priority === 0 ? null : ` · priority ${run.priority}`}
        {Object.entries(run.labels).map(([key, value]) => (
          <span key={key} className="tag">
            {key}={value}
          </span>
        ))}
      </p>
      {may && run.state !== 'settled' && !run.isCanceled ? (
        <ReasonButton
          name="Cancel the run"
          question="What has started is stopped, what waits is not started. The reason is kept with the run."
          act={(reason) => client.cancelRun(run.run, { reason })}
        />
      ) : null}
    </div>
  );
}

function Figures({ run }: { run: RunView }) {
  const { tasks, cases } = run;
  const finished = Object.values(cases).reduce((sum, value) => sum + value, 0);
  return (
    <Section title="Progress" extra={<span className="note">{countsText(tasks)}</span>}>
      <Progress counts={tasks} label={`Progress of ${run.name}`} />
      <dl className="figures small">
        <Figure label="Tasks settled" value={`${count(tasks.settled)} of ${count(tasks.total)}`} />
        <Figure label="Cases" value={count(finished)} note={casesText(cases)} />
        <Figure label="Started" value={run.startedAtMs === undefined ? nothing : <Time atMs={run.startedAtMs} />} />
        <Figure
          label="Took"
          value={
            run.startedAtMs === undefined || run.settledAtMs === undefined
              ? nothing
              : duration(run.settledAtMs - run.startedAtMs)
          }
        />
        {run.goal === undefined ? null : (
          <Figure
            label="Aims at"
            value={duration(run.goal.targetMs)}
            note={run.goal.earliestEndMs === undefined ? undefined : 'out of reach with the workers there are'}
          />
        )}
      </dl>
    </Section>
  );
}

function Unplaceable({ run }: { run: RunView }) {
  if (run.unplaceable.length === 0) return null;
  return (
    <Section title="Work that no worker can do">
      <ul className="plain">
        {run.unplaceable.map(({ requires, tasks, reasons }) => (
          <li key={requires}>
            {plural(tasks, 'task')} {requires === '' ? null : <code>{requires}</code>}
            <ul>
              {reasons.map(({ reason, workers }) => (
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
