// Branded identifiers. Plain strings at run time, distinct types at compile time, so that a worker's id is never passed
// where a task's is meant. Every id is safe in a URL path segment, a file name and a log line.
import { z } from 'zod';

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

/** One submission. Made by the coordinator: `r-` and ten characters of base 32. */
export const RunId = z.string().regex(idPattern).brand<'RunId'>();
export type RunId = z.infer<typeof RunId>;

/** The unit of placement: `<run>.<index>`, the index counting from 0 in order of submission. */
export const TaskId = z.string().regex(idPattern).brand<'TaskId'>();
export type TaskId = z.infer<typeof TaskId>;

/** A worker, chosen by its agent once and kept in the agent's state directory: `w-` and ten characters. */
export const WorkerId = z.string().regex(idPattern).brand<'WorkerId'>();
export type WorkerId = z.infer<typeof WorkerId>;

/** One link's lifetime: a new one for every connection of a worker. */
export const SessionId = z.string().regex(idPattern).brand<'SessionId'>();
export type SessionId = z.infer<typeof SessionId>;

/** One hand-over of a batch of tasks to one slot of a worker. */
export const AssignmentId = z.string().regex(idPattern).brand<'AssignmentId'>();
export type AssignmentId = z.infer<typeof AssignmentId>;

/** A stored token's public id (never the secret). */
export const TokenId = z.string().regex(idPattern).brand<'TokenId'>();
export type TokenId = z.infer<typeof TokenId>;

/** SHA-256 of the content, lower-case hexadecimal. */
export const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'Digest'>();
export type Digest = z.infer<typeof Digest>;

/** A task's id from its run and its index in it. */
export function taskIdOf(run: RunId, index: number): TaskId {
  return `${run}.${index}` as TaskId;
}

/** The run that a task belongs to, read from the task's id. */
export function runIdOf(task: TaskId): RunId {
  return task.slice(0, task.lastIndexOf('.')) as RunId;
}
