// The health of a circuit as an arc. Unknown is its own picture: a dashed arc and the word, never a number.
import type { CircuitView } from '@assay/protocol';
import { percent } from './format.ts';

const arcPath = 'M8 40 A 28 28 0 1 1 56 40';

export function Gauge({ circuit }: { circuit: CircuitView }) {
  const { health, calls, failures, lateResults } = circuit;
  const how =
    health === null
      ? `Unknown: nothing was measured in this circuit's window.`
      : `Health: the share of what was measured lately that was well. ${calls} calls in its window, ${failures} failed, ${lateResults} came too late to count.`;
  const tone = health === null ? 'calm' : health >= 0.9 ? 'good' : health >= 0.5 ? 'warn' : 'bad';
  return (
    <svg
      className={`gauge ${tone}`}
      viewBox="0 -7 64 54"
      role="img"
      aria-label={health === null ? how : `${percent(health)}. ${how}`}
    >
      <title>{how}</title>
      <path d={arcPath} className="track" pathLength={100} strokeDasharray={health === null ? '3 4' : undefined} />
      {health === null || health === 0 ? null : (
        <path d={arcPath} className="fill" pathLength={100} strokeDasharray={`${health * 100} 100`} />
      )}
      <text x="32" y="36" textAnchor="middle">
        {health === null ? 'unknown' : percent(health)}
      </text>
    </svg>
  );
}
