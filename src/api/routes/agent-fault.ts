/** What an agent refuses, in the words and with the status that clients of Nomad know. */
import { OrchestratorError } from '../../domain/index.js'
import { badRequest, notFound, requestFailed } from '../errors.js'

export const NO_PATH_TO_NODE = 'No path to node'

/** The error to answer with; what is no refusal of an agent is handed back as it is. */
export function agentFault(error: unknown, allocationId: string | undefined): unknown {
  if (!(error instanceof OrchestratorError)) return error
  switch (error.code) {
    case 'UNKNOWN_ALLOCATION':
      return notFound(`Unknown allocation "${allocationId ?? ''}"`)
    case 'BUS_NO_RESPONDERS':
    case 'BUS_TIMEOUT':
      return notFound(NO_PATH_TO_NODE)
    case 'NO_SUCH_FILE':
      return notFound(error.message, error)
    case 'ALLOCATION_ENDED':
    case 'BAD_OFFSET':
    case 'NO_LOG_TIMES':
    case 'PROGRAM':
    case 'TOO_MANY_SESSIONS':
    case 'SIGNAL_REFUSED':
    case 'TASK_NOT_RUNNING':
    case 'DRIVER_START':
      return requestFailed(error.message, error)
    case 'UNKNOWN_TASK':
    case 'NOT_A_FILE':
    case 'BAD_REQUEST':
      return badRequest(error.message, error)
    case 'PATH_ESCAPES':
      return requestFailed('Path escapes the alloc directory', error)
    case 'SECRET_FILE':
      return requestFailed(error.message, error)
    default:
      return error
  }
}
