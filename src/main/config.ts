/** Configuration files: YAML, one schema per program, every mistake told at once. */
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import type { NatsOptions } from '../adapters/nats/index.js'
import type { StoredKey } from '../adapters/node-key.js'
import { TerminalError } from '../domain/index.js'

export const natsSchema = z.strictObject({
  url: z.string().refine(isBrokerUrl, 'an address as in nats://127.0.0.1:4222, tls://… or ws://…'),
  /** File with the nkey seed to sign in with; absent: this program's own key, which a broker without accounts does not ask for. */
  seed_file: z.string().optional(),
  /** File with a token, for a broker that asks for one. */
  token_file: z.string().optional(),
})

/** Without a scheme it is `nats://`. */
function isBrokerUrl(text: string): boolean {
  const url = /^\w+:\/\//.test(text) ? text : `nats://${text}`
  return URL.canParse(url) && new URL(url).hostname !== ''
}

/** @throws TerminalError CONFIG with every mistake, each with its place */
export function readConfig<Schema extends z.ZodType>(path: string, schema: Schema): z.infer<Schema> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new TerminalError('CONFIG', `the configuration ${path} cannot be read; name an existing file with --config`, { path }, cause)
  }
  const document = parseDocument(text)
  const syntax = document.errors[0]
  if (syntax !== undefined) throw new TerminalError('CONFIG', `the configuration ${path} is no YAML: ${syntax.message}`, { path })
  return checkConfig(path, document.toJS() ?? {}, schema)
}

/** @throws TerminalError CONFIG */
export function checkConfig<Schema extends z.ZodType>(path: string, value: unknown, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return Object.freeze(result.data) as z.infer<Schema>
  const mistakes = result.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`)
  throw new TerminalError('CONFIG', `the configuration ${path} has ${mistakes.length} mistake(s):\n${mistakes.join('\n')}`, { path })
}

/** @param key of the program, where the configuration names no seed */
export function natsOptions(nats: z.infer<typeof natsSchema>, key: StoredKey, inboxPrefix: string): NatsOptions {
  return { url: nats.url, seedFile: nats.seed_file ?? key.seedFile, tokenFile: nats.token_file, inboxPrefix }
}
