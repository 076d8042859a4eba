// One task: its attempts, why it was placed where it was or what would let it start, whose fault its trouble was, its live log.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { AttemptView, BlobRef, Explanation, TaskView } from '@assay/protocol';
import { explainReading, taskReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Loading, Section, Time } from '../parts/basic.tsx';
import { useTitle } from '../parts/context.ts';
import { bytes, casesText, duration, plural } from '../parts/format.ts';
import { LiveLog, StoredLog } from '../parts/log.tsx';

export function TaskPage() {
  const { task: id } = useParams({ from: '/tasks/$task' });
  const { data: task, error } = useQuery(taskReading(id));
  const explanation = useQuery(explainReading(id));
  useTitle(task?.target ?? id);
  if (error !== null)
    return (
      <>
        <h1>Task {id}</h1>
        <Failure error={error} />
      </>
    );
  if (task === undefined) return <Loading />;
  return (
    <>
      <h1>
        {task.target || task.task} <Badge name={task.verdict ?? task.state} />
      </h1>
      <p className="note">
        <code>{task.task}</code> · suite {task.suite} ·{' '}
        <Link to="/runs/$run" params={{ run: task.run }}>
          its run
        </Link>
        {task.requires === '' ? null : (
          <>
            {' · needs '}
            <code>{task.requires}</code>
          </>
        )}
      </p>
      <Diagnosis task={task} />
      <Why explanation={explanation.data} />
      <Section title="Attempts" extra={<span className="note">{task.attempts.length}</span>}>
        {task.attempts.length === 0 ? (
          <Empty>None yet.</Empty>
        ) : (
          <ol className="timeline">
            {task.attempts.map((attempt) => (
              <Attempt key={attempt.attempt} attempt={attempt} />
            ))}
          </ol>
        )}
      </Section>
      {task.state === 'settled' ? null : <LiveLog task={task.task} />}
    </>
  );
}

function Diagnosis({ task }: { task: TaskView }) {
  const { diagnosis } = task;
  if (diagnosis === undefined) return null;
  return (
    <Section title="Whose fault it was">
      <p>
        <strong>{diagnosis.fault}</strong> ({diagnosis.confidence}
        {diagnosis.subject === undefined ? '' : `, ${diagnosis.subject}`}): {diagnosis.summary}
      </p>
      <p className="note">
        By the rule {diagnosis.rule}, from {plural(diagnosis.attempts.length, 'attempt')}:{' '}
        {diagnosis.attempts.join(', ')}.
      </p>
    </Section>
  );
}

function Why({ explanation }: { explanation: Explanation | undefined }) {
  if (explanation === undefined) return null;
  const { summary, reasons, changes, placement, expectedStartMs, aheadInQueue } = explanation;
  return (
    <Section title={placement === undefined ? 'Why it waits' : 'Why there'}>
      <p>{summary}</p>
      {aheadInQueue === undefined ? null : <p className="note">{plural(aheadInQueue, 'task')} before it.</p>}
      {expectedStartMs === undefined ? null : (
        <p>
          {expectedStartMs === null ? (
            'Nothing that is known would ever let it start.'
          ) : (
            <>
              Predicted to start <Time atMs={expectedStartMs} />.
            </>
          )}
        </p>
      )}
      {reasons.length === 0 ? null : (
        <ul>
          {reasons.map(({ reason, workers }) => (
            <li key={reason}>
              {plural(workers, 'worker')}: {reason}
            </li>
          ))}
        </ul>
      )}
      {changes === undefined || changes.length === 0 ? null : (
        <>
          <h3>{'It would start now if…'}</h3>
          <ul>
            {changes.map(({ change }) => (
              <li key={change}>{change}</li>
            ))}
          </ul>
        </>
      )}
      {placement === undefined ? null : (
        <p className="note">
          By the rule {placement.rule}: {plural(placement.fittingWorkers, 'worker')} fitted, {placement.freeWorkers} of
          them free; predicted to take {duration(placement.expectedMs)}; {plural(placement.batch, 'task')} came
          together.
        </p>
      )}
    </Section>
  );
}

function Attempt({ attempt }: { attempt: AttemptView }) {
  const { failure } = attempt;
  return (
    <li>
      <div className="line">
        <strong>Attempt {attempt.attempt}</strong> <Badge name={attempt.verdict ?? 'running'} />
        {attempt.worker === null ? null : (
          <Link to="/workers/$worker" params={{ worker: attempt.worker }}>
            {attempt.workerName ?? attempt.worker}
          </Link>
        )}
        {attempt.startedAtMs === undefined ? null : (
          <span className="note">
            started <Time atMs={attempt.startedAtMs} />
          </span>
        )}
        {attempt.costMs === undefined ? null : <span className="note">took {duration(attempt.costMs)}</span>}
      </div>
      {attempt.counts === undefined ? null : <div className="note">Cases: {casesText(attempt.counts)}</div>}
      {failure === undefined ? null : (
        <div className="fault">
          <strong>
            {failure.class}: {failure.code}
          </strong>
          <pre>{failure.message}</pre>
          {failure.evidence === undefined ? null : (
            <details>
              <summary>Evidence</summary>
              <dl className="evidence">
                {Object.entries(failure.evidence).map(([name, value]) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>
                      <pre>{value}</pre>
                    </dd>
                  </div>
                ))}
              </dl>
            </details>
          )}
          {failure.rule === undefined ? null : <p className="note">By the rule {failure.rule.id}.</p>}
        </div>
      )}
      {attempt.blobs.length === 0 ? null : <Files blobs={attempt.blobs} />}
    </li>
  );
}

function Files({ blobs }: { blobs: readonly BlobRef[] }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <ul className="plain">
      {blobs.map((blob) => (
        <li key={`${blob.name} ${blob.digest}`}>
          <button
            type="button"
            className="quiet"
            aria-expanded={open === blob.name}
            onClick={() => setOpen(open === blob.name ? null : blob.name)}
          >
            {blob.name}
          </button>{' '}
          <span className="note">
            {bytes(blob.bytes)}
            {blob.truncatedBytes === 0 ? '' : `, ${bytes(blob.truncatedBytes)} left out`}
          </span>
          {open === blob.name ? <StoredLog blob={blob} /> : null}
        </li>
      ))}
    </ul>
  );
}
