// How a command reaches its coordinator: --coordinator and --token, then ASSAY_COORDINATOR and ASSAY_TOKEN, then the project's
// configuration, then a coordinator that this machine's user keeps running (assay up writes where it listens), then the history of
// the local runs of the project at hand.
import { type Client, createClient } from '@assay/client';
import { AssayError } from '@assay/protocol';
import { readEndpoint } from './local/endpoint.ts';
import { openLocalHistory } from './local/history.ts';

export type ConnectionOptions = { coordinator?: string; token?: string };

export type Connection = { client: Client; url: string };

/** The coordinator that was named, or null where none was. Where it is this user's own, its owner needs no other token. */
export async function namedCoordinator(
  options: ConnectionOptions,
  configured?: string,
): Promise<{ url: string; token: string | undefined } | null> {
  const url = options.coordinator ?? process.env.ASSAY_COORDINATOR ?? configured;
  if (url === undefined || url === '') return null;
  const token = options.token ?? process.env.ASSAY_TOKEN;
  if (token !== undefined) return { url, token };
  const own = await readEndpoint();
  return { url, token: own !== null && own.url === url.replace(/\/$/, '') ? own.token : undefined };
}

/** A connection for commands that need a coordinator: the named one, the one that `assay up` started here, or local history. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const named = await namedCoordinator(options);
  const target = named ?? (await readEndpoint()) ?? (await openLocalHistory(process.cwd()));
  if (target === null) {
    throw new AssayError(
      'COORDINATOR_UNREACHABLE',
      'No coordinator was named (--coordinator, ASSAY_COORDINATOR), none is running here, and this project has no local runs.',
    );
  }
  return {
    client: createClient({ url: target.url, ...(target.token === undefined ? {} : { token: target.token }) }),
    url: target.url,
  };
}
