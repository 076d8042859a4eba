// In the page of any page runner: what happens there goes to the worker in order, and the worker compares count and digest
// of what arrived with what the page itself says through WebDriver.

const state = /** @type {any} */ (globalThis).__assay;
/** @type {object[]} */
let unsent = [];
/** @type {string[]} */
const told = [];
let sending = Promise.resolve();

/** Tells one event; it is posted with those told in the same turn. @param {object} event */
export function tell(event) {
  told.push(JSON.stringify(event));
  unsent.push(event);
  sending = sending.then(send);
}

/** Resolves when all that was told has arrived. */
export async function arrived() {
  await sending;
}

async function send() {
  if (unsent.length === 0) return;
  const events = unsent;
  unsent = [];
  const answer = await fetch(state.report, { method: 'POST', body: JSON.stringify(events) });
  if (!answer.ok) console.error(`the report was refused: ${answer.status} ${await answer.text()}`);
}

/** What was told, as the worker reads it back through WebDriver. */
state.summary = async () => {
  const bytes = await crypto.subtle.digest(
    'SHA-256',
    new TextEncoder().encode(told.map((line) => `${line}\n`).join('')),
  );
  const digest = [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { count: told.length, digest };
};
