/** The process that downloads artifacts: a request on standard input, an outcome on standard output. Runs as nobody where it can. */
import { download } from '../adapters/artifacts/download.js'
import type { DownloadOutcome, DownloadRequest } from '../adapters/artifacts/request.js'
import { NOBODY } from '../adapters/task-user.js'
import { explainError } from '../domain/index.js'

async function readInput(): Promise<DownloadRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as DownloadRequest
}

/** Only now, when all of the program has been read: it may lie where nobody else may look. */
function becomeNobody(): void {
  if (process.getuid?.() !== 0) return
  process.setgroups?.([])
  process.setgid?.(NOBODY.gid)
  process.setuid?.(NOBODY.uid)
}

process.umask(0o022)
becomeNobody()
const outcome = await readInput()
  .then(download)
  .catch((error: unknown): DownloadOutcome => ({ kind: 'failed', message: explainError(error) }))
process.stdout.write(JSON.stringify(outcome))
