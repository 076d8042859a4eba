// A worker for tests and benches that speaks the real wire over a real WebSocket, does nothing with what it is assigned, and says
// that it passed with one case. It keeps unacknowledged reports and sends them again when it reconnects, as an agent does.
import { protocolVersion, type AttemptRef, type CoordinatorFrame, type Report, type WorkerId } from '@assay/protocol';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import { someProfile } from './rig.ts';

export type WireWorkerOptions = {
  url: string;
  worker: string;
  slots: number;
  secret?: string;
  /** Holds each assigned task so long before it is finished; 0 finishes all of a frame at once. */
  taskMs?: number;
};

export class WireWorker {
  readonly #options: WireWorkerOptions;
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isStopped = false;
  #nextSeq = 1;
  #unacknowledged: Report[] = [];
  #outbox: Report[] = [];
  #heartbeat: NodeJS.Timeout | null = null;
  readonly #held = new Map<string, AttemptRef>();
  /** Tasks finished so far, by task and attempt. */
  readonly finished: string[] = [];
  refusal: string | null = null;

  constructor(options: WireWorkerOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Another address: where the coordinator came back. */
  moveTo(url: string): void {
    this.#options.url = url;
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#isStopped) return;
    const { url, secret } = this.#options;
    const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/worker`, { headers, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('open', () => this.#hello(socket));
    socket.on('message', (data: Buffer) => {
      for (const message of JSON.parse(data.toString()) as z.infer<typeof CoordinatorFrame>) this.#hear(message);
      this.#flush();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isOpen = false;
      if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
      if (!this.#isStopped && this.refusal === null) setTimeout(() => this.#connect(), 30);
    });
  }

  #hello(socket: WebSocket): void {
    const { worker, slots } = this.#options;
    const hello = {
      kind: 'hello',
      protocolVersion,
      agentVersion: '0.1.0',
      worker: worker as WorkerId,
      incarnation: `i-${worker}`,
      name: worker,
      pool: 'default',
      slots,
      profile: someProfile,
      profileDigest: 'computed by the coordinator',
      declared: {},
      held: [...this.#held.values()],
      nextReportSeq: this.#unacknowledged[0]?.seq ?? this.#nextSeq,
      isDraining: false,
    };
    socket.send(JSON.stringify([hello]));
  }

  #hear(message: z.infer<typeof CoordinatorFrame>[number]): void {
    if (message.kind === 'welcome') this.#welcomed(message);
    else if (message.kind === 'refused') this.refusal = message.code;
    else if (message.kind === 'ack') this.#acknowledged(message.seq);
    else if (message.kind === 'assign') for (const { task, attempt } of message.tasks) this.#take({ task, attempt });
    else if (message.kind === 'cancel') for (const ref of message.attempts) this.#held.delete(keyOf(ref));
    else if (message.kind === 'takeBack')
      this.#report({
        kind: 'returned',
        seq: 0,
        attempts: message.attempts.filter((ref) => this.#held.delete(keyOf(ref))),
        reason: 'takenBack',
      });
  }

  #welcomed(message: { ackedSeq: number; abandon: AttemptRef[]; heartbeatMs: number }): void {
    this.#isOpen = true;
    this.#acknowledged(message.ackedSeq);
    for (const ref of message.abandon) this.#held.delete(keyOf(ref));
    this.#heartbeat = setInterval(() => this.#send([{ kind: 'heartbeat', atMs: Date.now() }]), message.heartbeatMs);
    this.#outbox = [];
    this.#sendReports(this.#unacknowledged);
  }

  #acknowledged(seq: number): void {
    const acknowledged = this.#unacknowledged.findLastIndex((report) => report.seq <= seq) + 1;
    for (const report of this.#unacknowledged.splice(0, acknowledged))
      if (report.kind === 'finished') this.#held.delete(keyOf(report));
  }

  #take(ref: AttemptRef): void {
    this.#held.set(keyOf(ref), ref);
    this.#report({ kind: 'started', seq: 0, ...ref, atMs: Date.now() });
    const { taskMs = 0 } = this.#options;
    if (taskMs === 0) return this.#finish(ref);
    setTimeout(() => {
      if (this.#isStopped || !this.#held.has(keyOf(ref))) return;
      this.#finish(ref);
      this.#flush();
    }, taskMs);
  }

  #finish(ref: AttemptRef): void {
    this.finished.push(keyOf(ref));
    this.#report({
      kind: 'cases',
      seq: 0,
      ...ref,
      from: 0,
      cases: [{ path: ['works'], status: 'passed', durationMs: 1 }],
    });
    const counts = { passed: 1, failed: 0, skipped: 0, todo: 0 };
    const now = Date.now();
    this.#report({
      kind: 'finished',
      seq: 0,
      ...ref,
      outcome: { verdict: 'passed', counts, casesReported: 1, startedAtMs: now, endedAtMs: now, costMs: 1 },
    });
  }

  #report(report: Report): void {
    if (report.kind === 'returned' && report.attempts.length === 0) return;
    const numbered = { ...report, seq: this.#nextSeq++ };
    this.#unacknowledged.push(numbered);
    this.#outbox.push(numbered);
  }

  #flush(): void {
    if (this.#isOpen) this.#sendReports(this.#outbox.splice(0));
  }

  #sendReports(reports: Report[]): void {
    for (let at = 0; at < reports.length; at += 1_000)
      this.#send(reports.slice(at, at + 1_000).map((report) => ({ kind: 'report', report })));
  }

  #send(messages: unknown[]): void {
    if (messages.length > 0 && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(messages));
  }
}

function keyOf(ref: AttemptRef): string {
  return `${ref.task}#${ref.attempt}`;
}
