// How a command reaches its coordinator: --coordinator and --token, then ASSAY_COORDINATOR and ASSAY_TOKEN, then the project's
// configuration, then a coordinator that this machine's user keeps running (assay up writes where it listens), then the history of
// the local runs of the project at hand.
import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Client, createClient } from '@assay/client';
import { AssayError } from '@assay/protocol';
import { readEndpoint } from './local/endpoint.ts';
import { openLocalHistory } from './local/history.ts';

export type ConnectionOptions = { coordinator?: string; token?: string; ca?: string };

export type Connection = { client: Client; url: string };

/** The coordinator that was named, or null where none was. Where it is this user's own, its owner needs no other token. */
export async function namedCoordinator(
  options: ConnectionOptions,
  configured?: string,
): Promise<{ url: string; token: string | undefined } | null> {
  await trust(options.ca ?? process.env.ASSAY_CA);
  const url = options.coordinator ?? process.env.ASSAY_COORDINATOR ?? configured;
  if (url === undefined || url === '') return null;
  const token = options.token ?? process.env.ASSAY_TOKEN;
  if (token !== undefined) return { url, token };
  const own = await readEndpoint();
  return { url, token: own !== null && own.url === url.replace(/\/$/, '') ? own.token : undefined };
}

/** Trusts a private authority for the rest of this process, beside those that are trusted anyway. */
async function trust(path: string | undefined): Promise<void> {
  if (path === undefined || path === '') return;
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new AssayError(
      'USAGE',
      `--ca ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new AssayError('USAGE', `--ca ${path} holds no certificate in PEM.`);
  setDefaultCACertificates([...getCACertificates('default'), pem]);
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
