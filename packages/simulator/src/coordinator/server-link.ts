// The coordinator's end of one link, as http/worker-link.ts is for a WebSocket: one hello, then the engine's word, then
// messages; what came early waits; a frame that is malformed or out of turn ends the link; its close is told once.
import { readFrame, withOwnDigest, withOwnDigests, type Shell, type WorkerLink } from '@assay/coordinator/simulation';
import type { AgentMessage, CoordinatorMessage, Hello, SessionId } from '@assay/protocol';
import type { LinkEars, LinkEnd } from '../sim/network.ts';

export type ServerLinkOptions = {
  shell: Shell;
  end: LinkEnd;
  session: SessionId;
  token: string;
  /** Sees everything that is said to the worker, before it is sent. */
  told: (session: SessionId, messages: readonly CoordinatorMessage[]) => void;
  trace: (what: string) => void;
};

type Phase =
  | { kind: 'awaitingHello' }
  | { kind: 'opening'; early: AgentMessage[] }
  | { kind: 'open' }
  | { kind: 'closed' };

export function serveLink(options: ServerLinkOptions): LinkEars {
  const server = new ServerLink(options);
  return { frame: (text) => server.frame(text), closed: () => server.ended() };
}

class ServerLink {
  readonly #options: ServerLinkOptions;
  readonly #link: WorkerLink;
  #phase: Phase = { kind: 'awaitingHello' };

  constructor(options: ServerLinkOptions) {
    this.#options = options;
    const { end, session, told, trace } = options;
    this.#link = {
      session,
      send: (messages) => {
        told(session, messages);
        end.send(JSON.stringify(messages));
      },
      close: (reason) => {
        trace(`closes ${session}: ${reason}`);
        end.close();
      },
    };
  }

  frame(text: string): void {
    if (this.#phase.kind === 'closed') return;
    const frame = readFrame(Buffer.from(text));
    if (frame.kind !== 'messages')
      return this.#refuse('BAD_FRAME', frame.kind === 'bad' ? frame.reason : 'another version', false);
    this.#hear(frame.messages);
  }

  ended(): void {
    const wasOpen = this.#phase.kind === 'open';
    this.#phase = { kind: 'closed' };
    if (wasOpen) this.#options.shell.linkClosed(this.#options.session);
  }

  #hear(messages: AgentMessage[]): void {
    if (this.#phase.kind === 'open') return this.#deliver(messages);
    if (this.#phase.kind === 'opening') return void this.#phase.early.push(...messages);
    const [hello, ...early] = messages;
    if (hello?.kind !== 'hello') return this.#refuse('BAD_FRAME', 'no hello', false);
    this.#phase = { kind: 'opening', early };
    this.#open(hello);
  }

  #open(hello: Hello): void {
    const { shell, session, token } = this.#options;
    shell.links.open(this.#link, withOwnDigest(hello), token, (fate) => {
      if (fate.kind === 'refused') return this.#refuse(fate.code, fate.message, fate.isFinal);
      if (this.#phase.kind !== 'opening') return shell.linkClosed(session);
      const { early } = this.#phase;
      this.#phase = { kind: 'open' };
      if (early.length > 0) this.#deliver(early);
    });
  }

  #deliver(messages: AgentMessage[]): void {
    if (messages.some((message) => message.kind === 'hello')) return this.#refuse('BAD_FRAME', 'a second hello', false);
    if (this.#options.shell.receive(this.#options.session, withOwnDigests(messages))) return;
    this.#phase = { kind: 'closed' };
    this.#options.end.close();
  }

  #refuse(code: string, message: string, isFinal: boolean): void {
    if (this.#phase.kind === 'closed') return;
    this.#options.trace(`refuses ${this.#options.session}: ${code} ${message}`);
    this.ended();
    this.#link.send([{ kind: 'refused', code, message, isFinal }]);
    this.#options.end.close();
  }
}
