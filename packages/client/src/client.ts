// A coordinator's API as functions, one for each route. Every answer has passed the protocol's schema; every failure is a
// ClientError with its code. Submissions carry their own identity (idempotency key, chunk number), so they are repeated after
// a broken connection like reads are; making and revoking tokens is not.
import {
  AdmissionPolicy,
  type BackupRequest,
  BackupView,
  CalibrationReport,
  type CancelRequest,
  type CertifyRequest,
  type ConditionRequest,
  CaseList,
  CircuitList,
  CircuitView,
  type DrainRequest,
  Erased,
  type EraseRequest,
  type ForceCircuitRequest,
  Explanation,
  Health,
  type AnalysisScope,
  ChangeReport,
  CulpritReport,
  type CulpritRequest,
  FailureReport,
  FlakeReport,
  type ImportRequest,
  QuarantineList,
  type QuarantineRequest,
  QueryAnswer,
  type QueryRequest,
  RecoveryHistory,
  type ReleaseCircuitRequest,
  type ReleaseRequest,
  RunAccepted,
  RunList,
  RunRecording,
  type RunSubmission,
  RunView,
  SessionView,
  SignInCode,
  type SignInRequest,
  TaskList,
  type TasksAddition,
  TaskView,
  TokenCreated,
  type TokenCreation,
  TokenList,
  WorkerList,
  WorkerView,
} from '@assay/protocol';
import type { z } from 'zod';
import { ClientError } from './client-error.ts';
import { type FeedDelivery, type FollowOptions, followFeed } from './follow-feed.ts';
import { type BlobContent, Transport } from './transport.ts';

export type ClientOptions = {
  /** Where the coordinator listens: http://127.0.0.1:7420. */
  url: string;
  token?: string | undefined;
  /** In a browser that is signed in with a cookie: the session's word, sent with what changes something. */
  csrf?: () => string | undefined;
  fetch?: typeof globalThis.fetch;
  /** Repetitions of a call that may be repeated, 4 by default. */
  retriesMax?: number;
  /** How long one call may take, content and feed excepted; a minute by default. */
  timeoutMs?: number;
};

export type RunsQuery = { limit?: number; before?: string };
export type TasksQuery = { state?: string; verdict?: string; limit?: number; after?: string };
export type CircuitsQuery = { state?: string; kind?: string; worker?: string };
export type CasesQuery = { status?: string; limit?: number; after?: string };

type RunListing = z.infer<typeof RunList>;
type TokenListing = z.infer<typeof TokenList>;

