// Recovery: which steps were taken on which kind of device, and how often the device passed afterwards; what is set aside now.
// What always holds: shares are shown with the number that they rest on.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { WorkerView } from '@assay/protocol';
import { recoveryReading, workersReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Loading, Section, Time } from '../parts/basic.tsx';
import { useTitle } from '../parts/context.ts';
import { count, duration, percent } from '../parts/format.ts';

export function RecoveryPage() {
  useTitle('Recovery');
  const { data: rungs, error } = useQuery(recoveryReading);
  const workers = useQuery(workersReading);
  return (
    <>
      <h1>Recovery</h1>
      <Aside workers={workers.data ?? []} />
      <Section title="Steps taken">
        {error === null ? null : <Failure error={error} />}
        {rungs === undefined && error === null ? <Loading /> : null}
        {rungs?.length === 0 ? <Empty>No step of recovery was taken yet.</Empty> : null}
        {rungs === undefined || rungs.length === 0 ? null : (
          <div className="scroll" tabIndex={0} role="region" aria-label="Table of steps taken">
            <table>
              <thead>
                <tr>
                  <th scope="col">Step</th>
                  <th scope="col">Device</th>
                  <th scope="col" className="number">
                    Taken
                  </th>
                  <th scope="col" className="number">
                    Passed afterwards
                  </th>
                  <th scope="col" className="number">
                    Mean time
                  </th>
                  <th scope="col">Last</th>
                </tr>
              </thead>
              <tbody>
                {rungs.map((row) => (
                  <tr key={`${row.rung} ${row.deviceClass}`}>
                    <th scope="row">{row.rung}</th>
                    <td>{row.deviceClass}</td>
                    <td className="number">{count(row.taken)}</td>
                    <td className="number">
                      {`${count(row.cured)}${row.taken === 0 ? '' : ` (${percent(row.cured / row.taken)})`}`}
                    </td>
                    <td className="number">{duration(row.meanMs)}</td>
                    <td>
                      <Time atMs={row.lastAtMs} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Section>
    </>
  );
}

/** Workers and devices that get no work now, or are being looked into. */
function Aside({ workers }: { workers: WorkerView[] }) {
  const rows = workers.flatMap((worker) => [
    ...(worker.condition === undefined ? [] : [{ worker, device: null, condition: worker.condition }]),
    ...(worker.devices ?? []).map(({ device, condition }) => ({ worker, device, condition })),
  ]);
  const aside = rows.filter(({ condition }) => condition.kind !== 'ready');
  return (
    <Section title="Set aside now">
      {aside.length === 0 ? (
        <Empty>Nothing.</Empty>
      ) : (
        <ul className="plain">
          {aside.map(({ worker, device, condition }) => (
            <li key={`${worker.worker} ${device ?? ''}`}>
              <Badge name={condition.kind} />{' '}
              <Link to="/workers/$worker" params={{ worker: worker.worker }}>
                {worker.name}
              </Link>
              {device === null ? null : `, ${device}`} since <Time atMs={condition.sinceMs} />
              <div className="note">{[condition.doing, condition.reason].filter(Boolean).join(': ')}</div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
