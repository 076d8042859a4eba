// The version of the wire contract between coordinator, workers and clients.
// A worker of another version is refused with PROTOCOL_MISMATCH. What is asked of a coordinator is read strictly: an unknown
// key is a mistake, and named. What it answers and tells (api.ts, feed.ts) may gain fields, which an older client drops; a field's
// meaning never changes.

/** Major version: workers and coordinator must agree on it exactly. */
export const protocolVersion = 2;

/** The product's version, one for all packages. */
export const productVersion = '0.1.0';

/**
 * Asked for by an agent in this header of its upgrade request, and granted in the same header of the answer: each frame of that
 * link, in both directions, begins with the CRC-32 of its text in eight hexadecimal digits. What changed on its way is then a bad
 * frame and not another truth (docs/adr/0011). Who does not know the header sends and gets frames without it.
 */
export const frameSum = { header: 'x-assay-frame-sum', kind: 'crc32', chars: 8 } as const;
