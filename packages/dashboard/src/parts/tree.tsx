// A value as people read it: names and values, what is nested folded. For profiles, whose fields grow.
import type { ReactNode } from 'react';

const foldedFrom = 2;

export function Tree({ value, depth = 0 }: { value: unknown; depth?: number }): ReactNode {
  if (value === null || value === undefined) return <span className="note">not known</span>;
  if (typeof value !== 'object') return <span>{JSON.stringify(value).replaceAll(/^"|"$/g, '')}</span>;
  const entries = Object.entries(value);
  if (entries.length === 0) return <span className="note">none</span>;
  return (
    <ul className="tree">
      {entries.map(([name, part]) => {
        const isNested = typeof part === 'object' && part !== null && Object.keys(part as object).length > 0;
        return (
          <li key={name}>
            {isNested ? (
              <details open={depth + 1 < foldedFrom}>
                <summary>{name}</summary>
                <Tree value={part} depth={depth + 1} />
              </details>
            ) : (
              <>
                <span className="note">{name}</span> <Tree value={part} depth={depth + 1} />
              </>
            )}
          </li>
        );
      })}
    </ul>
  );
}
