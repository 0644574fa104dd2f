/**
 * With what a registry is signed in to: the task's own `auth`, else what the host has from `docker login` or from a credential helper.
 * Source: Docker docs, "docker login", "Credential helpers".
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import type { DockerConfig } from '../../../jobspec/index.js'
import { startError } from '../driver-errors.js'
import type { DockerOptions } from './options.js'

export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly email?: string
  readonly serveraddress?: string
  readonly identitytoken?: string
}

const HUB = 'https://index.docker.io/v1/'
const HELPER_WITHIN_MS = 10_000

const loginFileSchema = z.object({
  auths: z
    .record(z.string(), z.object({ auth: z.string().optional(), identitytoken: z.string().optional(), email: z.string().optional() }))
    .default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
})

const helperAnswerSchema = z.object({ Username: z.string(), Secret: z.string() })

/** Undefined: nobody in particular. @throws OrchestratorError DRIVER_START unless a failure is to be taken softly */
export async function findAuth(
  image: string,
  config: Pick<DockerConfig, 'auth' | 'auth_soft_fail'>,
  options: DockerOptions,
): Promise<RegistryAuth | undefined> {
  const own = config.auth
  if (own?.username || own?.password || own?.email || own?.server_address) {
    const { username, password, email, server_address: serveraddress } = own
    return dropAbsent({ username, password, email, serveraddress })
  }
  try {
    return await authOfHost(registryOf(image), options)
  } catch (error) {
    if (config.auth_soft_fail === true) return undefined
    throw startError(
      `Failed to find docker auth for image "${image}": ${error instanceof Error ? error.message : String(error)}`,
      true,
      error,
    )
  }
}

function dropAbsent(auth: { readonly [Name in keyof RegistryAuth]: string | undefined }): RegistryAuth {
  return Object.fromEntries(Object.entries(auth).filter(([, value]) => value !== undefined && value !== ''))
}

async function authOfHost(registry: string, { auth }: DockerOptions): Promise<RegistryAuth | undefined> {
  const login = auth.config === undefined ? undefined : loginFileSchema.parse(JSON.parse(readFileSync(auth.config, 'utf8')))
  const key = registry === 'docker.io' ? HUB : registry
  const own = login?.credHelpers[registry] ?? login?.credHelpers[key]
  if (own !== undefined) return askHelper(own, key)
  const known = login?.auths[key] ?? login?.auths[registry] ?? login?.auths[`https://${registry}`]
  if (known?.identitytoken) return { identitytoken: known.identitytoken, serveraddress: key }
  if (known?.auth) return fromBasic(known.auth, key)
  const helper = auth.helper ?? login?.credsStore
  return helper === undefined ? undefined : askHelper(helper, key)
}

function fromBasic(auth: string, serveraddress: string): RegistryAuth {
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ''), serveraddress }
}

/** Undefined: the helper knows nothing of that registry. */
function askHelper(helper: string, registry: string): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${helper}`
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: HELPER_WITHIN_MS })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(registry)
    child.once('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)))
    child.once('close', (code) => {
      if (code !== 0)
        return /not found/i.test(said) ? resolve(undefined) : reject(new Error(`${program} ended with ${code}: ${said.trim()}`))
      try {
        const { Username, Secret } = helperAnswerSchema.parse(JSON.parse(said))
        const isToken = Username === '<token>'
        resolve(
          isToken ? { identitytoken: Secret, serveraddress: registry } : { username: Username, password: Secret, serveraddress: registry },
        )
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** `docker.io` unless its first part can be a host. */
function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io'
}
