import { readFileSync } from 'node:fs'

/** Drover's own version, as package.json has it. */
export function readVersion(): string {
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version
}
