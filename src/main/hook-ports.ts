/** What hooks need of the host, made of adapters. */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
// Not by the room's door: encrypting needs what only a server has.
import { ValueCipher } from '../adapters/age/value-cipher.js'
import { ArtifactGetter } from '../adapters/artifacts/index.js'
import { checkPort } from '../adapters/checks.js'
import type { loadOrCreateKey } from '../adapters/node-key.js'
import { taskFiles } from '../adapters/task-files.js'
import type { HookPorts } from '../agent/index.js'
import { taskRefusal } from '../jobspec/index.js'
import type { AgentConfig } from './agent-config.js'
import { artifactDownloadCommand } from './supervisor-command.js'

/** Beyond a gibibyte: what is worth packing seldom shrinks to a hundredth. */
const UNPACKED_TIMES_MAX = 200
const DOWNLOAD_MS_MAX = 30 * 60_000
const GIBIBYTE_BYTES = 2 ** 30

export function createHookPorts(
  folder: string,
  key: ReturnType<typeof loadOrCreateKey>,
  { artifacts, secrets }: Pick<AgentConfig, 'artifacts' | 'secrets'>,
  network: HookPorts['network'],
  devices: HookPorts['devices'],
): HookPorts {
  const limits = {
    allowsPrivateAddresses: artifacts.allow_private_addresses,
    allowsInsecure: artifacts.allow_insecure,
    downloadBytesMax: artifacts.size_max_gib * GIBIBYTE_BYTES,
    unpackedBytesMax: artifacts.size_max_gib * GIBIBYTE_BYTES,
    unpackedTimesMax: UNPACKED_TIMES_MAX,
    unpackedBytesFree: GIBIBYTE_BYTES,
    filesMax: artifacts.files_max,
    timeoutMs: DOWNLOAD_MS_MAX,
  }
  return {
    files: taskFiles,
    artifacts: new ArtifactGetter({ folder: join(folder, 'artifacts'), command: artifactDownloadCommand(), limits }),
    checks: checkPort,
    network,
    devices,
    refusalOf: taskRefusal,
    values: new ValueCipher(secrets.identity_files),
    stableRandom: (purpose, size) => stretch(key.sign(Buffer.from(`template ${purpose}`)), size),
  }
}

function stretch(seed: string | Uint8Array, size: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, block) => createHmac('sha256', seed).update(String(block)).digest())
  return new Uint8Array(Buffer.concat(blocks).subarray(0, size))
}
