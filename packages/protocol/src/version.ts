// The version of the wire contract between coordinator, workers and clients.
// A worker of another version is refused with PROTOCOL_MISMATCH. What is asked of a coordinator is read strictly: an unknown
// key is a mistake, and named. What it answers and tells (api.ts, feed.ts) may gain fields, which an older client drops; a field's
// meaning never changes.

/** Major version: workers and coordinator must agree on it exactly. */
export const protocolVersion = 1;

/** The product's version, one for all packages. */
export const productVersion = '0.1.0';
