// What an agent is started with, and what its starter gets back.
import { z } from 'zod';
import { limit, WorkerSettings } from '@assay/protocol';
import type { Measured } from './profile-watch.ts';

export type Say = (level: 'info' | 'warning', text: string) => void;

/** As it comes from the command line or another process, with the defaults filled in. */
export const AgentSettings = z.strictObject({
  /** Of the coordinator: http://127.0.0.1:7411. */
  url: z.url({ protocol: /^(https?|wss?)$/ }),
  token: z.string().max(1_000),
  stateDir: z.string().min(1),
  /** For people; the machine's name when absent. */
  name: z.string().min(1).max(limit('nameChars')).optional(),
  pool: z.string().min(1).max(80).default('default'),
  /** Assignments at once; the processors that this process may use when absent. */
  slots: z.number().int().min(1).max(limit('slotsMax')).optional(),
  /** Whether runs may name directories of this machine: for workers on the submitter's own machine. */
  allowDirectories: z.boolean().default(false),
  /** Labels that the operator vouches for. */
  declared: z.record(z.string().max(100), z.union([z.string().max(1_000), z.number(), z.boolean()])).default({}),
  /** PEM of the authority that signed the coordinator's certificate. */
  caFile: z.string().min(1).optional(),
  /** The agent ends when this process is gone. */
  parentPid: z.number().int().min(1).optional(),
  /** How often the machine is measured again; 0 is never. */
  /** Checks of the machine and its devices, and hooks to repair it; without them nothing is checked. */
  soundness: WorkerSettings.optional(),
  /** Whether whoever started this process starts it anew when it ends for that reason. */
  canRestart: z.boolean().default(false),
  /** Whether each browser is started once to measure what its pages get; kept per user until the machine changes. */
  measureBrowsers: z.boolean().default(false),
  reprobeMs: z.number().int().min(0).default(300_000),
  /** How often heat, free GPU memory and battery are told, by which new work is held back; 0 is never. */
  readingsMs: z.number().int().min(0).default(15_000),
});
export type AgentSettings = z.input<typeof AgentSettings>;

export type AgentOptions = AgentSettings & {
  say?: Say;
  /** The environment of tests and set-up commands; the process's own when absent. */
  env?: Readonly<Record<string, string | undefined>>;
  /** What the machine offers, where its measuring was begun before; else it begins with the start. */
  measured?: Promise<Measured>;
};

/** How the agent ended. `error` when it was not asked to. */
export type AgentEnd = {
  reason: string;
  error: { code: string; message: string } | null;
  /** It ended in order to be started anew, as a step of its own recovery. */
  isRestart?: boolean;
};

export type Agent = {
  readonly workerId: string;
  /** Resolves when the agent has ended and let go of everything; it never rejects. */
  readonly done: Promise<AgentEnd>;
  /** Finishes what runs, returns what has not started, delivers all reports, leaves. */
  drain(reason: string): void;
  /** Ends what runs and leaves; what could not be delivered stays in the state directory. */
  kill(reason: string): void;
};
