// One frame from an agent, from bytes to messages: JSON, then the protocol's schema, whole or not at all. The version is
// looked at before the schema, so that an agent of another version is told that and not that its hello has unknown keys.
import { crc32 } from 'node:zlib';
import { AgentFrame, type AgentMessage, frameSum, protocolVersion } from '@assay/protocol';
import { describeIssues } from './schema-issues.ts';

export type ReadFrame =
  | { kind: 'messages'; messages: AgentMessage[] }
  | { kind: 'otherVersion'; version: number }
  | { kind: 'bad'; reason: string };

export function readFrame(data: Buffer): ReadFrame {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    return { kind: 'bad', reason: 'not JSON' };
  }
  const version = helloVersionOf(value);
  if (version !== null && version !== protocolVersion) return { kind: 'otherVersion', version };
  const frame = AgentFrame.safeParse(value);
  if (frame.success) return { kind: 'messages', messages: frame.data };
  return { kind: 'bad', reason: describeIssues(frame.error, 3).join('; ') };
}

/** A frame of a link whose agent asked for sums: its first eight characters, and what they are the sum of. */
export function readSummedFrame(data: Buffer): ReadFrame {
  const frame = data.subarray(frameSum.chars);
  if (sumOf(frame) !== data.toString('latin1', 0, frameSum.chars))
    return { kind: 'bad', reason: 'the frame changed on its way: its sum is another' };
  return readFrame(frame);
}

/** Put before each frame that goes out on such a link. */
export const sumOf = (frame: string | Buffer): string => crc32(frame).toString(16).padStart(frameSum.chars, '0');

function helloVersionOf(value: unknown): number | null {
  const first: unknown = Array.isArray(value) ? value[0] : null;
  if (typeof first !== 'object' || first === null || !('kind' in first) || first.kind !== 'hello') return null;
  return 'protocolVersion' in first && typeof first.protocolVersion === 'number' ? first.protocolVersion : null;
}
