/** What a file of signers says of the time in which keys count. Source: ssh-keygen(1), "ALLOWED SIGNERS". */
import { createHash } from 'node:crypto'

const KEY = /(?:^|\s)(?:ssh|sk-ssh|ecdsa|sk-ecdsa)-\S+\s+([A-Za-z0-9+/]+=*)/
const ENDS = /(?:^|[\s,])valid-before=/i

/** Fingerprints, as ssh-keygen writes them, of the keys that count until some time. */
export function endingKeys(text: string): ReadonlySet<string> {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'))
  return new Set(
    lines.flatMap((line) => {
      const [whole, key] = KEY.exec(line) ?? []
      return whole === undefined || key === undefined || !ENDS.test(line.slice(0, line.indexOf(whole))) ? [] : [fingerprintOf(key)]
    }),
  )
}

function fingerprintOf(key: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`
}