export type Client = {
  submitRun(submission: RunSubmission): Promise<RunAccepted>;
  addTasks(run: string, addition: TasksAddition): Promise<RunAccepted>;
  /** A run that was executed elsewhere, whole; the same content again is the same run. */
  importRun(request: ImportRequest): Promise<RunAccepted>;
  /** Forgets a project's results: they are gone once the results have reached `seq`. */
  eraseProject(request: EraseRequest): Promise<Erased>;
  /** Copies the results store under a free name. */
  backupResults(request: BackupRequest): Promise<BackupView>;
  /** Puts a copy back; what came after it is read from the journal again. */
  restoreResults(request: BackupRequest): Promise<BackupView>;
  listRuns(query?: RunsQuery): Promise<RunListing>;
  readRun(run: string): Promise<RunView>;
  cancelRun(run: string, request: CancelRequest): Promise<RunView>;
  /** A page may be shorter than its limit, or empty, while `next` is not null. */
  listTasks(run: string, query?: TasksQuery): Promise<TaskList>;
  listCases(run: string, query?: CasesQuery): Promise<CaseList>;
  readTask(task: string): Promise<TaskView>;
  explainTask(task: string): Promise<Explanation>;
  listWorkers(): Promise<WorkerList>;
  readWorker(worker: string): Promise<WorkerView>;
  drainWorker(worker: string, request: DrainRequest): Promise<WorkerView>;
  setCondition(worker: string, request: ConditionRequest): Promise<WorkerView>;
  /** Asks for the checks; what they find comes with the live feed and the next reading. */
  certifyWorker(worker: string, request: CertifyRequest): Promise<WorkerView>;
  recoveryHistory(): Promise<RecoveryHistory>;
  calibration(): Promise<CalibrationReport>;
  /** Weights, quotas, reserved pools and caps, as they are in force. */
  policy(): Promise<AdmissionPolicy>;
  /** What a simulation of the run needs, from the journal; `absent` where that no longer has it. */
  recordingOf(run: string): Promise<RunRecording>;
  /** One's own SQL over the results, read-only. QUERY_REFUSED, QUERY_TOO_LONG, QUERY_TOO_LARGE. */
  query(request: QueryRequest): Promise<QueryAnswer>;
  /** Which of the tests that failed are flakes, and where their failures live. */
  flakes(scope: Partial<AnalysisScope>): Promise<FlakeReport>;
  /** Failures that are one; with `run`, which of them it brought. */
  failures(scope: Partial<AnalysisScope> & { run?: string }): Promise<FailureReport>;
  changes(scope: Partial<AnalysisScope>): Promise<ChangeReport>;
  culprit(request: CulpritRequest): Promise<CulpritReport>;
  /** Tests that are set aside, oldest first; so say the calls that change them. */
  quarantines(): Promise<QuarantineList>;
  quarantineTest(request: QuarantineRequest): Promise<QuarantineList>;
  releaseTest(quarantine: string, request: ReleaseRequest): Promise<QuarantineList>;
  /** Those that stop something first. */
  listCircuits(query?: CircuitsQuery): Promise<CircuitList>;
  readCircuit(circuit: string): Promise<CircuitView>;
  forceCircuit(circuit: string, request: ForceCircuitRequest): Promise<CircuitView>;
  releaseCircuit(circuit: string, request: ReleaseCircuitRequest): Promise<CircuitView>;
  resetCircuit(circuit: string, request: ReleaseCircuitRequest): Promise<CircuitView>;
  hasBlob(digest: string): Promise<boolean>;
  /** A stream is sent once; bytes are sent again after a broken connection. */
  uploadBlob(digest: string, content: BlobContent, signal?: AbortSignal): Promise<void>;
  /** The content as it arrives. */
  downloadBlob(digest: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  listTokens(): Promise<TokenListing>;
  createToken(creation: TokenCreation): Promise<TokenCreated>;
  revokeToken(token: string): Promise<void>;
  /** Who this client is to the coordinator; UNAUTHORIZED where that is nobody. */
  readSession(): Promise<SessionView>;
  /** A browser keeps the cookie that comes with it. */
  signIn(request: SignInRequest): Promise<SessionView>;
  signOut(): Promise<void>;
  /** A code that signs a browser in as this client's token, once. */
  createSignInCode(): Promise<SignInCode>;
  health(): Promise<Health>;
  followFeed(options: FollowOptions): AsyncGenerator<FeedDelivery, void, void>;
};

export function createClient(options: ClientOptions): Client {
  const transport = new Transport({
    url: options.url,
    token: options.token,
    csrf: options.csrf,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    retriesMax: options.retriesMax ?? 4,
    timeoutMs: options.timeoutMs ?? 60_000,
  });
  return {
    ...runCalls(transport),
    ...workerCalls(transport),
    ...circuitCalls(transport),
    ...analysisCalls(transport),
    ...blobCalls(transport),
    ...tokenCalls(transport),
    ...sessionCalls(transport),
    followFeed: (follow) => followFeed(transport, follow),
  };
}

const id = encodeURIComponent;

function reads(transport: Transport) {
  return <Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    query: Record<string, string | number | undefined> = {},
  ) => transport.json(schema, { method: 'GET', path, query, isRepeatable: true });
}

function posts(transport: Transport) {
  return <Schema extends z.ZodType>(schema: Schema, path: string, json: unknown) =>
    transport.json(schema, { method: 'POST', path, json, isRepeatable: true });
}

function runCalls(transport: Transport) {
  const get = reads(transport);
  const post = posts(transport);
  return {
    submitRun: (submission: RunSubmission) => post(RunAccepted, '/runs', submission),
    importRun: (request: ImportRequest) => post(RunAccepted, '/imports', request),
    backupResults: (request: BackupRequest) => post(BackupView, '/results/backups', request),
    restoreResults: (request: BackupRequest) => post(BackupView, '/results/restore', request),
    eraseProject: (request: EraseRequest) => post(Erased, '/projects/erase', request),
    query: (request: QueryRequest) => post(QueryAnswer, '/query', request),
    addTasks: (run: string, addition: TasksAddition) => post(RunAccepted, `/runs/${id(run)}/tasks`, addition),
    listRuns: (query: RunsQuery = {}) => get(RunList, '/runs', query),
    readRun: (run: string) => get(RunView, `/runs/${id(run)}`),
    cancelRun: (run: string, request: CancelRequest) => post(RunView, `/runs/${id(run)}/cancel`, request),
    listTasks: (run: string, query: TasksQuery = {}) => get(TaskList, `/runs/${id(run)}/tasks`, query),
    listCases: (run: string, query: CasesQuery = {}) => get(CaseList, `/runs/${id(run)}/cases`, query),
    readTask: (task: string) => get(TaskView, `/tasks/${id(task)}`),
    explainTask: (task: string) => get(Explanation, `/tasks/${id(task)}/explain`),
    health: () => get(Health, '/health'),
    calibration: () => get(CalibrationReport, '/calibration'),
    policy: () => get(AdmissionPolicy, '/policy'),
    recordingOf: (run: string) => get(RunRecording, `/runs/${id(run)}/recording`),
  };
}

