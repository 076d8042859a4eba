// What a session's page is seen to do, from outside the page: the witness in its world (in-page/witness.mjs), the probe in a
// world of ours (in-page/probe.mjs), console and exceptions, and the browser's own word on its GPU process.
import { randomBytes } from 'node:crypto';
import type { CdpEvent } from './cdp.ts';
import { isSoftwareAdapter, nonceWords, probeAnswer } from './hallmark.ts';
import type { AdapterSeen, Hallmark, LostDevice, Platform, WorkSeen } from './hallmark.ts';
import { inPageCall } from './in-page-call.ts';
import { gpuProcessOf } from './session.ts';
import type { BrowserSession } from './session.ts';

const noWork: WorkSeen = {
  submits: 0,
  completed: 0,
  dispatches: 0,
  draws: 0,
  afterLost: 0,
  uncaptured: 0,
  inferences: 0,
  instances: 0,
};
const probeDeadlineMs = 20_000;
const completionMs = 2_000;
const factsMax = 10_000;

/** What is known of the task beside what the page shows. */
export type HallmarkRequest = {
  readonly platform: Platform;
  readonly nonce: string;
  readonly served: string;
  readonly results: Hallmark['results'];
};

type Probed = {
  userAgent: string;
  url: string;
  isIsolated: boolean;
  missing?: string;
  adapter?: AdapterSeen;
  product?: number[];
};

export class PageWitness {
  /** Console lines and uncaught exceptions of the page. */
  onText: (text: string) => void = () => {};
  /** A device was lost, whoever did it. */
  onLost: (lost: LostDevice) => void = () => {};
  readonly #session: BrowserSession;
  readonly #binding: string;
  #adapters: AdapterSeen[] = [];
  #contexts: string[] = [];
  #lost: LostDevice[] = [];
  #work: WorkSeen = noWork;
  #facts = 0;

  private constructor(session: BrowserSession, binding: string) {
    this.#session = session;
    this.#binding = binding;
    // Of this page only: a session may get a new one, with a witness of its own.
    const { page } = session;
    session.cdp.listen((event) => {
      if (event.sessionId === page) this.#hear(event);
    });
  }

  static async attach(session: BrowserSession): Promise<PageWitness> {
    const binding = `assay${randomBytes(12).toString('hex')}`;
    const made = new PageWitness(session, binding);
    const source = inPageCall('witness', binding);
    await session.cdp.send('Runtime.addBinding', { name: binding }, session.page);
    await session.cdp.send('Page.addScriptToEvaluateOnNewDocument', { source }, session.page);
    return made;
  }

  /** Forgets what was seen, before another task. */
  begin(): void {
    this.#adapters = [];
    this.#contexts = [];
    this.#lost = [];
    this.#work = noWork;
    this.#facts = 0;
  }

  get lost(): readonly LostDevice[] {
    return this.#lost;
  }

  /** Of the browser now; null where it has none or does not say. */
  async gpuProcess(): Promise<number | null> {
    return (await this.#gpuProcess()).gpuProcess;
  }

  /** Looks now, while the page is still there. Throws where the browser does not answer. */
  async hallmark(request: HallmarkRequest): Promise<Hallmark> {
    const words = nonceWords(request.nonce);
    const probed = await this.#probe(words, request.platform);
    if (request.platform === 'webgpu') await this.#completed();
    const { identity } = this.#session;
    const { adapter } = probed;
    const expected = probeAnswer(request.platform, words);
    const isProbeRight = expected?.every((x, at) => x === probed.product?.[at]);
    return {
      ...identity,
      ...request,
      userAgent: probed.userAgent,
      url: probed.url,
      isIsolated: probed.isIsolated,
      ...(adapter === undefined ? {} : { adapter, isSoftware: isSoftwareAdapter(adapter) }),
      ...(isProbeRight === undefined ? {} : { isProbeRight }),
      pageAdapters: this.#adapters,
      contexts: this.#contexts,
      work: this.#work,
      lost: this.#lost,
      ...(await this.#gpuProcess()),
    };
  }

  async #probe(words: readonly number[], platform: Platform): Promise<Probed> {
    const { cdp, page } = this.#session;
    const { frameTree } = (await cdp.send('Page.getFrameTree', {}, page)) as { frameTree: { frame: { id: string } } };
    const world = { frameId: frameTree.frame.id, worldName: `assay-${randomBytes(6).toString('hex')}` };
    const { executionContextId } = await cdp.send('Page.createIsolatedWorld', world, page);
    const expression = inPageCall('probe', words, platform);
    const asked = { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true };
    const answer = (await cdp.send('Runtime.evaluate', asked, page, probeDeadlineMs)) as {
      result?: { value?: Probed };
      exceptionDetails?: unknown;
    };
    const empty = { userAgent: '', url: '', isIsolated: false };
    if (answer.exceptionDetails) return { ...empty, missing: exceptionText(answer.exceptionDetails) };
    return answer.result?.value ?? empty;
  }

  /** Submissions of the page may still be under way when its tests are over. */
  async #completed(): Promise<void> {
    const until = performance.now() + completionMs;
    while (this.#work.submits > this.#work.completed && this.#lost.length === 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async #gpuProcess(): Promise<{ gpuProcess: number | null; gpuDriver: string }> {
    const { cdp } = this.#session;
    const [gpuProcess, info] = await Promise.all([
      gpuProcessOf(cdp).catch(() => null),
      cdp.send('SystemInfo.getInfo').catch(() => ({})),
    ]);
    const device = (info as { gpu?: { devices?: { driverVendor?: string; driverVersion?: string }[] } }).gpu
      ?.devices?.[0];
    return {
      gpuProcess,
      gpuDriver: [device?.driverVendor, device?.driverVersion].filter(Boolean).join(' '),
    };
  }

  #hear({ method, params }: CdpEvent): void {
    if (method === 'Runtime.consoleAPICalled') this.onText(consoleText(params));
    if (method === 'Runtime.exceptionThrown') this.onText(exceptionText(params['exceptionDetails']));
    if (method !== 'Runtime.bindingCalled' || params['name'] !== this.#binding) return;
    this.#facts += 1;
    if (this.#facts > factsMax) return;
    const { kind, ...fact } = JSON.parse(String(params['payload'])) as { kind: string } & Record<string, unknown>;
    if (kind === 'adapter' && this.#adapters.length < 20) this.#adapters.push(fact as AdapterSeen);
    if (kind === 'context' && this.#contexts.length < 20) this.#contexts.push(String(fact['deviceType']));
    if (kind === 'work') this.#work = fact as WorkSeen;
    if (kind === 'uncaptured') this.onText(`uncaptured GPU error: ${String(fact['message'])}`);
    if (kind !== 'lost' || this.#lost.length >= 20) return;
    const lost = fact as LostDevice;
    this.#lost.push(lost);
    this.onLost(lost);
  }
}

function consoleText(params: Readonly<Record<string, unknown>>): string {
  const args = (Array.isArray(params['args']) ? params['args'] : []) as { value?: unknown; description?: string }[];
  const texts = args.map(({ value, description }) =>
    typeof value === 'string' ? value : (description ?? JSON.stringify(value) ?? 'undefined'),
  );
  return `console.${String(params['type'])}: ${texts.join(' ')}`;
}

function exceptionText(details: unknown): string {
  const { text, exception } = (details ?? {}) as { text?: string; exception?: { description?: string } };
  return exception?.description ?? text ?? 'an exception without a text';
}
