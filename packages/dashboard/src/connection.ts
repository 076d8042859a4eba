// The one connection of this page to its coordinator: the typed client with the session's word for what changes something.
// What always holds: no secret is kept by the page; the cookie is out of its reach, and a code leaves the address at once.
import { type Client, createClient } from '@assay/client';
import type { SessionView } from '@assay/protocol';

let csrf: string | undefined;

export const client: Client = createClient({
  url: globalThis.location.origin,
  csrf: () => csrf,
  retriesMax: 2,
});

/** Who is here: by the code in the address (`#code=`, good once), by the cookie, or nobody (null). */
export async function openSession(): Promise<SessionView | null> {
  const code = /^#code=([\w-]{1,100})$/.exec(location.hash)?.[1];
  if (code !== undefined) {
    history.replaceState(null, '', location.pathname + location.search);
    const session = await client.signIn({ code }).catch(() => null);
    if (session !== null) return remember(session);
  }
  try {
    return remember(await client.readSession());
  } catch (error) {
    if (isSignedOut(error)) return null;
    throw error;
  }
}

export async function signIn(token: string): Promise<SessionView> {
  return remember(await client.signIn({ token }));
}

export async function signOut(): Promise<void> {
  await client.signOut();
  csrf = undefined;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UNAUTHORIZED';
}

function remember(session: SessionView): SessionView {
  csrf = session.csrf;
  return session;
}
