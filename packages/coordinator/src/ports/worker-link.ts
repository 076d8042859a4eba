// One open link to a worker. Sending never blocks and never throws: a link that cannot keep up or is gone closes itself,
// and the engine learns of it as `workerDisconnected`.
import type { CoordinatorMessage, SessionId } from '@assay/protocol';

export interface WorkerLink {
  readonly session: SessionId;
  /** Messages of one commit, sent as few frames. */
  send(messages: CoordinatorMessage[]): void;
  /** Closes after what was sent is flushed. */
  close(reason: string): void;
}
