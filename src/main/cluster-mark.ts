/**
 * Beside its state a server notes which cluster the folder belongs to, so that a state that is gone is not taken for one that never was:
 * a new cluster would stop nothing, know nothing and start everything a second time.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataDamagedError } from '../domain/index.js'

const NAME = 'cluster.json'

/** Undefined: no server has ever led from here. */
export function readClusterMark(dataFolder: string): string | undefined {
  const path = join(dataFolder, NAME)
  if (!existsSync(path)) return undefined
  const clusterId: unknown = parse(readFileSync(path, 'utf8'))?.['clusterId']
  if (typeof clusterId === 'string' && clusterId !== '') return clusterId
  throw new DataDamagedError(
    'CLUSTER_MARK',
    `${path} does not name a cluster; write {"clusterId": "…"} with the id that /v1/agent/self of an agent's server said, or remove it`,
  )
}

export function writeClusterMark(dataFolder: string, clusterId: string): void {
  const path = join(dataFolder, NAME)
  writeFileSync(`${path}.tmp`, `${JSON.stringify({ clusterId })}\n`, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
