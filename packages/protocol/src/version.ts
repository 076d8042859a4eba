// The version of the wire contract between coordinator, workers and clients.
// A worker of another major version is refused with PROTOCOL_MISMATCH; a minor difference is accepted, because every
// schema ignores nothing silently: new optional fields may be added, old ones never change their meaning.

/** Major version: workers and coordinator must agree on it exactly. */
export const protocolVersion = 1;

/** The product's version, one for all packages. */
export const productVersion = "0.1.0";
