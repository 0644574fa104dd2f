/** Why a connection came to nothing, in the words that Nomad's users know from their checks. */

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
}

/** Of one that was dialled at `host:port`. */
export function describeFailedConnection(error: NodeJS.ErrnoException, host: string, port: number): string {
  const { code = '' } = error
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `dial tcp: lookup ${host}: ${code === 'ENOTFOUND' ? 'no such host' : 'the name servers do not answer'}`
  if (code === 'ECONNRESET') return error.syscall === 'read' ? 'read: connection reset by peer' : 'EOF'
  return code in REASONS ? `dial tcp ${host}:${port}: ${REASONS[code]}` : error.message
}
