// The tasks of a run: where each ran, how it ended and whose fault its trouble was; failures alike stand together.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { TaskView } from '@assay/protocol';
import { tasksReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Loading, Section } from '../parts/basic.tsx';
import { count, duration, plural } from '../parts/format.ts';

const shownMax = 500;

export function TaskTable({ run }: { run: string }) {
  const { data: tasks, error } = useQuery(tasksReading(run));
  if (error !== null) return <Failure error={error} />;
  if (tasks === undefined) return <Loading />;
  return (
    <>
      <Clusters tasks={tasks} />
      <Section title="Tasks" extra={<span className="note">{count(tasks.length)}</span>}>
        {tasks.length === 0 ? <Empty>It has none yet.</Empty> : <Rows tasks={tasks} />}
      </Section>
    </>
  );
}

/** Failures with the same code and fault are one cluster, the largest first. */
function Clusters({ tasks }: { tasks: TaskView[] }) {
  const clusters = new Map<string, { name: string; summary: string; tasks: TaskView[] }>();
  for (const task of tasks) {
    const failure = task.attempts.findLast((attempt) => attempt.failure !== undefined)?.failure;
    if (failure === undefined && task.diagnosis === undefined) continue;
    const fault =
      task.diagnosis === undefined
        ? (failure?.class ?? 'unknown')
        : `${task.diagnosis.fault} (${task.diagnosis.confidence})`;
    const name = `${failure?.code ?? task.verdict ?? ''}: fault of ${fault}${task.diagnosis?.subject === undefined ? '' : `, ${task.diagnosis.subject}`}`;
    const cluster = clusters.get(name) ?? {
      name,
      summary: task.diagnosis?.summary ?? failure?.message.split('\n')[0] ?? '',
      tasks: [],
    };
    cluster.tasks.push(task);
    clusters.set(name, cluster);
  }
  if (clusters.size === 0) return null;
  return (
    <Section title="Failures, alike together">
      <ul className="plain">
        {[...clusters.values()]
          .toSorted((a, b) => b.tasks.length - a.tasks.length)
          .map(({ name, summary, tasks: alike }) => (
            <li key={name}>
              <details>
                <summary>{`${plural(alike.length, 'task')} · ${name}`}</summary>
                <p className="note">{summary}</p>
                <ul>
                  {alike.slice(0, 50).map(({ task, target }) => (
                    <li key={task}>
                      <Link to="/tasks/$task" params={{ task }}>
                        {target || task}
                      </Link>
                    </li>
                  ))}
                </ul>
              </details>
            </li>
          ))}
      </ul>
    </Section>
  );
}

function Rows({ tasks }: { tasks: TaskView[] }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table of tasks">
      <table>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Suite</th>
            <th scope="col">State</th>
            <th scope="col">Worker</th>
            <th scope="col" className="number">
              Attempts
            </th>
            <th scope="col" className="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {tasks.slice(0, shownMax).map((task) => {
            const last = task.attempts.at(-1);
            return (
              <tr key={task.task}>
                <th scope="row">
                  <Link to="/tasks/$task" params={{ task: task.task }}>
                    {task.target || task.task}
                  </Link>
                </th>
                <td>{task.suite}</td>
                <td>
                  <Badge name={task.verdict ?? task.state} />
                </td>
                <td>{last?.workerName ?? last?.worker ?? ''}</td>
                <td className="number">{task.attempts.length}</td>
                <td className="number">{duration(last?.costMs)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {tasks.length > shownMax ? <p className="note">The first {shownMax}; the cases can be searched whole.</p> : null}
    </div>
  );
}
