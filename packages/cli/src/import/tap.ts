// TAP, through tap-parser. A test point that sums up a subtest is its group and no case of its own, unless the subtest had none.
// What TAP itself says is wrong (a plan that is not met, a bail-out) is a failed case, so that it is no pass.
import { corrupt, type ReadCase, type Reader } from '@assay/agent/formats';
import { type EventLog, Parser, type Result } from 'tap-parser';

export const readTap: Reader = (text, name) => {
  const cases: ReadCase[] = [];
  let wrong: string | null = null;
  const walk = (log: EventLog, titles: readonly string[]): void => {
    const children: EventLog[] = [];
    for (const [kind, what] of log as [string, unknown][]) {
      if (kind === 'child') children.push(what as EventLog);
      else if (kind === 'assert') {
        const point = what as Result;
        const child = children.pop();
        const title = point.name || `test ${point.id}`;
        const before = cases.length;
        if (child) walk(child, [...titles, title]);
        if (cases.length === before) cases.push(caseOf(point, [...titles, title]));
      } else if (kind === 'bailout') cases.push(trouble([...titles, 'bail out'], String(what)));
      else if (kind === 'complete') {
        const { failures } = what as { failures: { tapError?: unknown }[] };
        for (const { tapError } of failures) if (typeof tapError === 'string') wrong ??= tapError;
      }
    }
  };
  walk(Parser.parse(text), []);
  if (cases.length === 0)
    return corrupt(`${name} has no test point of TAP${wrong === null ? '' : `: ${String(wrong)}`}`);
  if (wrong !== null) cases.push(trouble(['the TAP stream itself'], String(wrong)));
  return { kind: 'cases', cases };
};

function caseOf(point: Result, path: string[]): ReadCase {
  const diag = (point.diag ?? {}) as Record<string, unknown>;
  const isSkipped = point.skip !== false;
  const isTodo = point.todo !== false;
  const status = isSkipped ? 'skipped' : isTodo ? 'todo' : point.ok ? 'passed' : 'failed';
  const line = /:(\d+)(?::\d+)?$/.exec(textOf(diag['location']))?.[1];
  const message = textOf(diag['error']) || textOf(diag['message']) || 'not ok';
  const stack = textOf(diag['stack']);
  return {
    path,
    status,
    durationMs: point.time ?? 0,
    ...(status === 'failed' ? { failure: { message, ...(stack === '' ? {} : { stack }) } } : {}),
    ...(line === undefined ? {} : { line: Number(line) }),
  };
}

function trouble(path: string[], message: string): ReadCase {
  return { path, status: 'failed', durationMs: 0, failure: { message } };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
