// Messages to frames and back. A frame is a JSON array of messages; going out, as many as fit one frame; coming in,
// nothing is believed before the schema said so.
import { crc32 } from 'node:zlib';
import { CoordinatorFrame, frameSum, limit } from '@assay/protocol';
import type { AgentMessage, CoordinatorMessage } from '@assay/protocol';

export type FrameLimits = { readonly frameBytes: number; readonly messagesPerFrame: number };

export const frameLimits: FrameLimits = {
  frameBytes: limit('frameBytes'),
  messagesPerFrame: limit('messagesPerFrame'),
};

/** The messages in order, in as few frames as the limits allow. A message above the limit alone is given to `tooLarge`. */
export function encodeFrames(
  messages: readonly AgentMessage[],
  tooLarge: (message: AgentMessage, bytes: number) => void,
  limits: FrameLimits = frameLimits,
): string[] {
  const frames: string[] = [];
  let parts: string[] = [];
  let bytes = 2;
  const flush = (): void => {
    if (parts.length > 0) frames.push(`[${parts.join(',')}]`);
    parts = [];
    bytes = 2;
  };
  for (const message of messages) {
    const text = JSON.stringify(message);
    const size = Buffer.byteLength(text) + 1;
    if (size + 2 > limits.frameBytes) {
      tooLarge(message, size);
      continue;
    }
    if (bytes + size > limits.frameBytes || parts.length >= limits.messagesPerFrame) flush();
    parts.push(text);
    bytes += size;
  }
  flush();
  return frames;
}

const sumOf = (text: string): string => crc32(text).toString(16).padStart(frameSum.chars, '0');

/** The frame with its sum before it. */
export const withSum = (frame: string): string => sumOf(frame) + frame;

/** A frame that came with its sum. */
export function decodeSummed(text: string): DecodedFrame {
  const frame = text.slice(frameSum.chars);
  if (sumOf(frame) !== text.slice(0, frameSum.chars)) return { kind: 'bad', reason: 'a frame changed on its way' };
  return decodeFrame(frame);
}

export type DecodedFrame = { kind: 'messages'; messages: CoordinatorMessage[] } | { kind: 'bad'; reason: string };

export function decodeFrame(text: string): DecodedFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'bad', reason: 'a frame is not JSON' };
  }
  const parsed = CoordinatorFrame.safeParse(value);
  if (parsed.success) return { kind: 'messages', messages: parsed.data };
  const issue = parsed.error.issues[0];
  const place = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
  return { kind: 'bad', reason: `a frame does not match the contract${place}`.slice(0, 300) };
}
