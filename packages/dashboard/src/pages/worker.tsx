// One worker: what it is, how it is, what it runs, what keeps work from it, and the orders that people may give.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { WorkerView } from '@assay/protocol';
import { client } from '../connection.ts';
import { workerReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Figure, Loading, Section, Time } from '../parts/basic.tsx';
import { useMay, useTitle } from '../parts/context.ts';
import { duration, words } from '../parts/format.ts';
import { ReasonButton } from '../parts/reason-button.tsx';
import { Tree } from '../parts/tree.tsx';

export function WorkerPage() {
  const { worker: id } = useParams({ from: '/workers/$worker' });
  const { data: worker, error } = useQuery(workerReading(id));
  useTitle(worker?.name ?? id);
  if (error !== null)
    return (
      <>
        <h1>Worker {id}</h1>
        <Failure error={error} />
      </>
    );
  if (worker === undefined) return <Loading />;
  return (
    <>
      <h1>
        {worker.name} <Badge name={worker.state} />
      </h1>
      <p className="note">
        <code>{worker.worker}</code> · pool {worker.pool} · agent {worker.agentVersion} · since{' '}
        <Time atMs={worker.sinceMs} />
        {Object.entries(worker.declared).map(([key, value]) => (
          <span key={key} className="tag">
            {key}={String(value)}
          </span>
        ))}
      </p>
      <Orders worker={worker} />
      <dl className="figures">
        <Figure label="Slots in use" value={`${worker.running} of ${worker.slots}`} />
        <Figure
          label="Condition"
          value={words(worker.condition?.kind ?? 'ready')}
          note={worker.condition?.reason ?? worker.condition?.doing}
        />
        {worker.trust === undefined ? null : <Figure label="Trust" value={worker.trust} />}
      </dl>
      <div className="columns">
        <div>
          <Runs worker={worker} />
          <Stops worker={worker} />
          <Checks worker={worker} />
        </div>
        <div>
          <Devices worker={worker} />
          <Profile worker={worker} />
        </div>
      </div>
    </>
  );
}

function Orders({ worker }: { worker: WorkerView }) {
  const may = useMay('operate');
  if (!may) return null;
  const { worker: id } = worker;
  const isAside = worker.condition !== undefined && worker.condition.kind !== 'ready';
  return (
    <div className="actions">
      <ReasonButton
        name="Drain"
        question="It finishes what it has and takes nothing more."
        act={(reason) => client.drainWorker(id, { reason })}
      />
      {isAside ? (
        <ReasonButton
          name="Release"
          question="It may work again, once its checks say so."
          act={(reason) => client.setCondition(id, { action: 'release', reason })}
        />
      ) : (
        <ReasonButton
          name="Quarantine"
          question="It gets no work until it is released."
          act={(reason) => client.setCondition(id, { action: 'quarantine', reason })}
        />
      )}
      <ReasonButton
        name="Certify"
        question="Its checks run now; what they find comes here by itself."
        act={(reason) => client.certifyWorker(id, { reason })}
      />
    </div>
  );
}

function Runs({ worker }: { worker: WorkerView }) {
  return (
    <Section title="What it has">
      {worker.attempts.length === 0 ? (
        <Empty>Nothing now.</Empty>
      ) : (
        <ul className="plain">
          {worker.attempts.slice(0, 50).map(({ task, attempt }) => (
            <li key={task}>
              <Link to="/tasks/$task" params={{ task }}>
                {task}
              </Link>
              , attempt {attempt}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Stops({ worker }: { worker: WorkerView }) {
  const { circuits = [], gates = [] } = worker;
  if (circuits.length + gates.length === 0) return null;
  return (
    <Section title="What keeps work from it">
      <ul className="plain">
        {circuits.map(({ circuit, state, cause }) => (
          <li key={circuit}>
            <Badge name={state} />{' '}
            <Link to="/circuits/$circuit" params={{ circuit }}>
              {circuit}
            </Link>{' '}
            {cause}
          </li>
        ))}
        {gates.map(({ gate, device, reason, sinceMs }) => (
          <li key={`${gate} ${device ?? ''}`}>
            Gate {gate} {device === null ? '' : `of ${device} `}is shut since <Time atMs={sinceMs} />: {reason}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Checks({ worker }: { worker: WorkerView }) {
  const { checks = [], condition } = worker;
  return (
    <>
      <Section title="Checks">
        {checks.length === 0 ? (
          <Empty>None ran on it.</Empty>
        ) : (
          <ul className="plain">
            {checks.map((check) => (
              <li key={`${check.check} ${check.device ?? ''}`}>
                <Badge name={check.outcome} /> {check.check} {check.device ?? ''} <Time atMs={check.atMs} />
                <div className="note">
                  {Object.entries(check.evidence)
                    .map(([name, value]) => `${name}: ${value}`)
                    .join(' · ')}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Section>
      {condition?.tried === undefined || condition.tried.length === 0 ? null : (
        <Section title="Recovery tried">
          <ol className="plain">
            {condition.tried.map(({ rung, outcome, durationMs }, index) => (
              <li key={index}>
                {rung}: {outcome}, {duration(durationMs)}
              </li>
            ))}
          </ol>
        </Section>
      )}
    </>
  );
}

function Devices({ worker }: { worker: WorkerView }) {
  const { devices = [] } = worker;
  return (
    <Section title="Devices">
      {devices.length === 0 ? (
        <Empty>Nothing is known of any.</Empty>
      ) : (
        <ul className="plain">
          {devices.map(({ device, condition }) => (
            <li key={device}>
              <Badge name={condition.kind} /> {device}
              {condition.reason === undefined ? null : <div className="note">{condition.reason}</div>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Profile({ worker }: { worker: WorkerView }) {
  return (
    <Section title="Profile" extra={<code className="note">{worker.profileDigest.slice(0, 12)}</code>}>
      {worker.profileChange === undefined ? null : (
        <>
          <p>
            Changed <Time atMs={worker.profileChange.atMs} />:
          </p>
          <ul>
            {worker.profileChange.changes.map((change) => (
              <li key={change}>{change}</li>
            ))}
          </ul>
        </>
      )}
      {worker.profile === undefined ? <Empty>It is not known any more.</Empty> : <Tree value={worker.profile} />}
    </Section>
  );
}
