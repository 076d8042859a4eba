// Fresh ids: a prefix and ten characters of lower-case base 32, 50 random bits.
import { randomBytes } from 'node:crypto';
import type { RunId, SessionId } from '@assay/protocol';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

export const freshRunId = (): RunId => `r-${tenCharacters()}` as RunId;
export const freshSessionId = (): SessionId => `s-${tenCharacters()}` as SessionId;

function tenCharacters(): string {
  let text = '';
  for (const byte of randomBytes(10)) text += alphabet[byte & 31];
  return text;
}
