// What went wrong in a call, as the coordinator said it, or as this side saw it when there was no answer.
// An AssayError, so that callers decide by `code` whichever side of the wire the fault is on.
import { AssayError, ErrorBody, type ErrorCode, errorCatalogue } from '@assay/protocol';

export class ClientError extends AssayError {
  readonly body: ErrorBody;

  /** A code of a newer coordinator that this client does not know counts as INTERNAL; `body` keeps what was said. */
  constructor(body: ErrorBody, cause?: unknown) {
    super(
      Object.hasOwn(errorCatalogue, body.code) ? (body.code as ErrorCode) : 'INTERNAL',
      body.message,
      body.details,
      cause,
    );
    this.body = body;
  }

  get next(): string {
    return this.body.next;
  }

  get retryable(): boolean {
    return this.body.retryable;
  }

  override toBody(): ErrorBody {
    return this.body;
  }
}

/** A fault that this side found. */
export function ownError(
  code: ErrorCode,
  message: string,
  cause?: unknown,
  retryable: boolean = errorCatalogue[code].retryable,
): ClientError {
  return new ClientError({ code, message, next: errorCatalogue[code].next, retryable }, cause);
}

/** The fault in a response that is not a success. What does not speak ErrorBody is no coordinator, or one behind a broken proxy. */
export async function errorOfResponse(response: Response, url: string): Promise<ClientError> {
  const text = await response.text().catch(() => '');
  const body = ErrorBody.safeParse(jsonOf(text));
  if (body.success) return new ClientError(body.data);
  const code = text === '' ? bare[response.status] : undefined;
  if (code !== undefined) return ownError(code, `${url} answered ${response.status}`);
  const mayPass = response.status >= 500 || response.status === 429;
  return ownError(
    'COORDINATOR_UNREACHABLE',
    `${url} answered ${response.status} and not as a coordinator does: is it one?`,
    undefined,
    mayPass,
  );
}

/** Answers to HEAD have no body to say their code in. */
const bare: Record<number, ErrorCode> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  429: 'TOO_MANY_REQUESTS',
};

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
