// Where this user's own coordinator listens: `assay up` writes it, other commands read it. The file is the user's alone (mode 0600).
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { stateRoot } from './state-directory.ts';

const Endpoint = z.object({ url: z.string(), token: z.string().optional(), pid: z.number().int() });
export type Endpoint = z.infer<typeof Endpoint>;

const endpointPath = (): string => join(stateRoot(), 'endpoint.json');

export async function writeEndpoint(endpoint: Endpoint): Promise<void> {
  await mkdir(stateRoot(), { recursive: true, mode: 0o700 });
  await writeFile(endpointPath(), JSON.stringify(endpoint), { mode: 0o600 });
}

/** The endpoint of a coordinator that still runs, or null. */
export async function readEndpoint(): Promise<{ url: string; token: string | undefined } | null> {
  try {
    const { url, token, pid } = Endpoint.parse(JSON.parse(await readFile(endpointPath(), 'utf8')));
    process.kill(pid, 0);
    return { url, token };
  } catch {
    return null;
  }
}

/** Removes the endpoint, if it is still this process's. */
export async function removeEndpoint(pid: number): Promise<void> {
  try {
    const endpoint = Endpoint.parse(JSON.parse(await readFile(endpointPath(), 'utf8')));
    if (endpoint.pid === pid) await rm(endpointPath(), { force: true });
  } catch {
    // Gone already, or not readable: nothing of ours is left to remove.
  }
}
