// Circuits: how many are in which state, and a tile for each: health, volume, state, when it is probed next.
// What always holds: where nothing was measured the gauge says so; it never shows a number for it.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { circuitScopeKinds, circuitStates, type CircuitView } from '@assay/protocol';
import { circuitsReading } from '../live/readings.ts';
import { Badge, Empty, Failure, Loading, Section, Time, toneOf } from '../parts/basic.tsx';
import { useTitle } from '../parts/context.ts';
import { count, words } from '../parts/format.ts';
import { Gauge } from '../parts/gauge.tsx';

const shownMax = 200;

export function CircuitsPage() {
  useTitle('Circuits');
  const { state = '', kind = '' } = useSearch({ from: '/circuits' });
  const { data, error } = useQuery(circuitsReading);
  if (error !== null) return <Failure error={error} />;
  const shown = (data ?? []).filter(
    (circuit) => (state === '' || circuit.state === state) && (kind === '' || circuit.scope.kind === kind),
  );
  return (
    <>
      <h1>Circuits</h1>
      {data === undefined ? <Loading /> : null}
      {data === undefined ? null : <States circuits={data} />}
      <Section title="Tiles" extra={<span className="note">{count(shown.length)}</span>}>
        <Filters state={state} kind={kind} />
        {shown.length === 0 ? (
          <Empty>
            {data?.length === 0
              ? 'None is known yet: a circuit begins with the first failure in its scope, or an order.'
              : 'None is like that.'}
          </Empty>
        ) : (
          <ul className="tiles">
            {shown.slice(0, shownMax).map((circuit) => (
              <Tile key={circuit.circuit} circuit={circuit} />
            ))}
          </ul>
        )}
        {shown.length > shownMax ? <p className="note">The first {shownMax}.</p> : null}
      </Section>
    </>
  );
}

function States({ circuits }: { circuits: CircuitView[] }) {
  const numbers = circuitStates.map((state) => ({
    state,
    number: circuits.filter((one) => one.state === state).length,
  }));
  return (
    <Section title="States">
      <div className="distribution" aria-hidden="true">
        {numbers.map(({ state, number }) =>
          number === 0 ? null : <span key={state} className={toneOf(state)} style={{ flexGrow: number }} />,
        )}
      </div>
      <dl className="figures small">
        {numbers.map(({ state, number }) => (
          <div className="figure" key={state}>
            <dt>{words(state)}</dt>
            <dd>
              <Link to="/circuits" search={{ state }} className="value">
                {count(number)}
              </Link>
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

function Filters({ state, kind }: { state: string; kind: string }) {
  const navigate = useNavigate({ from: '/circuits' });
  return (
    <form className="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        State{' '}
        <select
          value={state}
          onChange={(event) => void navigate({ search: (old) => ({ ...old, state: event.target.value || undefined }) })}
        >
          <option value="">all</option>
          {circuitStates.map((name) => (
            <option key={name} value={name}>
              {words(name)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Scope{' '}
        <select
          value={kind}
          onChange={(event) => void navigate({ search: (old) => ({ ...old, kind: event.target.value || undefined }) })}
        >
          <option value="">all</option>
          {circuitScopeKinds.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </form>
  );
}

function Tile({ circuit }: { circuit: CircuitView }) {
  const { state, label, calls, failures, cause, reason, untilMs } = circuit;
  return (
    <li className={`tile ${toneOf(state)}`}>
      <Gauge circuit={circuit} />
      <div>
        <Link to="/circuits/$circuit" params={{ circuit: circuit.circuit }}>
          {label}
        </Link>
        <div>
          <Badge name={state} />
        </div>
        <div className="note">
          {calls === 0 ? 'no calls in its window' : `${count(failures)} of ${count(calls)} calls failed`}
        </div>
        {state === 'closed' ? null : <div className="note">{reason ?? cause ?? ''}</div>}
        {untilMs === null || state === 'closed' ? null : (
          <div className="note">
            {state === 'open' ? 'probed at ' : 'until '}
            <Time atMs={untilMs} />
          </div>
        )}
      </div>
    </li>
  );
}
