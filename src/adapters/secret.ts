/** Where a secret is: configurations name the place, never the secret. */
import { readFileSync } from 'node:fs'

export type Secret = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'environment'; readonly name: string }

/** In words for people, such as `the token in /etc/drover/token`. */
export function nameSecret(what: string, secret: Secret): string {
  return secret.kind === 'file' ? `the ${what} in ${secret.path}` : `the ${what} in the variable ${secret.name}`
}

/**
 * The first line of the file, or the variable; read anew each time, so that a secret can be changed without a restart.
 * @throws Error with the place, when there is nothing
 */
export function readSecret(what: string, secret: Secret): string {
  if (secret.kind === 'environment') {
    const text = process.env[secret.name] ?? ''
    if (text === '') throw new Error(`the variable ${secret.name}, which is to hold the ${what}, is not set`)
    return text
  }
  let text: string
  try {
    text = readFileSync(secret.path, 'utf8').split('\n')[0]!.trim()
  } catch (cause) {
    throw new Error(`the file ${secret.path}, which is to hold the ${what}, cannot be read`, { cause })
  }
  if (text === '') throw new Error(`the file ${secret.path}, which is to hold the ${what}, has an empty first line`)
  return text
}
