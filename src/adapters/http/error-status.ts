/** The one table from error code to HTTP status. `docs/errors.md` explains each; a test keeps the two in step. */
export const ERROR_STATUS: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  TOO_MANY: 429,
  WRITE_REFUSED: 403,
  HOST_REFUSED: 403,
  WITHHELD: 403,
  NOT_FOUND: 404,
  UNKNOWN_PATH: 404,
  WRONG_METHOD: 405,
  BODY_TOO_LARGE: 413,
  TOO_BUSY: 503,
  NOT_SUPPORTED: 501,
  REQUEST_FAILED: 500,
  NO_LEADER: 500,
  BUS_TIMEOUT: 500,
  BUS_NO_RESPONDERS: 500,
  BUS_CLOSED: 500,
}

/** What is not in the table is a failure of this server. */
export function statusOf(code: string): number {
  return ERROR_STATUS[code] ?? 500
}