function workerCalls(transport: Transport) {
  const get = reads(transport);
  return {
    listWorkers: () => get(WorkerList, '/workers'),
    readWorker: (worker: string) => get(WorkerView, `/workers/${id(worker)}`),
    drainWorker: (worker: string, request: DrainRequest) =>
      posts(transport)(WorkerView, `/workers/${id(worker)}/drain`, request),
    setCondition: (worker: string, request: ConditionRequest) =>
      posts(transport)(WorkerView, `/workers/${id(worker)}/condition`, request),
    certifyWorker: (worker: string, request: CertifyRequest) =>
      posts(transport)(WorkerView, `/workers/${id(worker)}/certify`, request),
    recoveryHistory: () => get(RecoveryHistory, '/recovery'),
  };
}

function analysisCalls(transport: Transport) {
  const get = reads(transport);
  return {
    flakes: (scope: Partial<AnalysisScope>) => get(FlakeReport, '/analysis/flakes', scope),
    failures: (scope: Partial<AnalysisScope> & { run?: string }) => get(FailureReport, '/analysis/failures', scope),
    changes: (scope: Partial<AnalysisScope>) => get(ChangeReport, '/analysis/changes', scope),
    quarantines: () => get(QuarantineList, '/quarantines'),
    quarantineTest: (request: QuarantineRequest) => posts(transport)(QuarantineList, '/quarantines', request),
    releaseTest: (quarantine: string, request: ReleaseRequest) =>
      posts(transport)(QuarantineList, `/quarantines/${id(quarantine)}/release`, request),
    culprit: (request: CulpritRequest) => posts(transport)(CulpritReport, '/analysis/culprit', request),
  };
}

function circuitCalls(transport: Transport) {
  const get = reads(transport);
  const post = posts(transport);
  return {
    listCircuits: (query: CircuitsQuery = {}) => get(CircuitList, '/circuits', query),
    readCircuit: (circuit: string) => get(CircuitView, `/circuits/${id(circuit)}`),
    forceCircuit: (circuit: string, request: ForceCircuitRequest) =>
      post(CircuitView, `/circuits/${id(circuit)}/force`, request),
    releaseCircuit: (circuit: string, request: ReleaseCircuitRequest) =>
      post(CircuitView, `/circuits/${id(circuit)}/release`, request),
    resetCircuit: (circuit: string, request: ReleaseCircuitRequest) =>
      post(CircuitView, `/circuits/${id(circuit)}/reset`, request),
  };
}

function blobCalls(transport: Transport) {
  return {
    async hasBlob(digest: string): Promise<boolean> {
      try {
        await transport.response({ method: 'HEAD', path: `/blobs/${id(digest)}`, isRepeatable: true, isTimed: true });
        return true;
      } catch (error) {
        if (error instanceof ClientError && error.code === 'NOT_FOUND') return false;
        throw error;
      }
    },
    async uploadBlob(digest: string, content: BlobContent, signal?: AbortSignal): Promise<void> {
      const headers = { 'content-type': 'application/octet-stream' };
      const isRepeatable = !(content instanceof ReadableStream);
      await transport.response({
        method: 'PUT',
        path: `/blobs/${id(digest)}`,
        content,
        headers,
        isRepeatable,
        isTimed: false,
        signal,
      });
    },
    async downloadBlob(digest: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      const response = await transport.response({
        method: 'GET',
        path: `/blobs/${id(digest)}`,
        isRepeatable: true,
        isTimed: false,
        signal,
      });
      return response.body ?? new Blob([]).stream();
    },
  };
}

function tokenCalls(transport: Transport) {
  return {
    listTokens: () => reads(transport)(TokenList, '/tokens'),
    createToken: (creation: TokenCreation) =>
      transport.json(TokenCreated, { method: 'POST', path: '/tokens', json: creation, isRepeatable: false }),
    async revokeToken(token: string): Promise<void> {
      await transport.response({ method: 'DELETE', path: `/tokens/${id(token)}`, isRepeatable: false, isTimed: true });
    },
  };
}

function sessionCalls(transport: Transport) {
  return {
    readSession: () => reads(transport)(SessionView, '/session'),
    // A code is good once: repeating the call could only fail.
    signIn: (request: SignInRequest) =>
      transport.json(SessionView, { method: 'POST', path: '/session', json: request, isRepeatable: false }),
    async signOut(): Promise<void> {
      await transport.response({ method: 'DELETE', path: '/session', isRepeatable: true, isTimed: true });
    },
    createSignInCode: () =>
      transport.json(SignInCode, { method: 'POST', path: '/session/codes', json: {}, isRepeatable: false }),
  };
}
