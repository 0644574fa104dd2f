import { existsSync, readFileSync } from 'node:fs'

/** From the package that this file belongs to, wherever it was compiled to. */
export function readVersion(): string {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) folder = new URL('..', folder)
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { readonly version: string }
  return version
}
