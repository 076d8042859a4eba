// A page of the dashboard in the user's own browser. Signing in is a code in the address, good once and for a minute, after
// the `#`, so that it is sent to nobody and stands in no log.
import { spawn } from 'node:child_process';
import type { Client } from '@assay/client';

/** The address of a page that signs whoever opens it in, as this client, once. */
export async function signInLink(client: Client, url: string, path = '/'): Promise<string> {
  const { code } = await client.createSignInCode();
  return `${url.replace(/\/$/, '')}${path}#code=${code}`;
}

const openers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Asks the system to show it; whether it could be asked. */
export function openInBrowser(link: string): Promise<boolean> {
  const [command, ...args] = openers[process.platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const child = spawn(command, [...args, link], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
