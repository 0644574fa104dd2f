/**
 * The keys that sign workload identities: a JSON web key set in the server's data folder, made on the first start. The first key signs, all
 * are published, so that a key is changed by putting a new one in front and taking the old one away when nobody holds a token of it.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import * as z from 'zod'
import type { IdentitySigner } from '../controller/index.js'
import { TerminalError } from '../domain/index.js'

const KEYS_FILE = 'identity-keys.json'
/** What those who check tokens elsewhere all know. */
const ALGORITHM = 'RS256'
const MODULUS_BITS = 2048

const keysSchema = z.object({
  keys: z.array(z.looseObject({ kid: z.string().min(1), kty: z.literal('RSA'), n: z.string(), e: z.string(), d: z.string() })).min(1),
})

/** @param issuer stands in every token @throws TerminalError IDENTITY_KEYS when the file is damaged */
export async function openIdentitySigner(folder: string, issuer: string | undefined): Promise<IdentitySigner> {
  const keys = await loadOrCreateKeys(join(folder, KEYS_FILE))
  const [first] = keys
  const key = await importJWK(first!, ALGORITHM)
  const header = { alg: ALGORITHM, kid: first!.kid!, typ: 'JWT' }
  return {
    publicKeys: keys.map(({ kid, n, e }) => ({ use: 'sig', kty: 'RSA', kid: kid!, alg: ALGORITHM, n: n!, e: e! })),
    sign: (claims) => {
      const token = new SignJWT({ ...(claims as object as JWTPayload), ...(issuer === undefined ? {} : { iss: issuer }) })
      return token.setProtectedHeader(header).sign(key)
    },
  }
}

async function loadOrCreateKeys(file: string): Promise<readonly JWK[]> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return createKeys(file)
  }
  try {
    return keysSchema.parse(JSON.parse(text)).keys as readonly JWK[]
  } catch (cause) {
    const remedy = 'restore it, or remove it: the tokens that tasks hold are worthless then'
    throw new TerminalError('IDENTITY_KEYS', `${file} holds no keys for workload identities; ${remedy}`, { file }, cause)
  }
}

async function createKeys(file: string): Promise<readonly JWK[]> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { modulusLength: MODULUS_BITS, extractable: true })
  const keys = [{ kid: randomUUID(), ...(await exportJWK(privateKey)) }]
  writeFileSync(file, `${JSON.stringify({ keys }, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  return keys
}
