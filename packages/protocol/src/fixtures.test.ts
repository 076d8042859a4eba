// The golden wire messages: what one version wrote, the next must read. Fixtures are added to and never edited; a change of
// the contract that breaks an old message fails here.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ErrorBody } from './errors.ts';
import { FeedGap, FeedItem } from './feed.ts';
import { RunSubmission, TasksAddition } from './submission.ts';
import { AgentFrame, AgentMessage, CoordinatorFrame, CoordinatorMessage, Report } from './worker-wire.ts';

const schemas = { AgentFrame, CoordinatorFrame, RunSubmission, TasksAddition, FeedItem, FeedGap, ErrorBody };

const Fixture = z.strictObject({
  schema: z.enum(Object.keys(schemas) as (keyof typeof schemas)[]),
  description: z.string(),
  /** Absent for a valid message: the start of what is said of an invalid one, `path: message`. */
  issue: z.string().optional(),
  value: z.unknown(),
});

const directory = new URL('../fixtures/', import.meta.url);
const fixtures = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .toSorted()
  .map((file) => ({ file, ...Fixture.parse(JSON.parse(readFileSync(new URL(file, directory), 'utf8'))) }));
const valid = fixtures.filter((fixture) => fixture.issue === undefined);
const invalid = fixtures.filter((fixture) => fixture.issue !== undefined);

test.each(valid)('$file is read, and written again as it was', ({ schema, value }) => {
  expect(schemas[schema].parse(value)).toEqual(value);
});

test.each(invalid)('$file is refused with its issue: $issue', ({ schema, value, issue }) => {
  const result = schemas[schema].safeParse(value);
  const said = result.error?.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`) ?? [];
  expect(said.filter((line) => line.startsWith(issue ?? ''))).toHaveLength(1);
  expect(said).toHaveLength(1);
});

test('every kind of message has a golden one', () => {
  const kindsOf = (schema: keyof typeof schemas) =>
    valid
      .filter((fixture) => fixture.schema === schema)
      .flatMap(({ value }) => value as { kind: string; report?: { kind: string } }[]);
  const has = (messages: { kind: string }[]) => [...new Set(messages.map(({ kind }) => kind))].toSorted();
  const reports = kindsOf('AgentFrame').flatMap(({ report }) => (report === undefined ? [] : [report]));
  expect(has(kindsOf('AgentFrame'))).toEqual(literals(AgentMessage));
  expect(has(reports)).toEqual(literals(Report));
  expect(has(kindsOf('CoordinatorFrame'))).toEqual(literals(CoordinatorMessage));
  expect(has(kindsOf('FeedItem'))).toEqual(literals(FeedItem));
});

function literals(union: { options: readonly { shape: { kind: z.ZodLiteral<string> } }[] }): string[] {
  return union.options.map((option) => option.shape.kind.value).toSorted();
}
