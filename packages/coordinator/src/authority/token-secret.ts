// The secret of a token: how it is made, read and compared.
//
// Its form is `assay_<id>_<random>`: the prefix lets secret scanners find a leaked one, the id finds the stored token
// without comparing against all, and the random part is 32 bytes. What always holds: only the SHA-256 of the whole
// secret is kept, and it is compared in constant time. (SHA-256 and no slow hash: 256 random bits cannot be guessed.)
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { TokenId } from '@assay/protocol';

export type NewSecret = { token: TokenId; secret: string; hash: Buffer };

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const form = /^assay_([a-z2-7]{10})_[A-Za-z0-9_-]{43}$/;
const noHash = Buffer.alloc(32);

export function newSecret(): NewSecret {
  const id = Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');
  const secret = `assay_${id}_${randomBytes(32).toString('base64url')}`;
  return { token: `t-${id}` as TokenId, secret, hash: hashOf(secret) };
}

/** The token that a secret names, whether or not it is right; null where it has not the form of one. */
export function tokenOf(secret: string): TokenId | null {
  const id = form.exec(secret)?.[1];
  return id === undefined ? null : (`t-${id}` as TokenId);
}

/** Whether the secret is the one whose hash was stored. As long for an unknown token (null) as for a wrong secret. */
export function isSecret(secret: string, stored: Uint8Array | null): boolean {
  const isEqual = timingSafeEqual(hashOf(secret), stored?.length === noHash.length ? stored : noHash);
  return isEqual && stored !== null;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
