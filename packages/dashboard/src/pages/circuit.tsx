// One circuit: why it is as it is, what counted, every move with its cause and actor, and the orders that people may give.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { CircuitView } from '@assay/protocol';
import { client } from '../connection.ts';
import { circuitReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Figure, Loading, Section, Time } from '../parts/basic.tsx';
import { useMay, useTitle } from '../parts/context.ts';
import { count, nothing, words } from '../parts/format.ts';
import { Gauge } from '../parts/gauge.tsx';
import { fieldOf, ReasonButton } from '../parts/reason-button.tsx';

const minuteMs = 60_000;

export function CircuitPage() {
  const { circuit: id } = useParams({ from: '/circuits/$circuit' });
  const { data: circuit, error } = useQuery(circuitReading(id));
  useTitle(circuit?.label ?? id);
  if (error !== null)
    return (
      <>
        <h1>Circuit {id}</h1>
        <Failure error={error} />
      </>
    );
  if (circuit === undefined) return <Loading />;
  return (
    <>
      <h1>
        {circuit.label} <Badge name={circuit.state} />
      </h1>
      <p className="note">
        <code>{circuit.circuit}</code> · since <Time atMs={circuit.sinceMs} />
      </p>
      <Orders circuit={circuit} />
      <Now circuit={circuit} />
      <Members circuit={circuit} />
      <History circuit={circuit} />
    </>
  );
}

function Orders({ circuit }: { circuit: CircuitView }) {
  const may = useMay('operate');
  if (!may) return null;
  const isForced = ['forcedOpen', 'disabled', 'metricsOnly'].includes(circuit.state);
  return (
    <div className="actions">
      <ReasonButton
        name="Force"
        question="It stays as you say until it is released, or until the time is over."
        act={(reason, form) => {
          const minutes = Number(fieldOf(form, 'minutes'));
          return client.forceCircuit(circuit.circuit, {
            to: fieldOf(form, 'to') as 'open' | 'disabled' | 'metricsOnly',
            reason,
            ...(minutes > 0 ? { forMs: Math.round(minutes * minuteMs) } : {}),
          });
        }}
      >
        <label htmlFor="force-to">To</label>
        <select id="force-to" name="to" defaultValue="open">
          <option value="open">open: nothing goes there</option>
          <option value="disabled">disabled: everything goes there</option>
          <option value="metricsOnly">metrics only: everything goes there, and it counts</option>
        </select>
        <label htmlFor="force-minutes">For how many minutes (empty: until released)</label>
        <input id="force-minutes" name="minutes" type="number" min={1} max={43_200} />
      </ReasonButton>
      {isForced ? (
        <ReasonButton
          name="Release"
          question="It goes back to what it measures."
          act={(reason) => client.releaseCircuit(circuit.circuit, { reason })}
        />
      ) : null}
      <ReasonButton
        name="Reset"
        question="It is closed, and what it counted is forgotten."
        act={(reason) => client.resetCircuit(circuit.circuit, { reason })}
      />
    </div>
  );
}

function Now({ circuit }: { circuit: CircuitView }) {
  return (
    <Section title="Now">
      <div className="gauge-line">
        <Gauge circuit={circuit} />
        <dl className="figures small">
          <Figure label="Calls in its window" value={count(circuit.calls)} />
          <Figure label="Failed" value={count(circuit.failures)} />
          <Figure label="In a row" value={count(circuit.consecutiveFailures)} />
          <Figure label="Came too late" value={count(circuit.lateResults)} />
          <Figure label="Next" value={circuit.untilMs === null ? nothing : <Time atMs={circuit.untilMs} />} />
        </dl>
      </div>
      {circuit.cause === null ? null : <p>{circuit.cause}</p>}
      {circuit.reason === null ? null : (
        <p>
          {circuit.actor ?? 'somebody'}: {circuit.reason}
        </p>
      )}
      {circuit.heldBy === null ? null : <p>Not opened although it would be: {circuit.heldBy}</p>}
      {circuit.evidence.length === 0 ? null : (
        <p className="note">Judged by the journal entries {circuit.evidence.join(', ')}.</p>
      )}
    </Section>
  );
}

function Members({ circuit }: { circuit: CircuitView }) {
  if (circuit.members.length === 0) return null;
  return (
    <Section title="What failed in it">
      <div className="scroll" tabIndex={0} role="region" aria-label="Table of what failed in it">
        <table>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="number">
                Failed
              </th>
              <th scope="col" className="number">
                Went well
              </th>
            </tr>
          </thead>
          <tbody>
            {circuit.members.map(({ member, failures, successes }) => (
              <tr key={member}>
                <th scope="row">{member}</th>
                <td className="number">{count(failures)}</td>
                <td className="number">{count(successes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function History({ circuit }: { circuit: CircuitView }) {
  return (
    <Section title="Moves">
      {circuit.history.length === 0 ? (
        <Empty>It never moved.</Empty>
      ) : (
        <ol className="timeline">
          {circuit.history.toReversed().map((move) => (
            <li key={`${move.atMs} ${move.to}`}>
              <Time atMs={move.atMs} /> {words(move.from)} → <Badge name={move.to} /> {move.cause}
              {move.actor === undefined ? null : ` · by ${move.actor}`}
              {move.reason === undefined ? null : `: ${move.reason}`}
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
